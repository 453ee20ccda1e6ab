//! Usage as OpenAI and its compatible hosts report it: many spellings, one partition.
//!
//! Cached, written, audio and image tokens are *inside* `prompt_tokens`. Reasoning is inside
//! `completion_tokens` at OpenAI, but outside at xAI and Gemini's compatible endpoint: `total_tokens`
//! tells which. Whatever doesn't add up is flagged, and the provider's numbers are kept.

use lintel_types::{Meter, Usage};

use crate::json::Node;

/// Reads a `usage` object. `hidden_reasoning`: what the total has beyond its parts is reasoning.
pub(super) fn read(node: Node<'_>, hidden_reasoning: bool) -> Usage {
    let at = |path: &[&str]| node.at(path).and_then(|n| n.u64());
    let first = |paths: &[&[&str]]| {
        paths
            .iter()
            .find_map(|p| at(p).filter(|n| *n > 0))
            .unwrap_or(0)
    };
    let prompt = at(&["prompt_tokens"])
        .or_else(|| at(&["input_tokens"]))
        .unwrap_or(0);
    let completion = at(&["completion_tokens"])
        .or_else(|| at(&["output_tokens"]))
        .unwrap_or(0);
    let total = at(&["total_tokens"]);

    let mut usage = Usage::new();
    usage.reported_total = total;
    let cached = first(&[
        &["prompt_tokens_details", "cached_tokens"],
        &["input_tokens_details", "cached_tokens"],
        &["cached_tokens"],
        &["num_cached_tokens"],
        &["prompt_cache_hit_tokens"],
    ]);
    let input = Parts::of(prompt)
        .take(cached)
        .take(first(&[&["prompt_tokens_details", "cache_write_tokens"]]))
        .take(first(&[
            &["prompt_tokens_details", "audio_tokens"],
            &["audio_prompt_tokens"],
            &["prompt_audio_seconds_tokens"],
        ]))
        .take(
            at(&["prompt_tokens_details", "image_tokens"]).unwrap_or(0)
                + at(&["prompt_tokens_details", "video_tokens"]).unwrap_or(0),
        );
    let meters = [
        Meter::CacheRead,
        Meter::CacheWrite5m,
        Meter::InputAudio,
        Meter::InputImage,
    ];
    meters.iter().zip(&input.taken).for_each(|(meter, n)| {
        usage.add(*meter, *n);
    });
    usage.add(Meter::Input, input.rest);

    let reasoning = at(&["completion_tokens_details", "reasoning_tokens"]).unwrap_or(0);
    let excess = total.map_or(0, |t| t.saturating_sub(prompt.saturating_add(completion)));
    // Outside: the total has room for exactly the reasoning that was named, or the host never names it.
    let unnamed = hidden_reasoning && reasoning == 0;
    let outside = if excess == reasoning || unnamed {
        excess
    } else {
        0
    };
    let inside = if outside > 0 { 0 } else { reasoning };
    let output = Parts::of(completion)
        .take(inside)
        .take(at(&["completion_tokens_details", "audio_tokens"]).unwrap_or(0))
        .take(at(&["completion_tokens_details", "image_tokens"]).unwrap_or(0));
    let meters = [Meter::Reasoning, Meter::OutputAudio, Meter::OutputImage];
    meters.iter().zip(&output.taken).for_each(|(meter, n)| {
        usage.add(*meter, *n);
    });
    usage
        .add(Meter::Reasoning, outside)
        .add(Meter::Output, output.rest);
    usage.add(
        Meter::WebSearch,
        first(&[
            &["num_sources_used"],
            &["server_tool_use_details", "web_search_requests"],
            &["num_search_queries"],
        ]),
    );

    let sum = usage.input_tokens().saturating_add(usage.output_tokens());
    usage.inconsistent = input.over || output.over || total.is_some_and(|t| t != sum);
    usage
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use proptest::prelude::*;

    fn check(doc: &str, lines: &[(Meter, u64)], inconsistent: bool) {
        let usage = read(json::parse(doc.as_bytes()).unwrap(), false);
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
        let gemini = read(json::parse(doc.as_bytes()).unwrap(), true);
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
        check(
            r#"{"prompt_tokens":-4,"completion_tokens":"x"}"#,
            &[],
            false,
        );
    }

    proptest! {
        /// Σ parts = the provider's total, or the row is flagged; no number makes it panic or wrap.
        #[test]
        fn parts_add_up_or_are_flagged(p: u32, c: u32, t: u64, cached: u32, r: u32, audio: u32) {
            let doc = format!(r#"{{"prompt_tokens":{p},"completion_tokens":{c},"total_tokens":{t},"prompt_tokens_details":{{"cached_tokens":{cached},"audio_tokens":{audio}}},"completion_tokens_details":{{"reasoning_tokens":{r}}}}}"#);
            let usage = read(json::parse(doc.as_bytes()).unwrap(), false);
            prop_assert!(usage.inconsistent || usage.input_tokens() + usage.output_tokens() == t);
            prop_assert_eq!(usage.input_tokens(), u64::from(p));
        }
    }
}
