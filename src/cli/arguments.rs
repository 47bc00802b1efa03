//! Long flags with one dash, as LinuxKit's first command line took them and as its articles
//! show them: `mkimage build -format iso-bios -name demo demo.yml`.

use std::collections::BTreeSet;
use std::ffi::OsString;

/// Gives every argument that is a long flag of `command` or of its verbs but for one of its
/// dashes (`-format`, `-format=tar`) the second dash. Arguments after `--` stay.
pub fn with_double_dashes(
    command: &clap::Command,
    args: impl IntoIterator<Item = OsString>,
) -> Vec<OsString> {
    let mut flags = BTreeSet::from(["help".to_owned(), "version".to_owned()]);
    collect(command, &mut flags);
    let mut verbatim = false;
    let fixed = args.into_iter().map(|arg| {
        verbatim |= arg == "--";
        let name = arg.to_str().and_then(|a| a.strip_prefix('-')).and_then(|a| a.split('=').next());
        match name {
            // One letter is a short flag.
            Some(name) if !verbatim && name.len() > 1 && flags.contains(name) => {
                let mut double = OsString::from("-");
                double.push(&arg);
                double
            }
            _ => arg,
        }
    });
    fixed.collect()
}

/// The long flags of `command` and of all its verbs.
fn collect(command: &clap::Command, flags: &mut BTreeSet<String>) {
    for arg in command.get_arguments() {
        flags.extend(arg.get_long_and_visible_aliases().into_iter().flatten().map(str::to_owned));
    }
    command.get_subcommands().for_each(|verb| collect(verb, flags));
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, Command};

    #[test]
    fn only_long_flags_that_exist_gain_a_dash() {
        let verb = Command::new("build").arg(Arg::new("format").long("format").short('f'));
        let command = Command::new("mkimage").subcommand(verb);
        let args = ["mkimage", "build", "-format", "iso", "-format=tar", "-f", "-fiso", "--", "-format"];
        let want = ["mkimage", "build", "--format", "iso", "--format=tar", "-f", "-fiso", "--", "-format"];
        let got = with_double_dashes(&command, args.map(OsString::from));
        assert_eq!(got, want);
    }
}
