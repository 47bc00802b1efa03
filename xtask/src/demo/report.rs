//! What each container said about itself on the console, held against what it was promised.

use super::promise::Promise;
use std::collections::BTreeMap;

/// The lines `report: NAME: KEY…` of one container.
#[derive(Debug, Default)]
pub(crate) struct Report {
    values: BTreeMap<String, String>,
    namespaces: BTreeMap<String, String>,
    /// Type and options by destination; of two mounts on one place the upper.
    mounts: BTreeMap<String, (String, Vec<String>)>,
    complete: bool,
}

/// Every report on a console, by the container's name.
pub(crate) fn read(console: &str) -> BTreeMap<String, Report> {
    let mut all: BTreeMap<String, Report> = BTreeMap::new();
    for line in console.lines() {
        let Some((name, said)) = line.trim().strip_prefix("report: ").and_then(|rest| rest.split_once(": "))
        else {
            continue;
        };
        let report = all.entry(name.to_owned()).or_default();
        let words: Vec<&str> = said.split_whitespace().collect();
        match words[..] {
            ["end"] => report.complete = true,
            ["mount", destination, kind, options] => {
                let options = options.split(',').map(str::to_owned).collect();
                report.mounts.insert(destination.to_owned(), (kind.to_owned(), options));
            }
            ["namespace", name, id] => {
                report.namespaces.insert(name.to_owned(), id.to_owned());
            }
            ["status", key, ..] => {
                let key = format!("status {}", key.trim_end_matches(':'));
                report.values.insert(key, words[2..].join(" "));
            }
            [key, ..] => {
                report.values.insert(key.to_owned(), words[1..].join(" "));
            }
            [] => {}
        }
    }
    all
}

/// What differs, a line each; nothing when every promise is kept. `host` is a report from outside
/// of any container: whoever shares a namespace with it is in none of its own.
pub(crate) fn broken(promise: &Promise, report: &Report, host: &Report) -> Vec<String> {
    let mut wrong = Vec::new();
    if !report.complete {
        wrong.push("the report has no end".into());
    }
    for (key, want) in &promise.values {
        match report.values.get(key) {
            Some(found) if found == want => {}
            found => wrong.push(format!("{key}: {found:?} instead of `{want}`")),
        }
    }
    for name in &promise.own_namespaces {
        match (report.namespaces.get(*name), host.namespaces.get(*name)) {
            (Some(own), Some(hosts)) if own != hosts => {}
            (found, _) => wrong.push(format!("namespace {name}: {found:?} is not one of its own")),
        }
    }
    for (destination, (kind, options)) in &promise.mounts {
        let Some((found, in_force)) = report.mounts.get(destination) else {
            wrong.push(format!("nothing is mounted on {destination}"));
            continue;
        };
        if kind.as_ref().is_some_and(|kind| kind != found) {
            wrong.push(format!("{destination}: a {found} instead of {kind:?}"));
        }
        for option in options.iter().filter(|option| !in_force.contains(option)) {
            wrong.push(format!("{destination}: {option} is not among {}", in_force.join(",")));
        }
    }
    for destination in report.mounts.keys().filter(|d| !promise.mounts.contains_key(*d)) {
        wrong.push(format!("{destination}: nobody asked for this mount"));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSOLE: &str = "\
noise
report: host: namespace pid pid:[1]
report: web: pid 1\r
report: web: status CapEff: 0000000000000400
report: web: namespace pid pid:[2]
report: web: mount / overlay ro,relatime
report: web: end";

    fn promise() -> Promise {
        Promise {
            name: "web".into(),
            values: BTreeMap::from([("status CapEff".into(), "0000000000000400".into())]),
            own_namespaces: vec!["pid"],
            mounts: BTreeMap::from([("/".into(), (None, vec!["ro".into()]))]),
        }
    }

    #[test]
    fn a_kept_promise_has_nothing_wrong() {
        let all = read(CONSOLE);
        assert_eq!(broken(&promise(), &all["web"], &all["host"]), [""; 0]);
    }

    #[test]
    fn every_kind_of_difference_is_found() {
        let all = read(CONSOLE);
        let mut p = promise();
        p.values.insert("status CapEff".into(), "0".into());
        p.own_namespaces.push("net");
        p.mounts = BTreeMap::from([("/www".into(), (None, vec![]))]);
        assert_eq!(broken(&p, &all["web"], &all["host"]).len(), 4);
        assert_eq!(broken(&promise(), &all["web"], &all["web"]).len(), 1);
    }
}
