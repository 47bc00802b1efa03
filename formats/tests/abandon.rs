//! What is left when a process is told to end. The only test in its process, which cannot write
//! anything afterwards.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use mkimage_formats::emit::{Partial, Sink, Unfinished, abandon_all, emit, partial_name};
use std::fs;

#[test]
fn what_is_not_complete_goes_and_what_is_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (before, done, folder) = (dir.path().join("before"), dir.path().join("done"), dir.path().join("f"));
    fs::write(&before, "before").unwrap();
    emit(&b"done".to_vec().into(), &done).unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("file"), "x").unwrap();
    let _folder = Unfinished::new(&folder);
    drop(Unfinished::new(&done));
    let mut partial = Partial::create(&before).unwrap();
    partial.bytes(b"half").unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
    abandon_all();
    assert!(!folder.exists());
    // On Windows a file may stay until nobody has it open: until the process has ended.
    assert!(cfg!(windows) || !partial_name(&before).exists());
    assert_eq!((fs::read(before).unwrap(), fs::read(done).unwrap()), (b"before".to_vec(), b"done".to_vec()));
    // Dropping them would wait for the end of the process.
    std::mem::forget((partial, _folder));
}
