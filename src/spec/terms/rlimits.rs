//! `name,soft,hard`: resource limits of a process.

use super::error::{ContainerProblem, at};
use crate::spec::{ContainerConfig, Error, Located, nearest};

/// The limits that Linux has, without `RLIMIT_`.
const KNOWN: [&str; 16] = [
    "CPU",
    "FSIZE",
    "DATA",
    "STACK",
    "CORE",
    "RSS",
    "NPROC",
    "NOFILE",
    "MEMLOCK",
    "AS",
    "LOCKS",
    "SIGPENDING",
    "MSGQUEUE",
    "NICE",
    "RTPRIO",
    "RTTIME",
];

/// A limit of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rlimit {
    /// With `RLIMIT_`.
    pub(crate) name: String,
    pub(crate) soft: u64,
    pub(crate) hard: u64,
}

/// The limits of a container.
pub(crate) fn read(config: &ContainerConfig, errors: &mut Vec<Error>) -> Vec<Rlimit> {
    let limits = config.rlimits.iter().flatten();
    limits.filter_map(|limit| rlimit(limit).map_err(|error| errors.push(error)).ok()).collect()
}

fn rlimit(text: &Located<String>) -> Result<Rlimit, Error> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let [name, soft, hard] = parts[..] else {
        return Err(at(text, ContainerProblem::Rlimit { rlimit: text.value.clone(), parts: parts.len() }));
    };
    let upper = name.to_uppercase();
    let bare = upper.strip_prefix("RLIMIT_").unwrap_or(&upper);
    if !KNOWN.contains(&bare) {
        let nearest = nearest(bare, &KNOWN).map(str::to_lowercase);
        return Err(at(text, ContainerProblem::RlimitName { name: name.to_owned(), nearest }));
    }
    Ok(Rlimit { name: format!("RLIMIT_{bare}"), hard: value(text, hard)?, soft: value(text, soft)? })
}

fn value(text: &Located<String>, value: &str) -> Result<u64, Error> {
    if value.eq_ignore_ascii_case("unlimited") {
        return Ok(u64::MAX);
    }
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    value.parse().ok().filter(|_| digits).ok_or_else(|| {
        at(text, ContainerProblem::RlimitValue { rlimit: text.value.clone(), value: value.to_owned() })
    })
}
