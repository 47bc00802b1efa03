//! How many checks passed, failed and were skipped, and which were not among the first.

use std::fmt;

/// The outcome of one check.
pub(crate) enum Outcome {
    /// It ran, and what it claims is true.
    Passed,
    /// It ran, and what it claims is not true: what was seen instead.
    Failed(String),
    /// It could not run: what it needs, and how to get it.
    Skipped(String),
}

/// A count of outcomes.
#[derive(Default)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    skipped: u64,
    /// A line for each check that did not pass.
    remarks: Vec<String>,
}

impl Tally {
    /// Counts the check called `name`, and says how it went. A skip is a failure where `strict`.
    pub(crate) fn add(&mut self, name: &str, outcome: Outcome, strict: bool) {
        let remark = match outcome {
            Outcome::Passed => {
                self.passed += 1;
                println!("passed: {name}");
                return;
            }
            Outcome::Skipped(why) if !strict => {
                self.skipped += 1;
                format!("skipped: {name}: {why}")
            }
            Outcome::Skipped(why) | Outcome::Failed(why) => {
                self.failed += 1;
                format!("failed: {name}: {why}")
            }
        };
        println!("{remark}");
        self.remarks.push(remark);
    }

    /// Counts the result line that closes one test program of cargo's, or a run of checks that
    /// counted themselves: `N passed` and `N failed`, and `N ignored` or `N skipped`, in any text.
    pub(crate) fn add_line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        for pair in words.windows(2) {
            let Ok(n) = pair[0].parse::<u64>() else { continue };
            match pair[1].trim_end_matches([',', ';']) {
                "passed" => self.passed += n,
                "failed" => self.failed += n,
                "ignored" | "skipped" => self.skipped += n,
                _ => {}
            }
        }
    }

    /// Takes a check among those that passed for one that could not run.
    pub(crate) fn skip_passed(&mut self, name: &str, why: &str) {
        self.passed -= 1;
        self.skipped += 1;
        self.remark(format!("skipped: {name}: {why}"));
    }

    /// Keeps a line about a check that is counted elsewhere.
    pub(crate) fn remark(&mut self, remark: String) {
        self.remarks.push(remark);
    }

    /// Checks counted so far.
    pub(crate) fn count(&self) -> u64 {
        self.passed + self.failed + self.skipped
    }

    /// Checks that failed so far.
    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// One line for each check that was named and did not pass.
    pub(crate) fn remarks(&self) -> &[String] {
        &self.remarks
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_lines_of_cargo_and_of_others_are_counted() {
        let mut t = Tally::default();
        t.add_line(
            "test result: ok. 7 passed; 1 failed; 2 ignored; 0 measured; 5 filtered out; finished in 0.01s",
        );
        t.add_line("56 passed, 0 failed");
        assert_eq!(t.to_string(), "63 passed, 1 failed, 2 skipped");
    }

    #[test]
    fn a_skip_is_a_failure_where_nobody_would_notice_it() {
        let mut t = Tally::default();
        t.add("a", Outcome::Skipped("no tool".into()), false);
        t.add("b", Outcome::Skipped("no tool".into()), true);
        assert_eq!(t.to_string(), "0 passed, 1 failed, 1 skipped");
        assert_eq!(t.remarks(), ["skipped: a: no tool", "failed: b: no tool"]);
    }
}
