//! Writing usage, and the metrics that SDKs demand beside it.

use lintel_types::{Meter, Usage};

use crate::json::write::Object;

/// Writes `usage` and `metrics`. The latency is nobody's here, and 0.
pub(super) fn write(o: &mut Object<'_>, usage: Option<&Usage>) {
    let none = Usage::new();
    let usage = usage.unwrap_or(&none);
    let read = usage.get(Meter::CacheRead);
    let one_hour = usage.get(Meter::CacheWrite1h);
    let written = usage.get(Meter::CacheWrite5m) + one_hour;
    let (input, output) = (usage.input_tokens(), usage.output_tokens());
    o.object("usage", |o| {
        o.int("inputTokens", input.saturating_sub(read + written))
            .int("outputTokens", output)
            .int("totalTokens", input.saturating_add(output));
        if read > 0 {
            o.int("cacheReadInputTokens", read);
        }
        if written > 0 {
            o.int("cacheWriteInputTokens", written);
        }
        if one_hour > 0 {
            o.array("cacheDetails", |a| {
                for (ttl, tokens) in [("5m", written - one_hour), ("1h", one_hour)] {
                    if tokens > 0 {
                        a.object(|o| {
                            o.str("ttl", ttl).int("inputTokens", tokens);
                        });
                    }
                }
            });
        }
    });
    o.object("metrics", |o| {
        o.int("latencyMs", 0);
    });
}
