//! Flags as LinuxKit's command lines have them: `mkimage build -format iso-bios -pull=true demo.yml`.
//!
//! Its first one took long flags with one dash, as its articles show them, and the library that it
//! has gives those that are on or off a value.

use clap::{Arg, ArgAction, Command};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

/// Gives every argument that is a long flag but for one of its dashes (`-format`, `-format=tar`) the
/// second dash, also where `command` and its verbs have no such flag, but no short one either that
/// it could be. `--pull=true` becomes `--pull`, and `--pull=false` nothing. Arguments after `--` stay,
/// and so do values that may begin with a dash.
pub fn with_double_dashes(command: &Command, args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut flags = Flags::default();
    flags.collect(command);
    let (mut verbatim, mut is_value) = (false, false);
    let fixed = args.into_iter().filter_map(|arg| {
        verbatim |= arg == "--" && !is_value;
        if verbatim || std::mem::take(&mut is_value) {
            return Some(arg);
        }
        let Some((name, value)) = arg.to_str().and_then(|text| flags.parts(text)) else { return Some(arg) };
        match (flags.long.get(name), value) {
            (Some(Kind::Switch), Some("false")) => return None,
            (Some(Kind::Switch), Some("true")) => return Some(format!("--{name}").into()),
            (Some(Kind::AnyValue), None) => is_value = true,
            _ => {}
        }
        Some(match value {
            Some(value) => format!("--{name}={value}").into(),
            None => format!("--{name}").into(),
        })
    });
    fixed.collect()
}

/// What follows a long flag.
#[derive(Clone, Copy)]
enum Kind {
    Switch,
    Value,
    /// A value that may begin with a dash.
    AnyValue,
}

/// The flags of a command and of all its verbs.
#[derive(Default)]
struct Flags {
    long: BTreeMap<String, Kind>,
    short: BTreeSet<char>,
}

impl Flags {
    fn collect(&mut self, command: &Command) {
        // Not among the arguments before they are parsed.
        self.long.extend(["help", "version"].map(|name| (name.to_owned(), Kind::Switch)));
        self.short.extend(['h', 'V']);
        for arg in command.get_arguments() {
            let names = arg.get_long_and_visible_aliases().into_iter().flatten();
            self.long.extend(names.map(|name| (name.to_owned(), Kind::of(arg))));
            self.short.extend(arg.get_short_and_visible_aliases().into_iter().flatten());
        }
        command.get_subcommands().for_each(|verb| self.collect(verb));
    }

    /// Name and value of a long flag, whether it has one dash or two.
    fn parts<'a>(&self, text: &'a str) -> Option<(&'a str, Option<&'a str>)> {
        let split = |text: &'a str| match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if let Some(rest) = text.strip_prefix("--") {
            return Some(split(rest));
        }
        let (name, value) = split(text.strip_prefix('-')?);
        let first = name.chars().next().filter(char::is_ascii_lowercase)?;
        let is_word = name.len() > 1 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        (is_word && (self.long.contains_key(name) || !self.short.contains(&first))).then_some((name, value))
    }
}

impl Kind {
    fn of(arg: &Arg) -> Self {
        match arg.get_action() {
            ArgAction::Set | ArgAction::Append if arg.is_allow_hyphen_values_set() => Kind::AnyValue,
            ArgAction::Set | ArgAction::Append => Kind::Value,
            _ => Kind::Switch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(args: &[&str]) -> Vec<OsString> {
        let switch = Arg::new("pull").long("pull").action(ArgAction::SetTrue);
        let format = Arg::new("format").long("format").short('f');
        let cmdline = Arg::new("cmdline").long("cmdline").allow_hyphen_values(true);
        let verb = Command::new("build").args([switch, format, cmdline]);
        let command = Command::new("mkimage").subcommand(verb);
        with_double_dashes(&command, args.iter().map(OsString::from))
    }

    #[test]
    fn long_flags_gain_a_dash_and_short_ones_do_not() {
        let args = ["mkimage", "build", "-format", "iso", "-format=tar", "-f", "-fiso", "--", "-format"];
        let want = ["mkimage", "build", "--format", "iso", "--format=tar", "-f", "-fiso", "--", "-format"];
        assert_eq!(fixed(&args), want);
        assert_eq!(
            fixed(&["-help", "-h", "-", "-10", "-pul", "-name=x"]),
            ["--help", "-h", "-", "-10", "--pul", "--name=x"]
        );
    }

    #[test]
    fn what_is_on_or_off_may_have_a_value() {
        assert_eq!(fixed(&["-pull=true", "--pull=false", "a"]), ["--pull", "a"]);
        assert_eq!(fixed(&["--pull=maybe", "-format=true"]), ["--pull=maybe", "--format=true"]);
    }

    #[test]
    fn values_that_may_begin_with_a_dash_stay() {
        assert_eq!(fixed(&["-cmdline", "-pull", "-pull"]), ["--cmdline", "-pull", "--pull"]);
        assert_eq!(
            fixed(&["--cmdline=-pull", "--cmdline", "--", "-pull"]),
            ["--cmdline=-pull", "--cmdline", "--", "--pull"]
        );
    }
}
