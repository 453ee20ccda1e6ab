//! Usage as Anthropic reports it: `input_tokens` *excludes* cached tokens, and a stream restates what it said.
//! <https://docs.anthropic.com/en/api/messages#response-usage>

use lintel_types::{Meter, Usage};

use super::super::count;
use crate::json::Node;

/// The latest value of every count that was reported.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    input: Option<u64>,
    cache_read: u64,
    cache_write: u64,
    write_5m: Option<u64>,
    write_1h: Option<u64>,
    output: Option<u64>,
    thinking: u64,
    searches: u64,
    compaction: Compaction,
    /// A count was out of bounds, or was there and was no count.
    doubtful: bool,
}

/// Iterations that the top-level numbers leave out: compaction is billed, but reported only there.
#[derive(Debug, Default)]
struct Compaction {
    input: u64,
    cache_read: u64,
    cache_write: u64,
    output: u64,
    /// An iteration ran on another model, whose price is another.
    other_model: bool,
}

impl Counts {
    /// Takes over every field that `node` restates; the others stay as they were.
    pub(crate) fn update(&mut self, node: Node<'_>) {
        let counts = count::Counts::of(node);
        let at = |path: &[&str]| counts.tokens(path);
        let set = |slot: &mut u64, value: Option<u64>| *slot = value.unwrap_or(*slot);
        self.input = at(&["input_tokens"]).or(self.input);
        self.output = at(&["output_tokens"]).or(self.output);
        set(&mut self.cache_read, at(&["cache_read_input_tokens"]));
        set(&mut self.cache_write, at(&["cache_creation_input_tokens"]));
        set(
            &mut self.thinking,
            at(&["output_tokens_details", "thinking_tokens"]),
        );
        set(
            &mut self.searches,
            counts.searches(&["server_tool_use", "web_search_requests"]),
        );
        self.write_5m = at(&["cache_creation", "ephemeral_5m_input_tokens"]).or(self.write_5m);
        self.write_1h = at(&["cache_creation", "ephemeral_1h_input_tokens"]).or(self.write_1h);
        self.doubtful |= counts.doubtful();
        if let Some(iterations) = node.get("iterations") {
            self.iterations(iterations);
        }
    }

    fn iterations(&mut self, iterations: Node<'_>) {
        let mut sum = Compaction::default();
        for iteration in iterations.items() {
            sum.other_model |= iteration.get("model").is_some_and(|m| !m.is_null());
            if iteration.get("type").and_then(|t| t.text()).as_deref() == Some("compaction") {
                let counts = count::Counts::of(iteration);
                let add = |sum: &mut u64, name| {
                    *sum = sum.saturating_add(counts.tokens(&[name]).unwrap_or(0));
                };
                add(&mut sum.input, "input_tokens");
                add(&mut sum.cache_read, "cache_read_input_tokens");
                add(&mut sum.cache_write, "cache_creation_input_tokens");
                add(&mut sum.output, "output_tokens");
                self.doubtful |= counts.doubtful();
            }
        }
        self.compaction = sum;
    }

    /// The counts as usage; none while neither input nor output has been reported in whole numbers.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.input.or(self.output)?;
        let (input, output) = (self.input.unwrap_or(0), self.output.unwrap_or(0));
        let compaction = &self.compaction;
        let one_hour = self.write_1h.unwrap_or(0).min(self.cache_write);
        // What isn't broken down by lifetime counts as the default lifetime, 5 minutes.
        let five_minutes = self.cache_write - one_hour;
        let thinking = self.thinking.min(output);
        let mut usage = Usage::new();
        // `iterations` is a list, so its sums are bounded once more.
        let with = |n: u64, more: u64| n.saturating_add(more.min(count::MOST_TOKENS));
        usage
            .add(Meter::Input, with(input, compaction.input))
            .add(
                Meter::CacheRead,
                with(self.cache_read, compaction.cache_read),
            )
            .add(
                Meter::CacheWrite5m,
                with(five_minutes, compaction.cache_write),
            )
            .add(Meter::CacheWrite1h, one_hour)
            .add(Meter::Reasoning, thinking)
            .add(Meter::Output, with(output - thinking, compaction.output))
            .add(Meter::WebSearch, self.searches);
        let broken_down = self
            .write_5m
            .zip(self.write_1h)
            .is_none_or(|(a, b)| a.saturating_add(b) == self.cache_write);
        // A whole answer reports both; in a stream the other may still come.
        let half = self.input.is_some() != self.output.is_some();
        usage.inconsistent = self.doubtful
            || half
            || self.thinking > output
            || !broken_down
            || compaction.other_model
            || compaction.over();
        Some(usage)
    }
}

impl Compaction {
    /// Whether a sum is more than is believed.
    fn over(&self) -> bool {
        [self.input, self.cache_read, self.cache_write, self.output]
            .into_iter()
            .any(|n| n > count::MOST_TOKENS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn check(docs: &[&str], lines: &[(Meter, u64)], inconsistent: bool) {
        let mut counts = Counts::default();
        docs.iter()
            .for_each(|d| counts.update(json::parse(d.as_bytes()).unwrap()));
        let usage = counts.usage().unwrap();
        for meter in Meter::ALL {
            let wanted = lines
                .iter()
                .find(|(m, _)| *m == meter)
                .map_or(0, |(_, n)| *n);
            assert_eq!(usage.get(meter), wanted, "{meter:?} of {docs:?}");
        }
        assert_eq!(usage.inconsistent, inconsistent, "{docs:?}");
    }

    #[test]
    fn input_excludes_what_was_cached() {
        check(
            &[
                r#"{"input_tokens":3,"cache_read_input_tokens":227,"cache_creation_input_tokens":1712,"cache_creation":{"ephemeral_5m_input_tokens":1000,"ephemeral_1h_input_tokens":712},"output_tokens":5}"#,
            ],
            &[
                (Meter::Input, 3),
                (Meter::CacheRead, 227),
                (Meter::CacheWrite5m, 1000),
                (Meter::CacheWrite1h, 712),
                (Meter::Output, 5),
            ],
            false,
        );
        check(
            &[
                r#"{"input_tokens":3,"cache_creation_input_tokens":10,"cache_creation":null,"output_tokens":5}"#,
            ],
            &[
                (Meter::Input, 3),
                (Meter::CacheWrite5m, 10),
                (Meter::Output, 5),
            ],
            false,
        );
    }

    #[test]
    fn a_delta_with_only_output_keeps_the_input() {
        check(
            &[
                r#"{"input_tokens":10,"output_tokens":1}"#,
                r#"{"output_tokens":20,"output_tokens_details":{"thinking_tokens":15}}"#,
            ],
            &[
                (Meter::Input, 10),
                (Meter::Reasoning, 15),
                (Meter::Output, 5),
            ],
            false,
        );
    }

    #[test]
    fn compaction_is_billed_though_the_top_level_leaves_it_out() {
        check(
            &[
                r#"{"input_tokens":60385,"output_tokens":1}"#,
                r#"{"input_tokens":612,"output_tokens":40,"iterations":[{"type":"compaction","input_tokens":60385,"output_tokens":300},{"type":"message","input_tokens":612,"output_tokens":40}]}"#,
            ],
            &[(Meter::Input, 60997), (Meter::Output, 340)],
            false,
        );
    }

    #[test]
    fn contradictions_and_foreign_models_are_flagged() {
        check(
            &[
                r#"{"input_tokens":1,"output_tokens":2,"output_tokens_details":{"thinking_tokens":9}}"#,
            ],
            &[(Meter::Input, 1), (Meter::Reasoning, 2)],
            true,
        );
        check(
            &[
                r#"{"input_tokens":1,"output_tokens":2,"iterations":[{"type":"advisor_message","model":"claude-opus-4-7","input_tokens":5}]}"#,
            ],
            &[(Meter::Input, 1), (Meter::Output, 2)],
            true,
        );
    }

    #[test]
    fn absurd_and_unreadable_counts_are_flagged() {
        let max = u64::MAX;
        let most = count::MOST_TOKENS;
        check(
            &[&format!(r#"{{"input_tokens":{max},"output_tokens":3}}"#)],
            &[(Meter::Input, most), (Meter::Output, 3)],
            true,
        );
        let item = format!(r#"{{"type":"compaction","output_tokens":{max}}}"#);
        check(
            &[&format!(
                r#"{{"input_tokens":1,"output_tokens":2,"iterations":[{item},{item}]}}"#
            )],
            &[(Meter::Input, 1), (Meter::Output, most + 2)],
            true,
        );
        check(
            &[r#"{"input_tokens":-1,"output_tokens":3}"#],
            &[(Meter::Output, 3)],
            true,
        );
        check(
            &[r#"{"input_tokens":9,"output_tokens":"many"}"#],
            &[(Meter::Input, 9)],
            true,
        );
        check(
            &[r#"{"input_tokens":9,"output_tokens":3,"cache_read_input_tokens":"x"}"#],
            &[(Meter::Input, 9), (Meter::Output, 3)],
            true,
        );
    }

    #[test]
    fn one_of_two_is_flagged_until_the_other_comes_and_none_is_no_usage() {
        let first = r#"{"input_tokens":9}"#;
        check(&[first], &[(Meter::Input, 9)], true);
        check(
            &[first, r#"{"output_tokens":3}"#],
            &[(Meter::Input, 9), (Meter::Output, 3)],
            false,
        );
        for doc in [
            "{}",
            r#"{"cache_read_input_tokens":5}"#,
            r#"{"input_tokens":{},"output_tokens":true}"#,
        ] {
            let mut counts = Counts::default();
            counts.update(json::parse(doc.as_bytes()).unwrap());
            assert_eq!(counts.usage(), None, "{doc}");
        }
    }
}
