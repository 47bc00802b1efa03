//! What the user sees while images are fetched and unpacked.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Read};
use std::sync::Mutex;

/// How progress is shown: on standard error, never among the data on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// Bars on a terminal, lines elsewhere.
    #[default]
    Auto,
    /// A line when something begins and ends, as for a log.
    Lines,
    /// Nothing.
    Quiet,
}

/// The screen that all tasks share.
#[derive(Debug)]
pub(crate) struct Screen {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Bars(MultiProgress),
    Lines(Mutex<()>),
    Quiet,
}

impl Screen {
    pub(crate) fn new(progress: Progress) -> Self {
        let kind = match progress {
            Progress::Auto if std::io::stderr().is_terminal() => {
                Kind::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stderr()))
            }
            Progress::Auto | Progress::Lines => Kind::Lines(Mutex::new(())),
            Progress::Quiet => Kind::Quiet,
        };
        Screen { kind }
    }

    /// Tells something that is worth a line.
    pub(crate) fn say(&self, line: &str) {
        match &self.kind {
            // A terminal that is gone is no reason to stop.
            Kind::Bars(bars) => drop(bars.println(line)),
            Kind::Lines(lock) => {
                let _lock = lock.lock();
                eprintln!("{line}");
            }
            Kind::Quiet => {}
        }
    }

    /// Starts something that takes `total` bytes.
    pub(crate) fn task(&self, what: &str, name: &str, total: u64) -> Task {
        let bar = match &self.kind {
            Kind::Bars(bars) => bars.add(ProgressBar::new(total).with_style(style())),
            Kind::Lines(_) => {
                self.say(&format!("{what} {name} ({})", indicatif::BinaryBytes(total)));
                ProgressBar::hidden()
            }
            Kind::Quiet => ProgressBar::hidden(),
        };
        bar.set_message(format!("{what} {name}"));
        Task { bar }
    }
}

fn style() -> ProgressStyle {
    let template = "{msg:40!} {bar:24} {binary_bytes:>10}/{binary_total_bytes:10} {binary_bytes_per_sec}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Something under way; its bar goes when it is dropped.
#[derive(Debug)]
pub(crate) struct Task {
    bar: ProgressBar,
}

impl Task {
    /// `bytes` are done, whatever was said before.
    pub(crate) fn set(&self, bytes: u64) {
        self.bar.set_position(bytes);
    }

    /// A reader whose bytes count.
    pub(crate) fn reading<R: Read>(&self, reader: R) -> impl Read + use<R> {
        self.bar.wrap_read(reader)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
