//! Writes a `usageMetadata`: thoughts stand outside `candidatesTokenCount`, what was cached inside `promptTokenCount`.

use lintel_types::{Meter, Usage};

use crate::json::write::Object;

/// Writes the member.
pub(super) fn write(usage: &Usage, o: &mut Object<'_>) {
    let (input, output) = (usage.input_tokens(), usage.output_tokens());
    let thoughts = usage.get(Meter::Reasoning);
    o.object("usageMetadata", |u| {
        u.int("promptTokenCount", input)
            .int("candidatesTokenCount", output.saturating_sub(thoughts))
            .int("totalTokenCount", input.saturating_add(output));
        if thoughts > 0 {
            u.int("thoughtsTokenCount", thoughts);
        }
        let cached = usage.get(Meter::CacheRead);
        if cached > 0 {
            u.int("cachedContentTokenCount", cached);
        }
        let read = [
            ("AUDIO", usage.get(Meter::InputAudio)),
            ("IMAGE", usage.get(Meter::InputImage)),
        ];
        details("promptTokensDetails", input, read, u);
        let made = [
            ("AUDIO", usage.get(Meter::OutputAudio)),
            ("IMAGE", usage.get(Meter::OutputImage)),
        ];
        details(
            "candidatesTokensDetails",
            output.saturating_sub(thoughts),
            made,
            u,
        );
    });
}

/// Tokens by modality, where there are others than text.
fn details(key: &str, whole: u64, parts: [(&str, u64); 2], u: &mut Object<'_>) {
    let other = parts
        .iter()
        .fold(0, |sum: u64, (_, n)| sum.saturating_add(*n));
    if other == 0 {
        return;
    }
    u.array(key, |a| {
        let text = ("TEXT", whole.saturating_sub(other));
        for (modality, count) in [text].into_iter().chain(parts).filter(|(_, n)| *n > 0) {
            a.object(|d| {
                d.str("modality", modality).int("tokenCount", count);
            });
        }
    });
}
