use super::super::{Reader, Stream, emit};
use super::*;
use crate::layout::{Content, Layout};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

#[test]
fn a_file_and_a_stream_get_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("input");
    let data: Vec<u8> = (0..600_000u32).map(|n| n.to_le_bytes()[0]).collect();
    std::fs::write(&input, &data).unwrap();
    let whole = Layout::file(&input).unwrap();
    let mut l = Layout::from(b"head".to_vec());
    l.append(whole.window(1, 500_000)); // copied in the kernel
    l.append(whole.window(7, 9)); // through the buffer
    l.push(Content::Hole(100));
    l.push(Content::Hole(200_000));
    l.push(b"tail".to_vec());
    l.push(Content::Hole(300_000)); // only a length at the end

    let out = dir.path().join("out");
    emit(&l, &out).unwrap();
    let mut stream = Stream::new(Vec::new());
    stream.layout(&l).unwrap();
    let file = std::fs::read(&out).unwrap();
    assert_eq!(file.len() as u64, l.len());
    assert!(file == stream.into_inner());
    assert_eq!(&file[4..504], &data[1..501]);
    assert!(!partial_name(&out).exists());
}

#[test]
fn large_slices_are_written_piece_by_piece() {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (dir.path().join("input"), dir.path().join("out"));
    let len = usize::try_from(2 * PIECE).unwrap() + 9;
    let data: Vec<u8> = (0..len).map(|n| (n ^ (n >> 8) ^ (n >> 16)).to_le_bytes()[0]).collect();
    std::fs::write(&input, &data).unwrap();
    let l = Layout::file(&input).unwrap();
    let mut shifted = Layout::from(vec![1]);
    shifted.append(l.window(1, l.len() - 1));
    emit(&shifted, &out).unwrap();
    let written = std::fs::read(&out).unwrap();
    assert!(written[0] == 1 && written[1..] == data[1..]);
    std::fs::write(&input, &data[..len - 9]).unwrap();
    let e = emit(&l, &out).unwrap_err();
    assert!(matches!(e, Error::Changed { found, .. } if found == 2 * PIECE), "{e}");
}

#[test]
fn what_is_known_late_does_not_keep_an_output_waiting() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let (known, told) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicU8::new(0)));
    let (value, count) = (known.clone(), told.clone());
    let late = Late::new(3, move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok(vec![value.load(Ordering::Relaxed); 3])
    });
    let mut l = Layout::from(b"head".to_vec());
    l.push(late.clone());
    l.push(b"tail".to_vec());
    let mut partial = Partial::create(&out).unwrap();
    partial.layout(&l.window(1, 5)).unwrap();
    partial.layout(&l.window(6, 5)).unwrap();
    known.store(b'x', Ordering::Relaxed);
    partial.commit().unwrap();
    assert_eq!(std::fs::read(&out).unwrap(), b"eadxxxtail");
    // Once it is known, it is computed for nobody again.
    let mut stream = Stream::new(Vec::new());
    stream.layout(&l).unwrap();
    assert_eq!(stream.into_inner(), b"headxxxtail");
    assert_eq!(Reader::default().read(&l).unwrap(), b"headxxxtail");
    emit(&l, &out).unwrap();
    assert_eq!(std::fs::read(&out).unwrap(), b"headxxxtail");
    assert_eq!(told.load(Ordering::Relaxed), 1);
}

#[test]
fn an_output_is_not_made_without_what_is_known_late() {
    let dir = tempfile::tempdir().unwrap();
    let (gone, out) = (dir.path().join("gone"), dir.path().join("out"));
    std::fs::write(&gone, "x").unwrap();
    let input = Layout::file(&gone).unwrap();
    std::fs::remove_file(&gone).unwrap();
    let e = emit(&Late::new(1, move || Reader::default().read(&input)).into(), &out).unwrap_err();
    assert!(matches!(e, Error::Read { path, .. } if path == gone));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn an_output_that_fails_leaves_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (dir.path().join("input"), dir.path().join("out"));
    std::fs::write(&input, [1; 10]).unwrap();
    std::fs::write(&out, "before").unwrap();
    let l = Layout::file(&input).unwrap();
    std::fs::write(&input, [1; 4]).unwrap();
    let e = emit(&l, &out).unwrap_err();
    assert!(matches!(e, Error::Changed { expected: 10, found: 4, .. }), "{e}");
    assert_eq!(std::fs::read(&out).unwrap(), b"before");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn an_output_is_written_by_one_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let mut first = Partial::create(&out).unwrap();
    first.bytes(b"first").unwrap();
    let e = emit(&b"another".to_vec().into(), &out).unwrap_err();
    assert_eq!(e.to_string(), format!("`{}` is being written already", out.display()));
    first.complete().unwrap();
    assert!(matches!(Partial::create(&out), Err(Error::InUse { .. })), "it has not its name yet");
    first.rename().unwrap();
    assert_eq!(std::fs::read(&out).unwrap(), b"first");
    drop(Partial::create(&out).unwrap());
    emit(&b"2".to_vec().into(), &out).unwrap();
    assert_eq!(std::fs::read(&out).unwrap(), b"2");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn what_was_left_behind_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    std::fs::write(partial_name(&out), "left by a process that was killed").unwrap();
    emit(&b"short".to_vec().into(), &out).unwrap();
    assert_eq!(std::fs::read(&out).unwrap(), b"short");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn an_output_is_whole_however_many_want_to_write_it() {
    let dir = tempfile::tempdir().unwrap();
    let out = &dir.path().join("out");
    let done = AtomicU8::new(0);
    std::thread::scope(|scope| {
        for byte in 1..=4_u8 {
            let done = &done;
            scope.spawn(move || {
                let content = Layout::from(vec![byte; usize::from(byte) * 100]);
                for _ in 0..200 {
                    match emit(&content, out) {
                        Ok(()) => drop(done.fetch_or(1 << byte, Ordering::Relaxed)),
                        // Windows may refuse to replace what so many read.
                        Err(Error::Write { .. }) if cfg!(windows) => {}
                        Err(e) => assert!(matches!(e, Error::InUse { .. }), "{e:?}"),
                    }
                    // Somebody's, and all of it.
                    if let Ok(found) = std::fs::read(out) {
                        assert_eq!(found, vec![found[0]; usize::from(found[0]) * 100]);
                    }
                }
            });
        }
    });
    assert_ne!(done.into_inner(), 0);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn devices_and_folders_stay() {
    let dir = tempfile::tempdir().unwrap();
    for path in [Path::new("/dev/null"), dir.path()] {
        let e = emit(&b"x".to_vec().into(), path).unwrap_err();
        assert!(matches!(e, Error::NotAFile { .. }), "{e}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_an_output_stays_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let (target, link) = (dir.path().join("target"), dir.path().join("link"));
    std::fs::write(&target, "before").unwrap();
    std::os::unix::fs::symlink("target", &link).unwrap();
    emit(&b"after".to_vec().into(), &link).unwrap();
    assert_eq!(std::fs::read(&target).unwrap(), b"after");
    assert!(link.symlink_metadata().unwrap().is_symlink());
    std::fs::remove_file(&target).unwrap();
    emit(&b"after".to_vec().into(), &link).unwrap();
    assert_eq!(std::fs::read(&link).unwrap(), b"after");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn an_error_says_which_of_the_two_files_it_is_of() {
    let dir = tempfile::tempdir().unwrap();
    let (input, sealed) = (dir.path().join("input"), dir.path().join("sealed"));
    std::fs::write(&sealed, "").unwrap();
    let len = SMALL_SLICE + 7;
    for slice in [len, SMALL_SLICE - 7] {
        std::fs::write(&input, vec![1; usize::try_from(len).unwrap()]).unwrap();
        let layout = Layout::file(&input).unwrap().window(3, slice - 3);
        let write = |file: File| {
            let mut partial = Partial::create(dir.path().join("out")).unwrap();
            partial.out = Some(BufWriter::with_capacity(64, file));
            partial.layout(&layout).unwrap_err()
        };
        let read_only = File::open(&sealed).unwrap();
        let full = cfg!(target_os = "linux").then(|| File::create("/dev/full").unwrap());
        for file in full.into_iter().chain([read_only]) {
            let e = write(file);
            assert!(matches!(&e, Error::Write { path, .. } if path.ends_with("out")), "{e}");
        }

        // A folder has no bytes.
        std::fs::remove_file(&input).unwrap();
        std::fs::create_dir(&input).unwrap();
        let e = write(File::create(dir.path().join("elsewhere")).unwrap());
        assert!(matches!(&e, Error::Read { path, .. } if *path == input), "{e}");
        std::fs::remove_dir(&input).unwrap();
    }
}

/// A process has nothing at address 0.
#[cfg(target_os = "linux")]
#[test]
fn a_medium_that_fails_at_one_place_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let memory = crate::layout::Source::new("/proc/self/mem").unwrap();
    for len in [9, SMALL_SLICE] {
        let slice = Slice { source: memory.clone(), at: 0, len };
        let e = emit(&Content::Slice(slice).into(), dir.path().join("out")).unwrap_err();
        assert!(matches!(&e, Error::Read { path, .. } if path.ends_with("mem")), "{e}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}
