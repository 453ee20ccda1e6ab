//! The usage object, whole, as the official SDKs expect it.

use lintel_types::{Meter, Usage};

use crate::json::write::Object;

/// Writes the members of a usage object; zeros where nothing is known.
pub(super) fn write(o: &mut Object<'_>, usage: Option<&Usage>) {
    let none = Usage::new();
    let usage = usage.unwrap_or(&none);
    let (input, output) = (usage.input_tokens(), usage.output_tokens());
    let written = usage
        .get(Meter::CacheWrite5m)
        .saturating_add(usage.get(Meter::CacheWrite1h));
    let some = |o: &mut Object<'_>, key: &str, count: u64| {
        if count > 0 {
            o.int(key, count);
        }
    };
    o.int("prompt_tokens", input)
        .int("completion_tokens", output)
        .int("total_tokens", input.saturating_add(output))
        .object("prompt_tokens_details", |o| {
            o.int("cached_tokens", usage.get(Meter::CacheRead))
                .int("audio_tokens", usage.get(Meter::InputAudio));
            // OpenRouter's words, where there is something to say.
            some(o, "cache_write_tokens", written);
            some(o, "image_tokens", usage.get(Meter::InputImage));
        })
        .object("completion_tokens_details", |o| {
            o.int("reasoning_tokens", usage.get(Meter::Reasoning))
                .int("audio_tokens", usage.get(Meter::OutputAudio))
                .int("accepted_prediction_tokens", 0)
                .int("rejected_prediction_tokens", 0);
            some(o, "image_tokens", usage.get(Meter::OutputImage));
        });
    let searches = usage.get(Meter::WebSearch);
    if searches > 0 {
        o.object("server_tool_use_details", |o| {
            o.int("web_search_requests", searches);
        });
    }
}
