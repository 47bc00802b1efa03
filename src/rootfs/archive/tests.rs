use super::{Error, index};
use crate::rootfs::fixture;
use mkimage_formats::emit::{Sink, Stream};
use mkimage_formats::{Kind, Layout};
use tar::{EntryType, GnuExtSparseHeader, GnuSparseHeader, Header};

/// An octal field of a header; a binary one of what has more digits.
fn octal(value: usize) -> [u8; 12] {
    format!("{value:011o}\0").into_bytes().try_into().unwrap_or_else(|_| {
        let mut field = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        field[4..].copy_from_slice(&(value as u64).to_be_bytes());
        field
    })
}

/// A sparse file with its map as GNU tar writes it, four pieces in the header and 21 in the block
/// after it; then a file `next`.
fn sparse(pieces: &[(usize, &[u8])], realsize: usize) -> Vec<u8> {
    let fill = |map: &mut [GnuSparseHeader], pieces: &[(usize, &[u8])]| {
        for (field, (at, bytes)) in map.iter_mut().zip(pieces) {
            (field.offset, field.numbytes) = (octal(*at), octal(bytes.len()));
        }
    };
    let content: Vec<u8> = pieces.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
    let (first, more) = pieces.split_at(pieces.len().min(4));
    let mut header = Header::new_gnu();
    header.set_path("sparse").unwrap();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.realsize = octal(realsize);
    gnu.isextended = [u8::from(!more.is_empty())];
    fill(&mut gnu.sparse, first);
    header.set_cksum();
    let mut out = header.as_bytes().to_vec();
    if !more.is_empty() {
        let mut extension = GnuExtSparseHeader::new();
        fill(&mut extension.sparse, more);
        out.extend(extension.as_bytes());
    }
    out.extend(content);
    out.resize(out.len().next_multiple_of(512), 0);
    out.extend(fixture::bytes("f next 1"));
    out
}

/// The content of every file of an archive.
fn contents(tar: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    let dir = tempfile::tempdir().unwrap();
    let layer = fixture::file(dir.path(), "L", tar);
    let read = |layout: &Layout| {
        let mut out = Stream::new(Vec::new());
        out.layout(layout).unwrap();
        out.into_inner()
    };
    let entries = index("L", &layer.slice)?;
    let content = |kind: &Kind| match kind {
        Kind::File(layout) => read(layout),
        other => panic!("{other:?}"),
    };
    Ok(entries.iter().map(|entry| content(&entry.kind)).collect())
}

#[test]
fn sparse_files_are_their_pieces_between_holes() {
    let block = [7; 512];
    for pieces in [
        &[(0, &block[..]), (4096, b"end")][..],
        &[(1024, &block), (8192, b"")], // as GNU tar ends a file that ends in a hole
        &[(0, &block), (1024, &block), (2048, &block), (3072, &block), (4096, &block), (8192, b"")],
        &[],
    ] {
        let mut whole = vec![0; 8192];
        for (at, bytes) in pieces {
            whole[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        assert_eq!(contents(&sparse(pieces, whole.len())).unwrap(), [whole, b"1".to_vec()]);
    }
}

#[test]
fn sparse_files_of_an_archive_have_no_more_than_a_pib() {
    let dir = tempfile::tempdir().unwrap();
    let read = |tar: &[u8]| {
        let read = index("L", &fixture::file(dir.path(), "L", tar).slice);
        read.map(|entries| entries.len()).map_err(|e| std::error::Error::source(&e).unwrap().to_string())
    };
    let whole = sparse(&[], 1 << 50);
    assert_eq!(read(&whole), Ok(2));
    let two = [&whole[..512], &sparse(&[], 1)].concat();
    assert_eq!(read(&two), Err("realsize is 1; at most 0 is possible".into()));
    let most = sparse(&[], usize::MAX >> 1);
    let want = "realsize is 9223372036854775807; at most 1125899906842624 is possible";
    assert_eq!(read(&most), Err(want.into()));
}

#[test]
fn pieces_that_overlap_or_lie_outside_are_refused() {
    for (pieces, at) in [
        (&[(0, &[7; 512][..]), (256, b"x")][..], 256),
        (&[(4096, b"x"), (0, b"x")], 0),
        (&[(8190, b"abc")], 8190),
        (&[(9000, b"")], 9000),
    ] {
        let error = contents(&sparse(pieces, 8192)).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(source, format!("the map of the sparse file is out of order at byte {at}"));
    }
}
