//! What a medium is made of.

use super::format::Format;
use super::guest::Payload;
use crate::debian::Arch;

/// One image. Cases with the same recipe share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Recipe {
    pub(crate) arch: Arch,
    pub(crate) format: Format,
    pub(crate) payload: Payload,
    pub(crate) fault: Fault,
}

/// What is wrong with the medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// A sector of the kernel cannot be read.
    BadRead,
    /// Reading kernel and initrd takes longer than firmware lets a program run.
    Slow,
    /// The image ends inside the kernel.
    Truncated,
    /// A bit of the kernel is not what it was.
    Kernel,
    /// A bit of the initrd is not what it was.
    Initrd,
    /// The file system has no kernel any more.
    NoKernel,
    /// Nor has it the initrd.
    NoInitrd,
}

impl Fault {
    /// What the copy with it is called; nothing where the image itself is without fault.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            // The fault is in the drive, not in the image.
            Fault::None | Fault::BadRead | Fault::Slow => "",
            Fault::Truncated => "-truncated",
            Fault::Kernel => "-kernel",
            Fault::Initrd => "-initrd",
            Fault::NoKernel => "-no-kernel",
            Fault::NoInitrd => "-no-initrd",
        }
    }

    /// How many times as long as usual a boot may take.
    pub(crate) fn patience(self) -> u64 {
        if self == Fault::Slow { 4 } else { 1 }
    }
}
