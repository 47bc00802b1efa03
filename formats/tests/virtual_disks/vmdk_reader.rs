//! A reader of sparse VMDKs that tolerates nothing.

use std::io::Read;

/// What the reader found.
pub(crate) struct Vmdk {
    pub(crate) version: u32,
    pub(crate) flags: u32,
    /// The text, without the zeros behind it.
    pub(crate) descriptor: String,
    /// The whole disk.
    pub(crate) disk: Vec<u8>,
    /// Grains that are there.
    pub(crate) grains: usize,
}

const SECTOR: usize = 512;
const GRAIN: usize = 128 * SECTOR;

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()).try_into().unwrap()
}

fn u64_at(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()).try_into().unwrap()
}

fn zeros(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| *b == 0)
}

/// The directory at `at` (sectors) and its tables, which have to be behind it; and where they end.
fn grain_places(file: &[u8], at: usize, grains: usize) -> (Vec<usize>, usize) {
    let tables = grains.div_ceil(512);
    let first = at + (tables * 4).div_ceil(SECTOR);
    for table in 0..tables {
        assert_eq!(u32_at(file, at * SECTOR + table * 4), first + table * 4, "table {table}");
    }
    assert!(zeros(&file[at * SECTOR + tables * 4..first * SECTOR]), "behind the directory");
    let entry = |grain| u32_at(file, first * SECTOR + grain * 4);
    assert!((grains..tables * 512).all(|grain| entry(grain) == 0), "grains behind the disk");
    ((0..grains).map(entry).collect(), first + tables * 4)
}

/// Reads the disk. Every byte of the file has to be accounted for.
pub(crate) fn read(file: &[u8]) -> Vmdk {
    assert_eq!(&file[..4], b"KDMV");
    assert_eq!(file.len() % SECTOR, 0);
    let (version, flags) = (u32_at(file, 4), u32_at(file, 8));
    let capacity = u64_at(file, 0x0c);
    assert_eq!(capacity % 128, 0, "the capacity is whole grains");
    assert_eq!(u64_at(file, 0x14), 128, "sectors of a grain");
    assert_eq!((u64_at(file, 0x1c), u64_at(file, 0x24)), (1, 20), "the descriptor's place");
    assert_eq!(u32_at(file, 0x2c), 512, "entries of a table");
    assert_eq!(&file[0x48..0x4d], b"\0\n \r\n");
    assert!(zeros(&file[0x4f..0x200]));
    let descriptor = &file[SECTOR..21 * SECTOR];
    let end = descriptor.iter().position(|b| *b == 0).unwrap();
    assert!(zeros(&descriptor[end..]));
    let descriptor = String::from_utf8(descriptor[..end].to_vec()).unwrap();

    let (places, mut end) = grain_places(file, 21, capacity / 128);
    let compressed = flags & 1 << 16 != 0;
    assert_eq!(u16::from_le_bytes([file[0x4d], file[0x4e]]), u16::from(compressed));
    if flags & 2 == 0 {
        assert_eq!((u64_at(file, 0x30), u64_at(file, 0x38)), (0, 21), "the directory's place");
    } else {
        assert_eq!((u64_at(file, 0x30), u64_at(file, 0x38)), (21, end), "the directories' places");
        let (again, behind) = grain_places(file, end, capacity / 128);
        assert_eq!(places, again, "both directories say the same");
        end = behind;
    }
    let overhead = u64_at(file, 0x40);
    assert_eq!(overhead, if compressed { end } else { end.next_multiple_of(128) });
    assert!(zeros(&file[end * SECTOR..overhead * SECTOR]));

    let mut vmdk = Vmdk {
        version: version.try_into().unwrap(),
        flags: flags.try_into().unwrap(),
        descriptor,
        disk: vec![0; capacity * SECTOR],
        grains: 0,
    };
    let mut at = overhead;
    for (number, place) in places.into_iter().enumerate().filter(|(_, place)| *place != 0) {
        assert_eq!(place, at, "grain {number} is behind the one before");
        let bytes = &file[place * SECTOR..];
        let grain = &mut vmdk.disk[number * GRAIN..(number + 1) * GRAIN];
        vmdk.grains += 1;
        if !compressed {
            grain.copy_from_slice(&bytes[..GRAIN]);
            at += 128;
            continue;
        }
        assert_eq!(u64_at(bytes, 0), number * 128, "the marker's sector");
        let size = u32_at(bytes, 8);
        assert_ne!(size, 0, "of another marker");
        let mut unpacked = Vec::new();
        let mut decoder = flate2::read::ZlibDecoder::new(&bytes[12..12 + size]);
        decoder.read_to_end(&mut unpacked).unwrap();
        assert_eq!(decoder.total_in(), size as u64, "bytes of the marker's size");
        grain.copy_from_slice(&unpacked);
        assert!(!zeros(grain), "grain {number} is zeros");
        let sectors = (12 + size).div_ceil(SECTOR);
        assert!(zeros(&bytes[12 + size..sectors * SECTOR]), "behind grain {number}");
        at += sectors;
    }
    if compressed {
        assert!(zeros(&file[at * SECTOR..(at + 1) * SECTOR]), "the end of the stream");
        at += 1;
    }
    assert_eq!(at * SECTOR, file.len(), "nothing behind");
    vmdk
}
