//! Work that several threads do, and whose results come back in the order of the work.
//!
//! ```text
//! submit ─▶ job ─▶ ┌ thread ┐ ─▶ result ─▶ next
//!           job ─▶ │ thread │ ─▶ result      in the order in which jobs were submitted
//!           ...    └   ...  ┘    ...
//! ```
//!
//! Who has a pool cuts the work by what is in it, and not by who is free: no byte of an output
//! depends on the number of threads.

use std::collections::VecDeque;
use std::num::NonZero;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Bytes that blocks may take together, before and after.
const MEMORY: usize = 32 << 20;
/// Threads of a pool. More than any machine keeps busy here end in one that the system refuses.
const MAX_THREADS: usize = 256;

/// Jobs with blocks of `block` bytes that may be on their way: enough to keep all threads busy,
/// within bounds.
fn limit(threads: NonZero<usize>, block: usize) -> usize {
    (MEMORY / (2 * block)).clamp(2, threads.get().saturating_mul(4).max(2))
}

/// Gives `feed` a pool of `threads` threads. Each has a worker of its own, which can keep files
/// open. A job holds up to `block` bytes, and so does its result.
pub(crate) fn scope<J: Send, R: Send, W: FnMut(J) -> R, T>(
    threads: NonZero<usize>,
    block: usize,
    worker: impl Fn() -> W + Sync,
    feed: impl FnOnce(Pool<J, R>) -> T,
) -> T {
    let limit = limit(threads, block);
    let (jobs, queue) = mpsc::channel();
    let queue = Mutex::new(queue);
    thread::scope(|scope| {
        for _ in 0..threads.get().min(limit).min(MAX_THREADS) {
            scope.spawn(|| work(&queue, worker()));
        }
        feed(Pool { jobs, limit, pending: VecDeque::new() })
        // The pool and its end of the queue go away there, and then the threads.
    })
}

/// Takes jobs from the queue until nobody can put any there.
fn work<J, R>(queue: &Mutex<Receiver<(J, SyncSender<R>)>>, mut worker: impl FnMut(J) -> R) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((job, done)) = next else { return };
        // Nobody waits for it if something else failed.
        let _ = done.send(worker(job));
    }
}

/// Jobs on their way.
pub(crate) struct Pool<J, R> {
    jobs: Sender<(J, SyncSender<R>)>,
    /// How many there may be.
    limit: usize,
    pending: VecDeque<Receiver<R>>,
}

impl<J, R> Pool<J, R> {
    /// Hands in a job. If as many as there may be are on their way, the result of the first of them
    /// is waited for and returned.
    pub(crate) fn submit(&mut self, job: J) -> Option<R> {
        let first = if self.pending.len() == self.limit { self.next() } else { None };
        let (done, result) = mpsc::sync_channel(1);
        self.jobs.send((job, done)).expect("the queue is there as long as its threads");
        self.pending.push_back(result);
        first
    }

    /// The result that is next. None: all have been returned.
    pub(crate) fn next(&mut self) -> Option<R> {
        let result = self.pending.pop_front()?;
        Some(result.recv().expect("a thread ends early only by a panic, which goes on here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn threads(n: usize) -> NonZero<usize> {
        NonZero::new(n).unwrap()
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        for n in [1, 2, 7] {
            // The earlier a job is, the longer it takes.
            let worker = || {
                |job: u64| {
                    thread::sleep(Duration::from_micros(100 * (40 - job)));
                    job
                }
            };
            let results = scope(threads(n), 1, worker, |mut pool| {
                let mut results: Vec<_> = (0..40).filter_map(|job| pool.submit(job)).collect();
                results.extend(std::iter::from_fn(|| pool.next()));
                results
            });
            assert_eq!(results, Vec::from_iter(0..40), "{n} threads");
        }
    }

    #[test]
    fn who_stops_early_waits_for_nothing_that_is_not_on_its_way() {
        let first = scope(
            threads(2),
            1,
            || |job: u32| job,
            |mut pool| (0..1000).find_map(|job| pool.submit(job).map(|result| (job, result))),
        );
        assert_eq!(first, Some((8, 0)));
    }

    #[test]
    fn threads_are_as_many_as_a_machine_has() {
        let workers = std::sync::atomic::AtomicUsize::new(0);
        let worker = || {
            workers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            |job: u32| job
        };
        scope(threads(2000), 1, worker, |_| ());
        assert_eq!(workers.into_inner(), MAX_THREADS);
    }

    #[test]
    fn large_blocks_are_few() {
        assert_eq!(limit(threads(1), 64 << 10), 4);
        assert_eq!(limit(threads(16), 64 << 10), 64);
        assert_eq!(limit(threads(16), 2 << 20), 8);
        assert_eq!(limit(threads(16), 64 << 20), 2);
    }
}
