//! Usage as Anthropic reports it: `input_tokens` *excludes* cached tokens, and a stream restates what it said.
//! <https://docs.anthropic.com/en/api/messages#response-usage>

use lintel_types::{Meter, Usage};

use crate::json::Node;

/// The latest value of every count that was reported.
#[derive(Debug, Default)]
pub(super) struct Counts {
    input: u64,
    cache_read: u64,
    cache_write: u64,
    write_5m: Option<u64>,
    write_1h: Option<u64>,
    output: u64,
    thinking: u64,
    searches: u64,
    /// Iterations that the top-level numbers leave out: compaction is billed, but reported only there.
    compaction_input: u64,
    compaction_cache_read: u64,
    compaction_cache_write: u64,
    compaction_output: u64,
    /// An iteration ran on another model, whose price is another.
    other_model: bool,
}

impl Counts {
    /// Takes over every field that `node` restates; the others stay as they were.
    pub(super) fn update(&mut self, node: Node<'_>) {
        let at = |path: &[&str]| node.at(path).and_then(|n| n.u64());
        let set = |slot: &mut u64, value: Option<u64>| *slot = value.unwrap_or(*slot);
        set(&mut self.input, at(&["input_tokens"]));
        set(&mut self.cache_read, at(&["cache_read_input_tokens"]));
        set(&mut self.cache_write, at(&["cache_creation_input_tokens"]));
        set(&mut self.output, at(&["output_tokens"]));
        set(
            &mut self.thinking,
            at(&["output_tokens_details", "thinking_tokens"]),
        );
        set(
            &mut self.searches,
            at(&["server_tool_use", "web_search_requests"]),
        );
        self.write_5m = at(&["cache_creation", "ephemeral_5m_input_tokens"]).or(self.write_5m);
        self.write_1h = at(&["cache_creation", "ephemeral_1h_input_tokens"]).or(self.write_1h);
        if let Some(iterations) = node.get("iterations") {
            self.iterations(iterations);
        }
    }

    fn iterations(&mut self, iterations: Node<'_>) {
        let (mut input, mut read, mut write, mut output, mut other) = (0, 0, 0, 0, false);
        for iteration in iterations.items() {
            let count = |key: &str| iteration.get(key).and_then(|n| n.u64()).unwrap_or(0);
            other |= iteration.get("model").is_some_and(|m| !m.is_null());
            if iteration.get("type").and_then(|t| t.text()).as_deref() == Some("compaction") {
                input += count("input_tokens");
                read += count("cache_read_input_tokens");
                write += count("cache_creation_input_tokens");
                output += count("output_tokens");
            }
        }
        self.compaction_input = input;
        self.compaction_cache_read = read;
        self.compaction_cache_write = write;
        self.compaction_output = output;
        self.other_model = other;
    }

    /// The counts as usage.
    pub(super) fn usage(&self) -> Usage {
        let mut usage = Usage::new();
        let one_hour = self.write_1h.unwrap_or(0).min(self.cache_write);
        // What isn't broken down by lifetime counts as the default lifetime, 5 minutes.
        let five_minutes = self.cache_write - one_hour;
        let thinking = self.thinking.min(self.output);
        usage
            .add(
                Meter::Input,
                self.input.saturating_add(self.compaction_input),
            )
            .add(
                Meter::CacheRead,
                self.cache_read.saturating_add(self.compaction_cache_read),
            )
            .add(
                Meter::CacheWrite5m,
                five_minutes.saturating_add(self.compaction_cache_write),
            )
            .add(Meter::CacheWrite1h, one_hour)
            .add(Meter::Reasoning, thinking)
            .add(
                Meter::Output,
                (self.output - thinking).saturating_add(self.compaction_output),
            )
            .add(Meter::WebSearch, self.searches);
        let broken_down = self
            .write_5m
            .zip(self.write_1h)
            .is_none_or(|(a, b)| a.saturating_add(b) == self.cache_write);
        usage.inconsistent = self.thinking > self.output || !broken_down || self.other_model;
        usage
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
        let usage = counts.usage();
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
}
