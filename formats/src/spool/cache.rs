//! What earlier builds compressed.
//!
//! ```text
//! folder    vmdk.1.HEX   squashfs-zstd.1.HEX   squashfs-zstd.1.HEX   ...
//!                              │ entries             │ entries
//!                              ╰─────────┬───────────╯
//! unit ─ SHA-256 ─▶ key ─▶ in one of them: its packed bytes, verified ─▶ a slice of the output
//!                       ─▶ in none: compressed, and in the file that this build adds
//! ```
//! A build reads the entries of the files that its own codec made, the ones that were used last first,
//! as many as it has memory for. A unit's packed bytes are read and compared with their checksum when
//! they are found; what is damaged or gone is not found. A damaged file is replaced by who makes the
//! same one, or goes when it was not used for long.
//!
//! So that a chain of small changes does not leave an output in a hundred files, a build takes bytes
//! from a few of them at most, and copies what it uses of others into its own.
//!
//! Whoever removes files here must know that no output is on its way that takes bytes of them.

use super::file::{self, Entries, Entry, Key};
use crate::layout::Source;
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Raised whenever a codec makes other bytes of the same unit than before (another level, another
/// version of a crate that compresses), or the files have another form: a test pins the bytes of all.
const FORMAT: u32 = 1;

/// Units that a build knows of, and that it adds: 14 MiB of memory at most for each. They are 32 GiB
/// of SquashFS, or 16 GiB of grains.
pub(super) const MAX_ENTRIES: usize = 1 << 18;

/// A folder of files with compressed units. It is made when it is first needed.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    used: fn(&Path),
    packed: Arc<AtomicU64>,
}

impl Cache {
    /// The cache in `folder`. `used` is told of each file that an output takes bytes of.
    pub fn new(folder: impl Into<PathBuf>, used: fn(&Path)) -> Self {
        Cache { folder: folder.into(), used, packed: Arc::default() }
    }

    /// How many units were compressed since this was made, here or on a clone, because no file had
    /// them.
    #[must_use]
    pub fn packed(&self) -> u64 {
        self.packed.load(Ordering::Relaxed)
    }

    pub(super) fn count_packed(&self) {
        self.packed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn used(&self, path: &Path) {
        (self.used)(path);
    }

    /// Makes the folder.
    pub(super) fn create(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)
    }

    /// Where a file belongs whose entries have this digest.
    pub(super) fn path(&self, codec: &str, digest: [u8; 32]) -> PathBuf {
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(prefix(codec) + &hex)
    }

    /// What is known of units that `codec` packed. A folder that cannot be read has none.
    pub(super) fn open(&self, codec: &'static str) -> Known {
        let mut known = Known {
            hash: Sha256::new_with_prefix(format!("mkimage unit {FORMAT} {codec}\n")),
            files: Vec::new(),
            entries: Vec::new(),
        };
        for path in files(&self.folder, &prefix(codec)) {
            match file::entries(&path, MAX_ENTRIES - known.entries.len()) {
                Ok(Entries::Are(entries)) => known.add(path, entries),
                // It stays: by now another build may have made it anew under this name, whose output
                // has bytes of it.
                Ok(Entries::Damaged | Entries::TooMany) | Err(_) => {}
            }
        }
        known.entries.sort_unstable();
        known
    }
}

fn prefix(codec: &str) -> String {
    format!("{codec}.{FORMAT}.")
}

/// Files of a folder whose names have this prefix, the last used first.
fn files(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    let mut files: Vec<_> =
        ours.filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path()))).collect();
    files.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    files.into_iter().map(|(_, path)| path).collect()
}

/// The units of all files that were read.
pub(super) struct Known {
    /// Has what all keys begin with.
    hash: Sha256,
    files: Vec<Arc<Source>>,
    /// Ascending, each with the number of its file.
    entries: Vec<(Entry, usize)>,
}

impl Known {
    fn add(&mut self, path: PathBuf, entries: Vec<Entry>) {
        let Ok(source) = Source::new(path) else { return };
        let file = self.files.len();
        self.files.push(source);
        self.entries.reserve_exact(entries.len());
        self.entries.extend(entries.into_iter().map(|entry| (entry, file)));
    }

    pub(super) fn key(&self, unit: &[u8]) -> Key {
        self.hash.clone().chain_update(unit).finalize().into()
    }

    /// The numbers of the entries with this key: of several, one may be damaged.
    pub(super) fn find(&self, key: &Key) -> impl Iterator<Item = usize> {
        let first = self.entries.partition_point(|(entry, _)| entry.key < *key);
        (first..self.entries.len()).take_while(move |n| self.entries[*n].0.key == *key)
    }

    /// An entry by its number, and its file.
    pub(super) fn entry(&self, n: usize) -> (Entry, &Arc<Source>) {
        let (entry, file) = self.entries[n];
        (entry, &self.files[file])
    }
}
