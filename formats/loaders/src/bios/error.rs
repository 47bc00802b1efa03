//! Why a medium cannot be started by a BIOS.

use super::MAX_CMDLINE_LEN;

/// Why no boot code was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An extent between two sectors.
    #[error("the {what} begins at byte {at} of the medium; a BIOS reads at multiples of {sector}")]
    Unaligned {
        /// Which extent.
        what: &'static str,
        /// Offset in bytes.
        at: u64,
        /// Bytes.
        sector: u64,
    },
    /// A kernel without a protected-mode part, or beyond 32 bits.
    #[error("the kernel has {len} bytes; between {min} and {max} can be loaded")]
    KernelLength {
        /// Bytes.
        len: u64,
        /// More than its real-mode part.
        min: u64,
        /// What fits below 4 GiB.
        max: u64,
    },
    /// No machine has room for it where the kernel would look.
    #[error("the initrd has {len} bytes; this kernel reads one of up to {limit}")]
    InitrdLength {
        /// Bytes.
        len: u64,
        /// Bytes between the kernel's own memory and its `initrd_addr_max`.
        limit: u64,
    },
    /// It would unpack itself where no initrd can follow.
    #[error("the kernel needs memory up to {run_end:#x}, and reads an initrd below {end:#x} only")]
    KernelMemory {
        /// Address.
        run_end: u64,
        /// Address.
        end: u32,
    },
    /// Longer than the room that the loader has, or than the kernel copies.
    #[error("the command line has {len} bytes; {limit} fit (the loader has room for {MAX_CMDLINE_LEN})")]
    CmdlineLength {
        /// Bytes.
        len: u64,
        /// Bytes.
        limit: u32,
    },
    /// A speed that the UART's clock cannot be divided to.
    #[error("a serial speed of {baud} bits per second; it must divide 115200")]
    Baud {
        /// Bits per second.
        baud: u32,
    },
    /// The boot code itself: cannot happen to what its tests have assembled.
    #[error("the boot code does not assemble")]
    Assemble(#[from] iced_x86::IcedError),
}
