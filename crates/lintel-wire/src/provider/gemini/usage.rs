//! Usage as Google reports it: `promptTokenCount` includes what was cached, thoughts stand outside
//! `candidatesTokenCount`, and what server-side tools read is a count of its own.
//! <https://ai.google.dev/api/generate-content#UsageMetadata>

use lintel_types::{Meter, Usage};

use super::super::count::Counts;
use crate::json::Node;

/// Reads a `usageMetadata`; none when it names neither its input nor its output in whole numbers.
pub(crate) fn read(node: Node<'_>) -> Option<Usage> {
    let counts = Counts::of(node);
    let prompt = counts.tokens(&["promptTokenCount"]);
    let candidates = counts.tokens(&["candidatesTokenCount"]);
    let thoughts = counts.tokens(&["thoughtsTokenCount"]);
    let tools = counts.tokens(&["toolUsePromptTokenCount"]);
    let total = counts.plausible(&["totalTokenCount"]);
    // Google leaves out counts of zero, so any one of them is a report.
    let output = candidates.or(thoughts);
    prompt.or(tools).or(output)?;

    let mut usage = Usage::new();
    usage.reported_total = total;
    let input_over = input(node, &counts, prompt.unwrap_or(0), &mut usage);
    usage.add(Meter::Input, tools.unwrap_or(0));
    let made = Modalities::of(node, "candidatesTokensDetails");
    let output_over = split(
        candidates.unwrap_or(0),
        &[
            (Meter::OutputAudio, made.audio),
            (Meter::OutputImage, made.seen),
        ],
        Meter::Output,
        &mut usage,
    );
    usage.add(Meter::Reasoning, thoughts.unwrap_or(0));

    let sum = usage.input_tokens().saturating_add(usage.output_tokens());
    let half = prompt.is_some() != output.is_some();
    let contradicted = total.map_or(half, |t| t != sum);
    usage.inconsistent =
        input_over || output_over || contradicted || made.doubtful || counts.doubtful();
    Some(usage)
}

/// Books the prompt's parts. What was cached is no longer sound or picture: it has a price of its own. Returns
/// whether the parts are more than the whole.
fn input(node: Node<'_>, counts: &Counts<'_>, prompt: u64, usage: &mut Usage) -> bool {
    let cached = counts.tokens(&["cachedContentTokenCount"]).unwrap_or(0);
    let read = Modalities::of(node, "promptTokensDetails");
    let kept = Modalities::of(node, "cacheTokensDetails");
    let over = split(
        prompt,
        &[
            (Meter::CacheRead, cached),
            (Meter::InputAudio, read.audio.saturating_sub(kept.audio)),
            (Meter::InputImage, read.seen.saturating_sub(kept.seen)),
        ],
        Meter::Input,
        usage,
    );
    over || read.doubtful || kept.doubtful
}

/// Books `parts` of `whole`, never more than there is, and the rest by `rest`.
fn split(whole: u64, parts: &[(Meter, u64)], rest: Meter, usage: &mut Usage) -> bool {
    let (mut left, mut over) = (whole, false);
    for (meter, wanted) in parts {
        let given = left.min(*wanted);
        over |= given < *wanted;
        left -= given;
        usage.add(*meter, given);
    }
    usage.add(rest, left);
    over
}

/// Tokens by modality, where they are told apart.
#[derive(Default)]
struct Modalities {
    audio: u64,
    /// Images and video.
    seen: u64,
    doubtful: bool,
}

impl Modalities {
    fn of(node: Node<'_>, key: &str) -> Self {
        let mut sum = Self::default();
        for detail in node.get(key).iter().flat_map(Node::items) {
            let kind = detail.get("modality").and_then(|m| m.text());
            let slot = match kind.as_deref() {
                Some("AUDIO") => &mut sum.audio,
                Some("IMAGE" | "VIDEO") => &mut sum.seen,
                _ => continue,
            };
            let counts = Counts::of(detail);
            *slot = slot.saturating_add(counts.tokens(&["tokenCount"]).unwrap_or(0));
            sum.doubtful |= counts.doubtful();
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use proptest::prelude::*;

    fn check(doc: &str, lines: &[(Meter, u64)], inconsistent: bool) {
        let usage = read(json::parse(doc.as_bytes()).unwrap()).unwrap();
        for meter in Meter::ALL {
            let wanted = lines.iter().find(|(m, _)| *m == meter);
            let wanted = wanted.map_or(0, |(_, n)| *n);
            assert_eq!(usage.get(meter), wanted, "{meter:?} of {doc}");
        }
        assert_eq!(usage.inconsistent, inconsistent, "{doc}");
    }

    #[test]
    fn thoughts_and_tools_stand_outside() {
        check(
            r#"{"promptTokenCount":46,"candidatesTokenCount":51,"thoughtsTokenCount":101,"toolUsePromptTokenCount":20,"totalTokenCount":218}"#,
            &[
                (Meter::Input, 66),
                (Meter::Output, 51),
                (Meter::Reasoning, 101),
            ],
            false,
        );
        // Zeros are left out.
        check(
            r#"{"promptTokenCount":14,"totalTokenCount":14}"#,
            &[(Meter::Input, 14)],
            false,
        );
        check(
            r#"{"promptTokenCount":15,"thoughtsTokenCount":2,"totalTokenCount":17}"#,
            &[(Meter::Input, 15), (Meter::Reasoning, 2)],
            false,
        );
    }

    #[test]
    fn modalities_are_told_apart_unless_they_were_cached() {
        check(
            r#"{"promptTokenCount":100,"cachedContentTokenCount":60,"candidatesTokenCount":9,"totalTokenCount":109,
                "promptTokensDetails":[{"modality":"TEXT","tokenCount":30},{"modality":"AUDIO","tokenCount":40},{"modality":"VIDEO","tokenCount":20},{"modality":"IMAGE","tokenCount":10}],
                "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":35},{"modality":"TEXT","tokenCount":25}],
                "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":7}]}"#,
            &[
                (Meter::CacheRead, 60),
                (Meter::InputAudio, 5),
                (Meter::InputImage, 30),
                (Meter::Input, 5),
                (Meter::OutputImage, 7),
                (Meter::Output, 2),
            ],
            false,
        );
    }

    #[test]
    fn contradictions_are_flagged_and_nothing_is_no_usage() {
        check(
            r#"{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":99}"#,
            &[(Meter::Input, 10), (Meter::Output, 5)],
            true,
        );
        check(r#"{"promptTokenCount":10}"#, &[(Meter::Input, 10)], true);
        check(
            r#"{"promptTokenCount":10,"cachedContentTokenCount":11,"totalTokenCount":10}"#,
            &[(Meter::CacheRead, 10)],
            true,
        );
        for doc in [
            "{}",
            r#"{"trafficType":"ON_DEMAND"}"#,
            r#"{"totalTokenCount":3}"#,
        ] {
            assert_eq!(read(json::parse(doc.as_bytes()).unwrap()), None, "{doc}");
        }
    }

    proptest! {
        #[test]
        fn parts_add_up_or_are_flagged(p: u32, c: u32, h: u32, t: u64, cached: u32, audio: u32) {
            let doc = format!(r#"{{"promptTokenCount":{p},"candidatesTokenCount":{c},"thoughtsTokenCount":{h},"totalTokenCount":{t},"cachedContentTokenCount":{cached},"promptTokensDetails":[{{"modality":"AUDIO","tokenCount":{audio}}}]}}"#);
            let usage = read(json::parse(doc.as_bytes()).unwrap()).unwrap();
            prop_assert!(usage.inconsistent || usage.input_tokens() + usage.output_tokens() == t);
        }
    }
}
