//! Ctrl-C, and being told to end: what is unfinished goes, and then the process.

use mkimage_formats::emit::abandon_all;
use std::process;

/// From now on, no unfinished output and no temporary folder outlives this process when it is
/// interrupted or told to end. It exits as shells report such an end: 130 and 143.
#[cfg(unix)]
pub(super) fn handle() -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    // Not SIGHUP: `nohup` has it ignored, and a handler would undo that.
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            abandon_all();
            process::exit(128 + signal);
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(wait).map(drop)
}

/// The same. Windows does not tell apart what ended a process, and has no number for it.
#[cfg(windows)]
pub(super) fn handle() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        abandon_all();
        process::exit(1);
    })
}
