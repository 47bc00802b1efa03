//! The smallest image that has all that a stub may have, made by hand.
//!
//! ```text
//! 0    40     58         148             198   400     600   800     a00       a0c
//! ├ MZ ┼ PE.. ┼ optional ┼ section table ┼ 0 ─ ┼ .text ┼ gap ┼ .data ┼ symbols ┤
//! ```

pub(crate) const FILE_HEADER: usize = 0x44;
pub(crate) const OPTIONAL: usize = 0x58;
pub(crate) const CERTIFICATES: usize = OPTIONAL + 112 + 4 * 8;
pub(crate) const TABLE: usize = 0x148;

pub(crate) const AMD64: u16 = 0x8664;
pub(crate) const ARM64: u16 = 0xaa64;

pub(crate) fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

pub(crate) fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    put(bytes, at, &value.to_le_bytes());
}

/// Two sections, a gap after the first, and a symbol table after the second.
pub(crate) fn stub(machine: u16) -> Vec<u8> {
    let mut stub = vec![0; 0xa0c];
    put(&mut stub, 0, b"MZ");
    put_u32(&mut stub, 0x3c, 0x40);
    put(&mut stub, 0x40, b"PE\0\0");
    put(&mut stub, FILE_HEADER, &machine.to_le_bytes());
    put(&mut stub, FILE_HEADER + 2, &[2, 0]);
    put_u32(&mut stub, FILE_HEADER + 8, 0xa00); // symbols
    put_u32(&mut stub, FILE_HEADER + 12, 1);
    put(&mut stub, FILE_HEADER + 16, &[112 + 16 * 8, 0]);
    put(&mut stub, FILE_HEADER + 18, &[0x22, 0]); // executable, large addresses
    put(&mut stub, OPTIONAL, &[0x0b, 2]);
    for (at, value) in [
        (4, 0x200),   // code
        (8, 0x200),   // initialized data
        (16, 0x1000), // entry
        (20, 0x1000), // code in memory
        (32, 0x1000), // alignment in memory
        (36, 0x200),  // in the file
        (56, 0x3000), // in memory
        (60, 0x400),  // headers
        (64, 0x1234), // checksum
        (108, 16),    // directories
    ] {
        put_u32(&mut stub, OPTIONAL + at, value);
    }
    put(&mut stub, OPTIONAL + 68, &[10, 0, 0, 1]); // EFI application, NX
    // Length and place in memory, in the file, and characteristics.
    for (n, name, numbers) in [
        (0, b".text", [8, 0x1000, 0x200, 0x400, 0x6000_0020]),
        (1, b".data", [4, 0x2000, 0x200, 0x800, 0xc000_0040]),
    ] {
        let at = TABLE + n * 40;
        put(&mut stub, at, name);
        for (field, value) in [8, 12, 16, 20, 36].into_iter().zip(numbers) {
            put_u32(&mut stub, at + field, value);
        }
    }
    put(&mut stub, 0x400, &[0xc3; 8]);
    put(&mut stub, 0x800, &[0xda; 4]);
    put(&mut stub, 0xa00, b"symbol table");
    stub
}
