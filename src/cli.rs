//! The command line: arguments in, exit code out. One file for each verb.

pub mod arguments;
mod build;
mod cache;
mod error;
mod flags;
mod interrupt;
mod media;
mod report;

use crate::output::Topic;
use arguments::with_double_dashes;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use error::CliError;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Bootable media from LinuxKit YAML: no Docker, no root, no other program.
#[derive(Debug, Parser)]
#[command(name = "mkimage", version, max_term_width = 100, subcommand_required = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

impl Cli {
    fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut cli = Cli::from_arg_matches(matches)?;
        if let Some(("build" | "media", verb)) = matches.subcommand() {
            cli.global.given = flags::given(verb);
        }
        Ok(cli)
    }
}

/// What every verb takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Folder of the image cache [default: MKIMAGE_CACHE, LINUXKIT_CACHE, then the system's cache folder]
    #[arg(long, global = true, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Ask this server before a registry (repeatable) [default: those in LINUXKIT_MIRROR]
    #[arg(long, global = true, value_name = "[REGISTRY=]URL")]
    mirror: Vec<String>,
    /// One more certificate authority for registries, PEM
    #[arg(long, global = true, value_name = "FILE")]
    cert_file: Option<PathBuf>,
    /// Say nothing but errors and warnings
    #[arg(short, long, global = true)]
    quiet: bool,
    /// How much to say: 0 is --quiet, any other number changes nothing
    #[arg(short, long, global = true, value_name = "N", default_value_t = 1, value_parser = flags::number(0..=u8::MAX))]
    verbose: u8,
    /// Flags that are not for all formats.
    #[arg(skip)]
    given: Vec<(&'static str, Topic)>,
}

impl Global {
    /// Nothing but errors is to be said.
    fn is_quiet(&self) -> bool {
        self.quiet || self.verbose == 0
    }

    /// This flag, which is not for all formats, was given.
    fn has(&self, flag: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == flag)
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    Build(build::Build),
    Cache(cache::Cache),
    Media(media::Media),
}

/// Runs the command that `args` (the program's name first) say, and reports its errors.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = Cli::command();
    let args = with_double_dashes(&command, args);
    let cli = match command.try_get_matches_from(args).and_then(|m| Cli::of(&m)) {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are no errors; neither is a reader that has gone away.
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { 1 } else { 0 });
        }
    };
    if let Err(e) = interrupt::handle() {
        report::doubt(&e);
    }
    let done = match cli.verb {
        Verb::Build(build) => build.run(&cli.global),
        Verb::Cache(cache) => cache.run(&cli.global),
        Verb::Media(media) => media.run(&cli.global),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprint!("{}", report::text(&e, e.hint()));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
