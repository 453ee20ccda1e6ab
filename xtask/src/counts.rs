//! How many checks a step's output says passed and failed.
//!
//! Three kinds of output: the Rust test harness, our own scripts (`N passed, N failed` on a line of its
//! own), and commands that only succeed or fail. A step that fails without naming a failure counts as
//! one failure: a crash is never a pass.

/// How a step's output is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// Every `test result: … N passed; N failed` line.
    Harness,
    /// The last `N passed, N failed` line.
    Summary,
    /// One check: the exit code.
    Exit,
}

/// Checks passed and failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Totals {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, other: Totals) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Counts one step while its lines go by.
#[derive(Debug)]
pub(crate) struct Counter {
    kind: Count,
    totals: Totals,
}

impl Counter {
    pub(crate) fn new(kind: Count) -> Self {
        Self {
            kind,
            totals: Totals::default(),
        }
    }

    /// One line of output.
    pub(crate) fn line(&mut self, line: &str) {
        match self.kind {
            Count::Harness => {
                if let Some(result) = line.strip_prefix("test result: ")
                    && let Some(found) = numbers(result, "passed;", "failed;")
                {
                    self.totals.add(found);
                }
            }
            Count::Summary => {
                if let Some(found) = summary(line) {
                    self.totals = found;
                }
            }
            Count::Exit => {}
        }
    }

    /// The totals, once the step has ended.
    pub(crate) fn end(self, success: bool) -> Totals {
        let mut totals = self.totals;
        match (self.kind, success) {
            (Count::Exit, true) => totals.passed += 1,
            (_, false) if totals.failed == 0 => totals.failed += 1,
            // A step that succeeded without a single check has checked nothing.
            (Count::Harness | Count::Summary, true) if totals == Totals::default() => {
                totals.failed += 1
            }
            _ => {}
        }
        totals
    }
}

/// `N passed, N failed`, with nothing before it and at most a remark after it.
fn summary(line: &str) -> Option<Totals> {
    line.starts_with(|c: char| c.is_ascii_digit())
        .then(|| numbers(line, "passed,", "failed"))
        .flatten()
}

/// The numbers before the words `passed` and `failed` as they are punctuated.
fn numbers(text: &str, passed: &str, failed: &str) -> Option<Totals> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let before = |word: &str| {
        let at = words
            .iter()
            .position(|w| *w == word || w.trim_end_matches([',', '.', ';']) == word)?;
        words.get(at.checked_sub(1)?)?.parse().ok()
    };
    Some(Totals {
        passed: before(passed)?,
        failed: before(failed)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Count, lines: &[&str], success: bool, passed: u64, failed: u64) {
        let mut counter = Counter::new(kind);
        lines.iter().for_each(|line| counter.line(line));
        assert_eq!(counter.end(success), Totals { passed, failed });
    }

    #[test]
    fn the_harness_is_summed_over_its_binaries() {
        let ok = "test result: ok. 15 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        let bad = "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.07s";
        check(Count::Harness, &[ok, "noise", ok], true, 30, 0);
        check(Count::Harness, &[ok, bad], false, 25, 2);
    }

    #[test]
    fn a_script_is_counted_by_its_last_summary() {
        check(
            Count::Summary,
            &["3 passed, 0 failed", "…", "12 passed, 1 failed"],
            false,
            12,
            1,
        );
        check(
            Count::Summary,
            &["12 passed, 0 failed (seed 7)"],
            true,
            12,
            0,
        );
        check(
            Count::Summary,
            &["of those 12 passed, 0 failed"],
            true,
            0,
            1,
        );
    }

    #[test]
    fn a_crash_is_a_failure_and_silence_is_no_pass() {
        check(Count::Exit, &[], true, 1, 0);
        check(Count::Exit, &[], false, 0, 1);
        check(Count::Summary, &["4 passed, 0 failed"], false, 4, 1);
        check(Count::Summary, &[], true, 0, 1);
        check(Count::Harness, &[], false, 0, 1);
    }
}
