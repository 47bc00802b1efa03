//! What a test program says, asked to `--show-output`.
//!
//! ```text
//! test one ... ok
//! successes:
//! ---- one stdout ----
//! skipped here: `xorriso` is missing      from testdata/skip.rs
//! failures:
//! ---- two stdout ----
//! test result: FAILED. 1 passed; 1 failed; 0 ignored; …
//! ```

use crate::tally::Tally;

/// What a test that passed says when it could not judge everything.
const SKIPPED: &str = "skipped here: ";

/// What was said so far.
#[derive(Default)]
pub(crate) struct Output {
    /// The test that is quoted, of those that passed.
    quoted: Option<String>,
    passed: bool,
    /// Each test that could not judge everything, and why.
    skipped: Vec<(String, Vec<String>)>,
}

impl Output {
    /// Counts the tests of a program with its last line. One that could not judge everything is
    /// skipped, whatever it has judged.
    pub(crate) fn line(&mut self, line: &str, tally: &mut Tally) {
        let quotation = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----"));
        if line == "successes:" || line == "failures:" {
            self.passed = line == "successes:";
            self.quoted = None;
        } else if let Some(test) = quotation {
            self.quoted = self.passed.then(|| test.to_owned());
        } else if let (Some(test), Some(why)) = (&self.quoted, line.strip_prefix(SKIPPED)) {
            match self.skipped.last_mut() {
                Some((last, reasons)) if last == test => {
                    if !reasons.iter().any(|known| known == why) {
                        reasons.push(why.to_owned());
                    }
                }
                _ => self.skipped.push((test.clone(), vec![why.to_owned()])),
            }
        } else if line.starts_with("test result:") {
            tally.add_line(line);
            for (test, reasons) in std::mem::take(self).skipped {
                tally.skip_passed(&test, &reasons.join(", "));
            }
        } else if let Some((test, why)) = ignored(line) {
            // The last line counts it.
            tally.remark(format!("skipped: {test}: {why}"));
        }
    }
}

/// A test that a program did not run, and why.
fn ignored(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("test ")?.split_once(" ... ignored, ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(text: &str) -> Tally {
        let (mut output, mut tally) = (Output::default(), Tally::default());
        text.lines().for_each(|line| output.line(line, &mut tally));
        tally
    }

    #[test]
    fn a_test_that_passed_without_its_tools_is_skipped_once() {
        let found = tally(
            "test a ... ok\ntest b ... ok\ntest c ... FAILED\n\nsuccesses:\n\n---- a stdout ----\n\
             skipped here: no x\nskipped here: no y\nskipped here: no x\n\n\n---- b stdout ----\nwords\n\n\n\
             successes:\n    a\n    b\n\nfailures:\n\n---- c stdout ----\nskipped here: no z\n\n\n\
             failures:\n    c\n\ntest result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured\n\
             skipped here: not in a test\ntest result: ok. 1 passed; 0 failed; 0 ignored\n",
        );
        assert_eq!(found.to_string(), "2 passed, 1 failed, 1 skipped");
        assert_eq!(found.remarks(), ["skipped: a: no x, no y"]);
    }

    #[test]
    fn a_test_that_did_not_run_is_named() {
        let found = tally("test a b ... ignored, no `bochs`\ntest result: ok. 3 passed; 0 failed; 1 ignored");
        assert_eq!(found.to_string(), "3 passed, 0 failed, 1 skipped");
        assert_eq!(found.remarks(), ["skipped: a b: no `bochs`"]);
    }

    /// What the tests print is what is looked for.
    #[test]
    fn the_words_are_those_of_the_tests() {
        assert!(include_str!("../../testdata/skip.rs").contains(&format!("\"{SKIPPED}{{why}}\"")));
    }
}
