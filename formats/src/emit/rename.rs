//! Giving a file its name, on Windows too.

use std::fs;
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// How often Windows is asked again, and after how long.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(10);
/// \[WIN\] Microsoft, *System Error Codes*: `ERROR_ACCESS_DENIED`, `ERROR_SHARING_VIOLATION`.
const IN_USE: [i32; 2] = [5, 32];

/// Gives the file at `from` the name `to`, in place of what has it.
///
/// On Windows, whoever has one of the two open may be in the way: another build that reads it, or
/// a program that looks for viruses in whatever is new. Those are waited for, up to a second.
///
/// # Errors
/// As [`fs::rename`].
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let in_use = |e: &io::Error| cfg!(windows) && e.raw_os_error().is_some_and(|code| IN_USE.contains(&code));
    for _ in 0..TRIES {
        match fs::rename(from, to) {
            Err(e) if in_use(&e) => sleep(PAUSE),
            done => return done,
        }
    }
    fs::rename(from, to)
}

#[test]
fn a_file_replaces_one_that_others_have_open_now_and_then() {
    let dir = tempfile::tempdir().unwrap();
    let (partial, path) = (dir.path().join("partial"), dir.path().join("file"));
    fs::write(&path, "0").unwrap();
    let (path, end) = (&path, std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !end.load(std::sync::atomic::Ordering::Relaxed) {
                // Windows may refuse it at the moment of the change.
                let _ = fs::read(path);
            }
        });
        for n in 1..=20 {
            fs::write(&partial, n.to_string()).unwrap();
            rename(&partial, path).unwrap();
        }
        end.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(fs::read(path).unwrap(), b"20");
    assert!(!partial.exists());
}
