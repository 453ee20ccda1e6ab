//! Usage as OpenAI and its compatible hosts report it: many spellings, one partition.
//!
//! Cached, written, audio and image tokens are *inside* `prompt_tokens`. Reasoning is inside
//! `completion_tokens` at OpenAI, but outside at xAI and Gemini's compatible endpoint: `total_tokens`
//! tells which. Whatever doesn't add up or is no count is flagged, and the provider's numbers are kept.

use lintel_types::{Meter, Usage};

use super::super::count::Counts;
use crate::json::Node;

/// Reads a `usage` object; none when it names neither its input nor its output in whole numbers.
///
/// `hidden_reasoning`: what the total has beyond its parts is reasoning.
pub(crate) fn read(node: Node<'_>, hidden_reasoning: bool) -> Option<Usage> {
    let counts = Counts::of(node);
    let either = |a, b| counts.tokens(&[a]).or_else(|| counts.tokens(&[b]));
    let prompt = either("prompt_tokens", "input_tokens");
    let completion = either("completion_tokens", "output_tokens");
    // One of the two without the other stands only where the total says that the other is nothing.
    let half = prompt.is_some() != completion.is_some();
    prompt.or(completion)?;
    let (prompt, completion) = (prompt.unwrap_or(0), completion.unwrap_or(0));
    let total = counts.plausible(&["total_tokens"]);

    let mut usage = Usage::new();
    usage.reported_total = total;
    let input_over = input(&counts, prompt, &mut usage);
    let excess = total.map_or(0, |t| t.saturating_sub(prompt.saturating_add(completion)));
    let output_over = output(&counts, completion, excess, hidden_reasoning, &mut usage);
    let searches: [&[&str]; 4] = [
        &["num_sources_used"],
        &["server_tool_use_details", "web_search_requests"],
        &["num_search_queries"],
        &["server_side_tool_usage_details", "web_search_calls"],
    ];
    let mut searches = searches.into_iter().filter_map(|p| counts.searches(p));
    usage.add(Meter::WebSearch, searches.find(|n| *n > 0).unwrap_or(0));

    let sum = usage.input_tokens().saturating_add(usage.output_tokens());
    let contradicted = total.map_or(half, |t| t != sum);
    usage.inconsistent = input_over || output_over || contradicted || counts.doubtful();
    Some(usage)
}

/// Searches that a Responses answer counts beside its usage.
pub(super) fn searches(response: Node<'_>) -> u64 {
    let usage = response.get("tool_usage");
    let counted = usage.map(Counts::of);
    let searches = counted.and_then(|c| c.searches(&["web_search", "num_requests"]));
    searches.unwrap_or(0)
}

/// Books the prompt's parts. Returns whether they are more than the whole.
fn input(counts: &Counts<'_>, prompt: u64, usage: &mut Usage) -> bool {
    let first = |paths: &[&[&str]]| {
        let mut found = paths.iter().filter_map(|p| counts.tokens(p));
        found.find(|n| *n > 0).unwrap_or(0)
    };
    let detail = |name| {
        first(&[
            &["prompt_tokens_details", name],
            &["input_tokens_details", name],
        ])
    };
    let parts = Parts::of(prompt)
        .take(first(&[
            &["prompt_tokens_details", "cached_tokens"],
            &["input_tokens_details", "cached_tokens"],
            &["cached_tokens"],
            &["num_cached_tokens"],
            &["prompt_cache_hit_tokens"],
        ]))
        .take(detail("cache_write_tokens"))
        .take(first(&[
            &["prompt_tokens_details", "audio_tokens"],
            &["audio_prompt_tokens"],
            &["prompt_audio_seconds_tokens"],
        ]))
        .take(detail("image_tokens").saturating_add(detail("video_tokens")));
    let meters = [
        Meter::CacheRead,
        Meter::CacheWrite5m,
        Meter::InputAudio,
        Meter::InputImage,
    ];
    parts.book(&meters, Meter::Input, usage)
}

/// Books the completion's parts; `excess` is what the total has beyond prompt and completion. Returns
/// whether the parts are more than the whole.
fn output(
    counts: &Counts<'_>,
    completion: u64,
    excess: u64,
    hidden_reasoning: bool,
    usage: &mut Usage,
) -> bool {
    let detail = |name| {
        let mut found = ["completion_tokens_details", "output_tokens_details"]
            .iter()
            .filter_map(|key| counts.tokens(&[key, name]));
        found.find(|n| *n > 0).unwrap_or(0)
    };
    let reasoning = detail("reasoning_tokens");
    // Outside: the total has room for exactly the reasoning that was named, or the host never names it.
    let unnamed = hidden_reasoning && reasoning == 0;
    let outside = if excess == reasoning || unnamed {
        excess
    } else {
        0
    };
    let inside = if outside > 0 { 0 } else { reasoning };
    let parts = Parts::of(completion)
        .take(inside)
        .take(detail("audio_tokens"))
        .take(detail("image_tokens"));
    let meters = [Meter::Reasoning, Meter::OutputAudio, Meter::OutputImage];
    let over = parts.book(&meters, Meter::Output, usage);
    usage.add(Meter::Reasoning, outside);
    over
}

/// A total from which parts are taken, never more than there is.
struct Parts {
    rest: u64,
    taken: Vec<u64>,
    over: bool,
}

impl Parts {
    fn of(total: u64) -> Self {
        Self {
            rest: total,
            taken: Vec::with_capacity(4),
            over: false,
        }
    }

    fn take(mut self, wanted: u64) -> Self {
        let given = wanted.min(self.rest);
        self.over |= given < wanted;
        self.rest -= given;
        self.taken.push(given);
        self
    }

    /// Books what was taken by `meters` and the rest by `rest`. Returns whether more was wanted than there was.
    fn book(self, meters: &[Meter], rest: Meter, usage: &mut Usage) -> bool {
        meters.iter().zip(&self.taken).for_each(|(meter, n)| {
            usage.add(*meter, *n);
        });
        usage.add(rest, self.rest);
        self.over
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::count::MOST_TOKENS;
    use super::*;
    use crate::json;
    use proptest::prelude::*;

    fn check(doc: &str, lines: &[(Meter, u64)], inconsistent: bool) {
        let usage = read(json::parse(doc.as_bytes()).unwrap(), false).unwrap();
        for meter in Meter::ALL {
            let wanted = lines
                .iter()
                .find(|(m, _)| *m == meter)
                .map_or(0, |(_, n)| *n);
            assert_eq!(usage.get(meter), wanted, "{meter:?} of {doc}");
        }
        assert_eq!(usage.inconsistent, inconsistent, "{doc}");
    }

    #[test]
    fn cached_tokens_have_many_spellings_and_are_inside_the_prompt() {
        for spelling in [
            r#""prompt_tokens_details":{"cached_tokens":40}"#,
            r#""prompt_tokens_details":null,"cached_tokens":40"#,
            r#""num_cached_tokens":40,"prompt_tokens_details":{"cached_tokens":0}"#,
            r#""prompt_cache_hit_tokens":40,"prompt_cache_miss_tokens":60"#,
        ] {
            let doc = format!(
                r#"{{"prompt_tokens":100,"completion_tokens":5,"total_tokens":105,{spelling}}}"#
            );
            check(
                &doc,
                &[
                    (Meter::Input, 60),
                    (Meter::CacheRead, 40),
                    (Meter::Output, 5),
                ],
                false,
            );
        }
    }

    #[test]
    fn reasoning_is_inside_or_outside_as_the_total_says() {
        check(
            r#"{"prompt_tokens":10,"completion_tokens":50,"total_tokens":60,"completion_tokens_details":{"reasoning_tokens":40}}"#,
            &[
                (Meter::Input, 10),
                (Meter::Output, 10),
                (Meter::Reasoning, 40),
            ],
            false,
        );
        // xAI, va-7e1b78f3ea
        check(
            r#"{"prompt_tokens":12,"completion_tokens":2,"total_tokens":354,"completion_tokens_details":{"reasoning_tokens":340}}"#,
            &[
                (Meter::Input, 12),
                (Meter::Output, 2),
                (Meter::Reasoning, 340),
            ],
            false,
        );
        // Gemini's compatible endpoint, pa-bde5f2ab83: thoughts that are only in the total.
        let doc = r#"{"prompt_tokens":35,"completion_tokens":12,"total_tokens":109}"#;
        let gemini = read(json::parse(doc.as_bytes()).unwrap(), true).unwrap();
        assert_eq!(
            (gemini.get(Meter::Reasoning), gemini.inconsistent),
            (62, false)
        );
        // Anywhere else that is a contradiction.
        check(doc, &[(Meter::Input, 35), (Meter::Output, 12)], true);
    }

    #[test]
    fn contradictions_are_flagged() {
        check(
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":3}"#,
            &[(Meter::Input, 10), (Meter::Output, 5)],
            true,
        );
        check(
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":11}}"#,
            &[(Meter::CacheRead, 10), (Meter::Output, 5)],
            true,
        );
        check(
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":99,"completion_tokens_details":{"reasoning_tokens":3}}"#,
            &[
                (Meter::Input, 10),
                (Meter::Output, 2),
                (Meter::Reasoning, 3),
            ],
            true,
        );
    }

    #[test]
    fn audio_and_odd_numbers() {
        check(
            r#"{"prompt_tokens":20.0,"completion_tokens":30,"total_tokens":50,"prompt_tokens_details":{"audio_tokens":15,"cached_tokens":null},"completion_tokens_details":{"audio_tokens":25}}"#,
            &[
                (Meter::Input, 5),
                (Meter::InputAudio, 15),
                (Meter::Output, 5),
                (Meter::OutputAudio, 25),
            ],
            false,
        );
    }

    #[test]
    fn absurd_counts_are_bounded_and_flagged() {
        let max = u64::MAX;
        check(
            &format!(r#"{{"prompt_tokens":{max},"completion_tokens":{max},"total_tokens":1}}"#),
            &[(Meter::Input, MOST_TOKENS), (Meter::Output, MOST_TOKENS)],
            true,
        );
        check(
            &format!(
                r#"{{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{{"image_tokens":{max},"video_tokens":1}}}}"#
            ),
            &[(Meter::InputImage, 9), (Meter::Output, 3)],
            true,
        );
        // A total that can't be believed makes no hidden reasoning.
        let doc = format!(r#"{{"prompt_tokens":9,"completion_tokens":3,"total_tokens":{max}}}"#);
        let usage = read(json::parse(doc.as_bytes()).unwrap(), true).unwrap();
        assert_eq!((usage.get(Meter::Reasoning), usage.inconsistent), (0, true));
    }

    #[test]
    fn an_unreadable_count_is_flagged_and_two_are_no_usage() {
        let one = [
            r#"{"prompt_tokens":9,"completion_tokens":"three"}"#,
            r#"{"prompt_tokens":9,"completion_tokens":{},"total_tokens":12}"#,
            r#"{"prompt_tokens":9}"#,
            r#"{"prompt_tokens":9,"completion_tokens":null}"#,
        ];
        for doc in one {
            check(doc, &[(Meter::Input, 9)], true);
        }
        check(
            r#"{"prompt_tokens":-5,"completion_tokens":3,"total_tokens":-2}"#,
            &[(Meter::Output, 3)],
            true,
        );
        check(
            r#"{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":true}}"#,
            &[(Meter::Input, 9), (Meter::Output, 3)],
            true,
        );
        // The total says that nothing is missing.
        check(
            r#"{"prompt_tokens":9,"total_tokens":9}"#,
            &[(Meter::Input, 9)],
            false,
        );
        for doc in [
            "{}",
            r#"{"total_tokens":12}"#,
            r#"{"prompt_tokens":-4,"completion_tokens":"x"}"#,
            r#"{"prompt_tokens":1e30,"completion_tokens":null}"#,
        ] {
            assert_eq!(read(json::parse(doc.as_bytes()).unwrap(), false), None);
        }
    }

    proptest! {
        /// Σ parts = the provider's total, or the row is flagged; no number makes it panic or wrap.
        #[test]
        fn parts_add_up_or_are_flagged(p: u32, c: u32, t: u64, cached: u32, r: u32, audio: u32) {
            let doc = format!(r#"{{"prompt_tokens":{p},"completion_tokens":{c},"total_tokens":{t},"prompt_tokens_details":{{"cached_tokens":{cached},"audio_tokens":{audio}}},"completion_tokens_details":{{"reasoning_tokens":{r}}}}}"#);
            let usage = read(json::parse(doc.as_bytes()).unwrap(), false).unwrap();
            prop_assert!(usage.inconsistent || usage.input_tokens() + usage.output_tokens() == t);
            prop_assert_eq!(usage.input_tokens(), u64::from(p).min(MOST_TOKENS));
        }
    }
}
