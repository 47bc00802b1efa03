//! Contents with the checksums that boot loaders check.
//!
//! ```text
//! new ─▶ begin_sha256 ─▶ crc32c ─▶ plan ─▶ write ─▶ sha256
//!             │            └ four threads             ▲
//!             └──────────── a thread of its own ──────┘
//! ```

use mkimage_formats::Layout;
use mkimage_formats::emit::{self, Sink, Stream};
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

/// Something that a boot loader loads and checks. A checksum is computed when it is first asked for,
/// here or on a clone.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Its bytes.
    pub content: Layout,
    crc32c: Arc<OnceLock<u32>>,
    sha256: Arc<Hash>,
}

impl Measured {
    /// `content`, of which nothing is known.
    #[must_use]
    pub fn new(content: Layout) -> Self {
        Measured { content, ..Measured::default() }
    }

    /// `content`, whose CRC-32C is known.
    #[must_use]
    pub fn with_crc32c(content: Layout, crc32c: u32) -> Self {
        Measured { content, crc32c: Arc::new(crc32c.into()), ..Measured::default() }
    }

    /// The content's CRC-32C (Castagnoli).
    ///
    /// # Errors
    /// It cannot be read.
    pub fn crc32c(&self) -> Result<u32, emit::Error> {
        if let Some(&known) = self.crc32c.get() {
            return Ok(known);
        }
        let crc = crc32c(&self.content)?;
        Ok(*self.crc32c.get_or_init(|| crc))
    }

    /// Starts to compute [`Measured::sha256`], if nobody did. It ends early when all clones are gone.
    pub fn begin_sha256(&self) {
        let mut progress = self.sha256.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*progress, Progress::None) {
            let (content, stop) = (self.content.clone(), self.sha256.stop.clone());
            // Without a thread, who needs it first computes it.
            if let Ok(thread) = thread::Builder::new().spawn(move || sha256(&content, &stop)) {
                *progress = Progress::Begun(thread);
            }
        }
    }

    /// The content's SHA-256; waits for it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn sha256(&self) -> Result<[u8; 32], emit::Error> {
        let mut progress = self.sha256.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let digest = match std::mem::take(&mut *progress) {
            Progress::None => sha256(&self.content, &self.sha256.stop)?,
            Progress::Begun(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic))?,
            Progress::Known(digest) => digest,
        };
        *progress = Progress::Known(digest);
        Ok(digest)
    }
}

/// A SHA-256 that may be computed at this moment.
#[derive(Debug, Default)]
struct Hash {
    progress: Mutex<Progress>,
    /// Nobody wants it anymore.
    stop: Arc<AtomicBool>,
}

#[derive(Debug, Default)]
enum Progress {
    #[default]
    None,
    Begun(JoinHandle<Result<[u8; 32], emit::Error>>),
    Known([u8; 32]),
}

impl Drop for Hash {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// A checksum of what is written.
struct Sum<'a, T> {
    sum: T,
    add: fn(&mut T, &[u8]),
    stop: &'a AtomicBool,
}

impl<T> Write for Sum<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("nobody needs the checksum anymore"));
        }
        (self.add)(&mut self.sum, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn sum<T>(content: &Layout, sum: T, add: fn(&mut T, &[u8]), stop: &AtomicBool) -> Result<T, emit::Error> {
    let mut out = Stream::new(Sum { sum, add, stop });
    out.layout(content)?;
    Ok(out.into_inner().sum)
}

fn sha256(content: &Layout, stop: &AtomicBool) -> Result<[u8; 32], emit::Error> {
    Ok(sum(content, Sha256::new(), |hash, bytes| hash.update(bytes), stop)?.finalize().into())
}

/// Parts of a content that are summed at once: more get nothing more out of memory.
const SUMMED: u64 = 4;
/// The least that is worth a thread, bytes.
const PART: u64 = 8 << 20;

/// The CRC-32C of `content`.
///
/// # Errors
/// It cannot be read.
pub(crate) fn crc32c(content: &Layout) -> Result<u32, emit::Error> {
    let part = content.len().div_ceil(SUMMED).max(PART);
    let add = |crc: &mut u32, bytes: &[u8]| *crc = ::crc32c::crc32c_append(*crc, bytes);
    thread::scope(|scope| {
        let crc = |part: Layout| sum(&part, 0, add, &AtomicBool::new(false));
        let parts: Vec<_> =
            content.chunks(part).map(|part| (part.len(), scope.spawn(move || crc(part)))).collect();
        parts.into_iter().try_fold(0, |before, (len, crc)| {
            let crc = crc.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            Ok(crc32c_combined(before, crc, len))
        })
    })
}

/// The CRC-32C of bytes that have the first one, and `len` more that have the second one.
pub(crate) fn crc32c_combined(mut first: u32, second: u32, mut len: u64) -> u32 {
    // Lengths are of the host's size, and a content may have more on a small one.
    while usize::try_from(len).is_err() {
        first = ::crc32c::crc32c_combine(first, 0, 1 << 30);
        len -= 1 << 30;
    }
    ::crc32c::crc32c_combine(first, second, usize::try_from(len).unwrap_or(0)) // fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use mkimage_formats::Content;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    #[test]
    fn a_digest_is_read_once_for_all_clones() {
        let dir = tempfile::tempdir().unwrap();
        for begin in [false, true] {
            let path = dir.path().join("abc");
            std::fs::write(&path, "abc").unwrap();
            let measured = Measured::new(Layout::file(&path).unwrap());
            if begin {
                measured.begin_sha256();
            }
            let hash = measured.clone().sha256().unwrap();
            assert_eq!(hash[..4], [0xba, 0x78, 0x16, 0xbf]); // FIPS 180-4's example
            std::fs::remove_file(&path).unwrap();
            measured.begin_sha256();
            assert_eq!(measured.sha256().unwrap(), hash);
        }
    }

    #[test]
    fn who_asks_for_a_digest_is_told_why_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gone");
        std::fs::write(&path, "abc").unwrap();
        let measured = Measured::new(Layout::file(&path).unwrap());
        std::fs::remove_file(&path).unwrap();
        measured.begin_sha256();
        for _ in 0..2 {
            let e = measured.sha256().unwrap_err();
            assert!(matches!(&e, emit::Error::Read { path: named, .. } if *named == path), "{e}");
        }
    }

    #[test]
    fn a_digest_that_nobody_needs_anymore_is_given_up() {
        let measured = Measured::new(Layout::hole(u64::MAX)); // of many years
        measured.begin_sha256();
        let clone = measured.clone();
        drop(measured);
        let running = Arc::downgrade(&clone.sha256.stop);
        assert!(!clone.sha256.stop.load(Ordering::Relaxed));
        drop(clone);
        let start = Instant::now();
        while running.upgrade().is_some() {
            assert!(start.elapsed() < Duration::from_secs(60), "it goes on");
            thread::yield_now();
        }
    }

    #[test]
    fn the_checksum_is_castagnolis() {
        // RFC 3720 B.4: 32 bytes of zeros.
        let mut zeros = Layout::from(vec![0; 10]);
        zeros.push(Content::Hole(22));
        assert_eq!(Measured::new(zeros).crc32c().unwrap(), 0x8a91_36aa);
        assert_eq!(Measured::default().crc32c().unwrap(), 0);
        assert_eq!(Measured::with_crc32c(vec![1].into(), 7).crc32c().unwrap(), 7);
    }

    proptest! {
        #[test]
        fn checksums_are_put_together(bytes: Vec<u8>, at: prop::sample::Index) {
            let (a, b) = bytes.split_at(at.index(bytes.len() + 1));
            let whole = crc32c_combined(::crc32c::crc32c(a), ::crc32c::crc32c(b), b.len() as u64);
            prop_assert_eq!(whole, ::crc32c::crc32c(&bytes));
        }
    }

    #[test]
    fn a_checksum_is_that_of_all_parts() {
        let byte = |n: u32| (n ^ (n >> 11)).to_le_bytes()[0];
        let bytes: Vec<u8> = (0..(33 << 20) + 5).map(byte).collect();
        let whole = ::crc32c::crc32c(&bytes);
        assert_eq!(crc32c(&bytes.into()).unwrap(), whole);
    }
}
