//! The usage object that this dialect's SDKs demand. Reading it is the provider's meter's work.

use lintel_types::{Meter, Usage};

use crate::json::write::Object;

/// Writes `usage` as this dialect counts: `input_tokens` leaves out what was cached. What isn't known is zero.
pub(super) fn write(o: &mut Object<'_>, usage: Option<&Usage>) {
    let none = Usage::new();
    let usage = usage.unwrap_or(&none);
    let get = |meter| usage.get(meter);
    let (five, hour) = (get(Meter::CacheWrite5m), get(Meter::CacheWrite1h));
    let cached = [get(Meter::CacheRead), five, hour]
        .into_iter()
        .fold(0, u64::saturating_add);
    o.int("input_tokens", usage.input_tokens().saturating_sub(cached))
        .int("cache_creation_input_tokens", five.saturating_add(hour))
        .int("cache_read_input_tokens", get(Meter::CacheRead))
        .object("cache_creation", |o| {
            o.int("ephemeral_5m_input_tokens", five)
                .int("ephemeral_1h_input_tokens", hour);
        })
        .int("output_tokens", usage.output_tokens());
    if get(Meter::Reasoning) > 0 {
        o.object("output_tokens_details", |o| {
            o.int("thinking_tokens", get(Meter::Reasoning));
        });
    }
    match get(Meter::WebSearch) {
        0 => o.null("server_tool_use"),
        searches => o.object("server_tool_use", |o| {
            o.int("web_search_requests", searches)
                .int("web_fetch_requests", 0);
        }),
    };
    o.null("service_tier");
}
