//! Where the loader keeps what, below 1 MiB.
//!
//! ```text
//! 00600  the MBR, moved out of its own way
//! 00800  variables
//! 01000  the memory map as the BIOS tells it
//! ..... stack, downwards from 07000
//! 07c00  second stage
//! 10000  the kernel's real-mode part; its stack and heap below 1e000, the command line above
//! 1f800  what was read before, for the checksum
//! 20000  bounce buffer for reads
//! ```
//!
//! Everything is reached with segment 0, or with linear addresses in protected mode.

/// Where a BIOS loads boot code.
pub(super) const ORIGIN: u32 = 0x7c00;

/// The stack's end. It has no page with code: where writes are watched for changes of code, by page, each
/// push would be slow.
pub(super) const STACK_END: u32 = 0x7000;

/// Where the MBR goes, since it loads the second stage over itself.
pub(super) const MBR: u32 = 0x600;

/// Entries of the memory map: 24 bytes each, as \[ACPI\] 6.5 §15.1 "INT 15H, E820H" has them.
pub(super) const E820: u32 = 0x1000;
/// End of the room for 512 of them; Linux itself takes 128 from a BIOS.
pub(super) const E820_END: u32 = E820 + 512 * E820_ENTRY;
pub(super) const E820_ENTRY: u32 = 24;

/// The kernel's segment, \[BOOT\] "Memory Layout".
pub(super) const KERNEL_SEGMENT: u32 = 0x1000;
pub(super) const KERNEL: u32 = KERNEL_SEGMENT << 4;
/// End of the kernel's stack and heap, in its segment.
pub(super) const HEAP_END: u32 = 0xe000;
pub(super) const CMDLINE: u32 = KERNEL + HEAP_END;

/// The bounce buffer begins where 64 KiB do, so that no read crosses such a boundary: DMA of the
/// ISA bus, which some BIOSes still use, would wrap around there.
pub(super) const BUFFER: u32 = 0x2_0000;
pub(super) const BUFFER_SEGMENT: u32 = BUFFER >> 4;
/// Most bytes of one read: 124 sectors of 512 bytes. Phoenix BIOSes take up to 127. It is a
/// multiple of 2048, and with it every real-mode part of a kernel arrives in the first read.
pub(super) const CHUNK: u32 = 62 << 10;
const _: () = assert!(CHUNK <= 127 * 512 && CHUNK.is_multiple_of(2048));

/// What was read before, as the checksum needs it, ends where the buffer begins.
pub(super) const WINDOW: u32 = BUFFER - 0x800;
pub(super) const WINDOW_SEGMENT: u32 = WINDOW >> 4;
const _: () = assert!(KERNEL + CHUNK <= WINDOW && CMDLINE < WINDOW);

/// Variables that survive a new try: drive number as the BIOS gave it.
pub(super) const DRIVE: u32 = 0x800; // u8
/// log2 of the sector size, less 9.
pub(super) const SHIFT: u32 = 0x801; // u8

/// Variables from here to `VARIABLES_END` are cleared at each start.
pub(super) const VARIABLES: u32 = 0x804;
/// Not 0: sectors are read by cylinder, head and sector.
pub(super) const CHS: u32 = 0x804; // u8
/// Not 0: a read by AH=42h has succeeded, so the BIOS has it.
pub(super) const EDD_SEEN: u32 = 0x805; // u8
/// Tries left for the current read.
pub(super) const TRIES: u32 = 0x806; // u8
/// First I/O port of the UART, 0 without one.
pub(super) const UART: u32 = 0x808; // u16
/// Sectors of a track and heads of a cylinder.
pub(super) const TRACK_SECTORS: u32 = 0x80a; // u16
pub(super) const HEADS: u32 = 0x80c; // u16
/// Counts up until the line is seen to work.
pub(super) const A20_PROBE: u32 = 0x80e; // u16
/// Next 512-byte sector of the medium.
pub(super) const LBA: u32 = 0x810; // u64
/// Bytes to read still.
pub(super) const LEFT: u32 = 0x818; // u32
/// Linear address that the next byte goes to.
pub(super) const TARGET: u32 = 0x81c; // u32
/// Bytes of a read at most; halved when reads fail.
pub(super) const CHUNK_LIMIT: u32 = 0x820; // u32
/// Bytes of the last read.
pub(super) const CHUNK_LEN: u32 = 0x824; // u32
/// Bytes since the last dot on the screen.
pub(super) const SINCE_DOT: u32 = 0x828; // u32
/// Status of the last INT 13h, in the low byte.
pub(super) const STATUS: u32 = 0x82c; // u16
/// Disk address packet, \[EDD\] §8.2.
pub(super) const PACKET: u32 = 0x830; // 16 bytes
/// End of the entries in [`E820`].
pub(super) const E820_LAST: u32 = 0x840; // u16
/// What `find` is asked for: bytes, lowest first address, end.
pub(super) const WANT_LEN: u32 = 0x844; // u32
pub(super) const WANT_FROM: u32 = 0x848; // u32
pub(super) const WANT_END: u32 = 0x84c; // u32
/// What `find` has found.
pub(super) const FOUND: u32 = 0x850; // u32
pub(super) const VARIABLES_END: u32 = 0x854;
