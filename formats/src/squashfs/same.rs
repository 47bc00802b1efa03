//! Files of the same content.

use super::error::Error;
use crate::emit::{self, Sink, Stream};
use crate::layout::{Content, Layout};
use crate::pool;
use crate::sum::Sum;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::num::NonZero;

/// Bytes that a thread reads at a time.
const BUFFER: usize = 256 << 10;

/// For each of `files`, the first that has the same content. Reads only those that have the length
/// of another, and no holes: of those with holes, the same layout is the same content.
pub(super) fn first_of_each(files: &[&Layout], threads: NonZero<usize>) -> Result<Vec<usize>, Error> {
    let mut first: Vec<usize> = (0..files.len()).collect();
    let mut by_len = first.clone();
    by_len.sort_by_key(|&n| files[n].len());
    let mut candidates = Vec::new();
    for group in by_len.chunk_by(|&a, &b| files[a].len() == files[b].len()).filter(|group| group.len() > 1) {
        let mut layouts = HashMap::new();
        for &n in group {
            first[n] = *layouts.entry(files[n]).or_insert(n);
        }
        let holes = |n: usize| files[n].extents().iter().any(|c| matches!(c, Content::Hole(_)));
        let distinct: Vec<usize> = group.iter().copied().filter(|&n| first[n] == n && !holes(n)).collect();
        if distinct.len() > 1 {
            candidates.extend(distinct);
        }
    }
    // In the order of the tree, which often is that on the disk.
    candidates.sort_unstable();
    let mut digests = HashMap::new();
    for (n, digest) in digests_of(files, &candidates, threads)? {
        first[n] = *digests.entry(digest).or_insert(n);
    }
    for n in 0..first.len() {
        first[n] = first[first[n]];
    }
    Ok(first)
}

/// What the content of a file is known by.
type Known = [u8; 32];

/// The digests of the `candidates` among `files`.
fn digests_of(
    files: &[&Layout],
    candidates: &[usize],
    threads: NonZero<usize>,
) -> Result<Vec<(usize, Known)>, emit::Error> {
    let worker = || {
        let mut stream = Stream::new(Sum(Sha256::new()));
        move |n: usize| {
            stream.layout(files[n])?;
            Ok((n, stream.get_mut().0.finalize_reset().into()))
        }
    };
    pool::scope(threads, BUFFER, worker, |mut pool| {
        let mut digests = Vec::with_capacity(candidates.len());
        for &n in candidates {
            digests.extend(pool.submit(n).transpose()?);
        }
        while let Some(digest) = pool.next() {
            digests.push(digest?);
        }
        Ok(digests)
    })
}
