//! Every field of a call's line, for people: `docs/logs.md` is made from these lists, and a test holds them against a line.

/// One field of a line: its name, its type and unit, what it says.
pub type FieldOf = (&'static str, &'static str, &'static str);

/// Every field of a call's line, in their order. `docs/logs.md` is made from it.
pub const FIELDS: &[FieldOf] = &[
    ("time", "time, RFC 3339 in UTC", "When the call began."),
    (
        "level",
        "word",
        "`info`; `warn` when Lintel or a provider was at fault or the process stopped; `error` after a panic.",
    ),
    ("msg", "word", "`call`."),
    (
        "request_id",
        "text",
        "The exchange id, `ex_…`: the answer's `x-request-id`, the error body's `request_id`, the row in ledger and request log.",
    ),
    (
        "trace_id",
        "text, 32 hex digits",
        "The caller's trace. Absent without a valid `traceparent`.",
    ),
    (
        "client_request_id",
        "text",
        "The caller's own `x-request-id`, up to 128 bytes.",
    ),
    (
        "auth",
        "word",
        "What came of the credential: `accepted`, `refused` (then `code` says why), `unread` (the call ended before).",
    ),
    (
        "client_subject",
        "text",
        "The subject of the client's certificate, when it showed a good one.",
    ),
    ("tenant", "text", "Who pays. Absent when nobody is known."),
    ("project", "text", "The tenant's project."),
    ("key", "text", "The key's public id, never the key."),
    ("feature", "text", "`x-lintel-feature`."),
    (
        "surface",
        "word",
        "What the client speaks: `openai.chat`, `anthropic.messages`, …",
    ),
    (
        "route",
        "text",
        "The route, or `provider/model` of a direct call.",
    ),
    ("stream", "flag", "Whether a stream was asked for."),
    (
        "outcome",
        "word",
        "`success`, `client_error`, `gateway_error`, `provider_error`, `cancelled`, `shutdown`, `revoked`, `panicked`.",
    ),
    (
        "status",
        "whole number",
        "The HTTP status that was sent; 0 when nothing was.",
    ),
    (
        "code",
        "word",
        "The stable code of the error: [errors](errors.md).",
    ),
    (
        "side",
        "word",
        "Who ended it, when it was no success: `client`, `gateway`, `provider`.",
    ),
    (
        "reason",
        "text",
        "Why, in a sentence; of a provider's error its message, scrubbed.",
    ),
    (
        "degraded",
        "text",
        "A later tier answered, and why: `tier=2; cause=rate_limited`.",
    ),
    (
        "finish_reason",
        "word",
        "Why the model stopped, in the provider's word.",
    ),
    (
        "attempts",
        "list",
        "What was tried, in order: the fields below.",
    ),
    (
        "input_tokens",
        "tokens",
        "Input of all attempts, cached ones included.",
    ),
    (
        "output_tokens",
        "tokens",
        "Output of all attempts, reasoning included.",
    ),
    (
        "cost_usd",
        "decimal text, US dollars",
        "What all attempts cost.",
    ),
    (
        "estimated",
        "flag",
        "Some usage was not reported and is estimated. Absent when not.",
    ),
    (
        "duration_ms",
        "milliseconds, three places",
        "From the first byte in to the last byte out.",
    ),
    (
        "first_token_ms",
        "milliseconds, three places",
        "To the first content that went to the client.",
    ),
    (
        "overhead_us",
        "microseconds",
        "Lintel's own share until the answer's head.",
    ),
    ("request_bytes", "bytes", "The request's body."),
    (
        "response_bytes",
        "bytes",
        "The answer's body, as far as it was sent.",
    ),
    (
        "config",
        "text, 16 hex digits",
        "The hash of the configuration that decided: `lintel config show`, `lintel_config_info`.",
    ),
    (
        "sample",
        "share",
        "The line is one of this share of the calls that went well: multiply. Absent when every call has its line.",
    ),
    (
        "suppressed",
        "lines",
        "Refusals since the last such line that have none, because more than 50 came in a second.",
    ),
];

/// Every field of an element of `attempts`.
pub const ATTEMPT_FIELDS: &[FieldOf] = &[
    ("provider", "text", "The provider."),
    ("model", "text", "The model's name there."),
    ("leg", "word", "`primary` or `retry`."),
    ("tier", "whole number", "The route's tier, from 1."),
    (
        "span_id",
        "text, 16 hex digits",
        "The attempt's span: the parent that the provider was told in `traceparent`. Absent without a trace.",
    ),
    (
        "status",
        "whole number",
        "The provider's HTTP status. Absent when no answer began.",
    ),
    (
        "class",
        "word",
        "How it failed: the classes of [configuration](configuration.md#routes). Absent when it didn't.",
    ),
    (
        "phase",
        "word",
        "How far it had come: `before_send`, `before_first_byte`, `mid_stream`.",
    ),
    ("reason", "text", "Why this target was tried."),
    (
        "provider_request_id",
        "text",
        "The provider's own id of the request.",
    ),
    (
        "spoken",
        "word",
        "The surface that the call was translated to. Absent when bytes passed.",
    ),
    (
        "dropped",
        "list of JSON paths",
        "What the target could not be told.",
    ),
    (
        "emulated",
        "list of JSON paths",
        "What it was told in another way.",
    ),
    (
        "ms",
        "milliseconds, three places",
        "How long the attempt took.",
    ),
];
