//! The features of the matrix, in order, each with a probe that uses it and nothing else.

use lintel_types::Meter;
use lintel_types::canon::{
    Depth, Format, PartKind, RawJson, Reply, Request, Role, Source, StopReason, ToolChoice,
};

use super::probes::*;
use super::{Feature, Probe};

const fn asks(name: &'static str, set: fn(&mut Request), kept: fn(&Request) -> bool) -> Feature {
    Feature {
        name,
        probe: Probe::Asks(set, kept),
    }
}

const fn answers(name: &'static str, set: fn(&mut Reply), kept: fn(&Reply) -> bool) -> Feature {
    Feature {
        name,
        probe: Probe::Answers(set, kept),
    }
}

/// Every feature, in the order in which the matrix shows them.
pub const FEATURES: &[Feature] = &[
    asks(
        "system message",
        |r| lead(r, Role::System),
        has_instructions,
    ),
    asks(
        "developer message",
        |r| lead(r, Role::Developer),
        has_instructions,
    ),
    asks(
        "system message between others",
        |r| r.messages.push(said(Role::System, text("now"))),
        has_instructions,
    ),
    asks(
        "image, inline",
        |r| show(r, image(inline("image/png"))),
        |r| {
            any(r, |k| {
                matches!(
                    k,
                    PartKind::Image {
                        source: Source::Inline { .. },
                        ..
                    }
                )
            })
        },
    ),
    asks(
        "image, by URL",
        |r| show(r, image(Source::Url("https://example.com/a.png".into()))),
        |r| {
            any(r, |k| {
                matches!(
                    k,
                    PartKind::Image {
                        source: Source::Url(_),
                        ..
                    }
                )
            })
        },
    ),
    asks(
        "document, inline",
        |r| show(r, document()),
        |r| any(r, |k| matches!(k, PartKind::Document { .. })),
    ),
    asks(
        "audio, inline",
        |r| show(r, PartKind::Audio(inline("audio/wav"))),
        |r| any(r, |k| matches!(k, PartKind::Audio(_))),
    ),
    asks(
        "video, inline",
        |r| show(r, PartKind::Video(inline("video/mp4"))),
        |r| any(r, |k| matches!(k, PartKind::Video(_))),
    ),
    asks(
        "tools",
        |r| r.tools = vec![tool(None)],
        |r| r.tools.iter().any(is_function),
    ),
    asks(
        "tools, strict",
        |r| r.tools = vec![tool(Some(true))],
        |r| r.tools.iter().any(is_strict),
    ),
    asks(
        "tool choice: required",
        |r| choose(r, ToolChoice::Required),
        |r| chosen(r, &ToolChoice::Required),
    ),
    asks(
        "tool choice: by name",
        |r| choose(r, ToolChoice::Named("f".into())),
        |r| chosen(r, &ToolChoice::Named("f".into())),
    ),
    asks(
        "tool choice: none",
        |r| choose(r, ToolChoice::None),
        |r| chosen(r, &ToolChoice::None),
    ),
    asks(
        "one tool call at a time",
        |r| {
            choose(r, ToolChoice::Auto);
            r.settings.parallel_tools = set(false);
        },
        |r| r.settings.parallel_tools.as_ref().is_some_and(|s| !s.value),
    ),
    asks(
        "tool results",
        |r| call(r, text("42"), false),
        |r| result(r, |_| true),
    ),
    asks(
        "tool results with images",
        |r| call(r, image(inline("image/png")), false),
        |r| {
            result(r, |t| {
                t.parts
                    .iter()
                    .any(|p| matches!(p.kind, PartKind::Image { .. }))
            })
        },
    ),
    asks(
        "failed tool results",
        |r| call(r, text("no"), true),
        |r| result(r, |t| t.is_error),
    ),
    asks(
        "JSON by a schema",
        |r| r.settings.format = set(schema()),
        |r| matches!(format(r), Some(Format::JsonSchema(_))),
    ),
    asks(
        "some JSON object",
        |r| r.settings.format = set(Format::JsonObject),
        |r| matches!(format(r), Some(Format::JsonObject)),
    ),
    asks(
        "cap on output",
        |r| r.settings.max_output = set(100),
        |r| {
            r.settings
                .max_output
                .as_ref()
                .is_some_and(|s| s.value == 100)
        },
    ),
    asks(
        "temperature up to 1",
        |r| r.settings.temperature = set(0.5),
        |r| {
            r.settings
                .temperature
                .as_ref()
                .is_some_and(|s| s.value == 0.5)
        },
    ),
    asks(
        "temperature above 1",
        |r| r.settings.temperature = set(1.5),
        |r| {
            r.settings
                .temperature
                .as_ref()
                .is_some_and(|s| s.value == 1.5)
        },
    ),
    asks(
        "top_p",
        |r| r.settings.top_p = set(0.5),
        |r| r.settings.top_p.is_some(),
    ),
    asks(
        "top_k",
        |r| r.settings.top_k = set(5),
        |r| r.settings.top_k.is_some(),
    ),
    asks(
        "stop sequences",
        |r| r.settings.stop = set(vec!["END".into()]),
        |r| r.settings.stop.is_some(),
    ),
    asks(
        "several answers",
        |r| r.settings.choices = set(2),
        |r| r.settings.choices.is_some(),
    ),
    asks(
        "seed",
        |r| r.settings.seed = set(7),
        |r| r.settings.seed.is_some(),
    ),
    asks(
        "penalties",
        |r| {
            r.settings.presence_penalty = set(0.5);
            r.settings.frequency_penalty = set(0.5);
        },
        |r| r.settings.presence_penalty.is_some() && r.settings.frequency_penalty.is_some(),
    ),
    asks(
        "logit bias",
        |r| r.settings.logit_bias = set(RawJson::new(r#"{"5":1}"#)),
        |r| r.settings.logit_bias.is_some(),
    ),
    asks(
        "log probabilities",
        |r| r.settings.logprobs = set(true),
        |r| r.settings.logprobs.is_some(),
    ),
    asks(
        "reasoning by effort",
        |r| reason(r, Depth::Effort("high".into())),
        reasons,
    ),
    asks(
        "reasoning by budget",
        |r| reason(r, Depth::Budget(8_192)),
        reasons,
    ),
    asks("prompt cache marks", mark, |r| {
        r.messages
            .iter()
            .flat_map(|m| &m.parts)
            .any(|p| p.cache.is_some())
    }),
    asks(
        "end user",
        |r| r.settings.user = set("u1".into()),
        |r| r.settings.user.is_some(),
    ),
    asks(
        "metadata",
        |r| r.settings.metadata = set(RawJson::new(r#"{"a":"b"}"#)),
        |r| r.settings.metadata.is_some(),
    ),
    asks(
        "verbosity",
        |r| r.settings.verbosity = set("low".into()),
        |r| r.settings.verbosity.is_some(),
    ),
    answers(
        "answer: tool calls",
        |r| add(r, called("c1"), StopReason::ToolUse),
        |r| shows(r, |k| matches!(k, PartKind::ToolCall(_))),
    ),
    answers(
        "answer: parallel tool calls",
        |r| {
            add(r, called("c1"), StopReason::ToolUse);
            add(r, called("c2"), StopReason::ToolUse);
        },
        |r| {
            parts(r)
                .filter(|p| matches!(p.kind, PartKind::ToolCall(_)))
                .count()
                == 2
        },
    ),
    answers("answer: reasoning", lead_with_reasoning, |r| {
        shows(
            r,
            |k| matches!(k, PartKind::Reasoning(t) if !t.text.is_empty()),
        )
    }),
    answers("answer: web citations", cite, |r| {
        shows(
            r,
            |k| matches!(k, PartKind::Text { citations, .. } if !citations.is_empty()),
        )
    }),
    answers("answer: refusal", refuse, |r| {
        // Where a dialect has no such stop, the filter's is the one that says "not a normal end".
        ended(r, StopReason::Refusal)
            || ended(r, StopReason::ContentFilter)
            || shows(r, |k| matches!(k, PartKind::Refusal(_)))
    }),
    answers(
        "answer: cut at the cap",
        |r| ends(r, StopReason::MaxTokens),
        |r| ended(r, StopReason::MaxTokens),
    ),
    answers(
        "answer: stopped by a filter",
        |r| ends(r, StopReason::ContentFilter),
        |r| ended(r, StopReason::ContentFilter),
    ),
    answers(
        "answer: cached tokens",
        |r| used(r, Meter::CacheRead),
        |r| {
            r.usage
                .as_ref()
                .is_some_and(|u| u.get(Meter::CacheRead) == 5)
        },
    ),
    answers(
        "answer: cache writes",
        |r| used(r, Meter::CacheWrite5m),
        |r| {
            r.usage
                .as_ref()
                .is_some_and(|u| u.get(Meter::CacheWrite5m) == 5)
        },
    ),
    answers(
        "answer: reasoning tokens",
        |r| used(r, Meter::Reasoning),
        |r| {
            r.usage
                .as_ref()
                .is_some_and(|u| u.get(Meter::Reasoning) == 5)
        },
    ),
];
