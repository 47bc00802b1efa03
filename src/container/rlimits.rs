//! Resource limits of a process. \[OCI\] "POSIX process", `rlimits`.

use super::error::{Problem, at};
use crate::spec::{ContainerConfig, Error, Located, Map, Value, nearest};

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

/// The limits as the runtime wants them.
pub(super) fn read(config: &ContainerConfig, errors: &mut Vec<Error>) -> Value {
    let limits = config.rlimits.iter().flatten();
    limits.filter_map(|limit| rlimit(limit).map_err(|error| errors.push(error)).ok()).collect()
}

fn rlimit(text: &Located<String>) -> Result<Map, Error> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let [name, soft, hard] = parts[..] else {
        return Err(at(text, Problem::Rlimit { rlimit: text.value.clone(), parts: parts.len() }));
    };
    let upper = name.to_uppercase();
    let bare = upper.strip_prefix("RLIMIT_").unwrap_or(&upper);
    if !KNOWN.contains(&bare) {
        let nearest = nearest(bare, &KNOWN).map(str::to_lowercase);
        return Err(at(text, Problem::RlimitName { name: name.to_owned(), nearest }));
    }
    let mut limit = Map::default();
    limit.put("type", format!("RLIMIT_{bare}"));
    limit.put("hard", value(text, hard)?);
    limit.put("soft", value(text, soft)?);
    Ok(limit)
}

fn value(text: &Located<String>, value: &str) -> Result<u64, Error> {
    if value.eq_ignore_ascii_case("unlimited") {
        return Ok(u64::MAX);
    }
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    value
        .parse()
        .ok()
        .filter(|_| digits)
        .ok_or_else(|| at(text, Problem::RlimitValue { rlimit: text.value.clone(), value: value.to_owned() }))
}
