//! Whatever this dialect can say keeps its meaning on the way through its own body.

use lintel_types::canon::{
    At, CacheMark, Depth, Extra, Format, FunctionTool, JsonSchema, Message, Part, PartKind,
    RawJson, Reasoning, ReasoningAsk, Request, Role, Seal, Source, Tool, ToolCall, ToolChoice,
    ToolKind, ToolResult,
};
use proptest::option;
use proptest::prelude::*;

use super::{MODEL, Placeless, decode, encode, set};
use crate::provider::ANTHROPIC;

fn words() -> impl Strategy<Value = String> {
    // Neither blank nor ending in white space, which the API refuses at some places.
    r#"[a-z"\\é\n]{0,6}[a-zé"]"#
}

fn mark() -> impl Strategy<Value = Option<CacheMark>> {
    option::of(
        prop_oneof![Just(None), Just(Some("1h".to_owned()))].prop_map(|ttl| CacheMark { ttl }),
    )
}

fn part(kind: impl Strategy<Value = PartKind>) -> impl Strategy<Value = Part> {
    (kind, mark()).prop_map(|(kind, cache)| {
        let cache =
            cache.filter(|_| !matches!(kind, PartKind::Reasoning(_) | PartKind::Opaque { .. }));
        Part {
            kind,
            cache,
            at: At::default(),
        }
    })
}

fn text() -> impl Strategy<Value = PartKind> {
    words().prop_map(PartKind::text)
}

fn media() -> impl Strategy<Value = PartKind> {
    let url = "https://[a-z]{1,5}".prop_map(Source::Url);
    let inline = |media_type: &'static str| {
        words().prop_map(move |data| Source::Inline {
            media_type: media_type.into(),
            data,
        })
    };
    let image = prop_oneof![url, inline("image/png")].prop_map(|source| PartKind::Image {
        source,
        detail: None,
    });
    let file = prop_oneof![words().prop_map(Source::Text), inline("application/pdf")];
    let document = (
        file,
        option::of(words()),
        option::of(words()),
        option::of(any::<bool>()),
    );
    let document = document.prop_map(|(source, title, context, citations)| PartKind::Document {
        source,
        title,
        context,
        citations,
    });
    prop_oneof![image, document]
}

fn opaque() -> impl Strategy<Value = PartKind> {
    words().prop_map(|text| PartKind::Opaque {
        kind: "novel".into(),
        protocol: ANTHROPIC,
        raw: RawJson::new(serde_json::json!({ "type": "novel", "x": text }).to_string()),
    })
}

fn sealed() -> impl Strategy<Value = PartKind> {
    (words(), any::<bool>()).prop_map(|(text, redacted)| {
        let seal = |data: &str| {
            Some(Seal {
                protocol: ANTHROPIC,
                data: data.into(),
            })
        };
        PartKind::Reasoning(Reasoning {
            seal: seal(if redacted { "redacted:abc" } else { "abc" }),
            text: if redacted { String::new() } else { text },
            ..Reasoning::default()
        })
    })
}

/// A user's turn, then a model's, then results of the calls in it.
fn round() -> impl Strategy<Value = Vec<Message>> {
    let said = prop::collection::vec(part(prop_oneof![text(), media(), opaque()]), 1..3);
    let thought = prop::collection::vec(part(prop_oneof![sealed(), text(), opaque()]), 1..3);
    let inner = prop::collection::vec(part(prop_oneof![text(), media()]), 0..3);
    let calls = prop::collection::vec((inner, any::<bool>()), 0..3);
    (said, thought, calls).prop_map(|(said, mut thought, calls)| {
        let mut results = Vec::new();
        for (i, (parts, is_error)) in calls.into_iter().enumerate() {
            let id = format!("call_{i}");
            let call = ToolCall {
                id: id.clone(),
                name: "f".into(),
                arguments: r#"{"a": 1}"#.into(),
                custom: false,
                seal: None,
            };
            thought.push(Part::new(PartKind::ToolCall(call), At::default()));
            let result = ToolResult {
                call_id: id,
                name: None,
                parts,
                is_error,
            };
            results.push(Part::new(PartKind::ToolResult(result), At::default()));
        }
        let message = |role, parts| Message {
            role,
            name: None,
            parts,
            at: At::default(),
        };
        let mut round = vec![message(Role::User, said), message(Role::Assistant, thought)];
        if !results.is_empty() {
            round.push(message(Role::Tool, results));
        }
        round
    })
}

fn conversation() -> impl Strategy<Value = Vec<Message>> {
    let system = option::of(prop::collection::vec(part(text()), 1..3));
    (system, prop::collection::vec(round(), 1..3)).prop_map(|(system, rounds)| {
        let system = system.map(|parts| Message {
            role: Role::System,
            name: None,
            parts,
            at: At::default(),
        });
        system
            .into_iter()
            .chain(rounds.into_iter().flatten())
            .collect()
    })
}

fn tools() -> impl Strategy<Value = Vec<Tool>> {
    let schema = r#"{"type":"object","properties":{"a":{}},"additionalProperties":false}"#;
    let function = (option::of(words()), option::of(any::<bool>())).prop_map(move |(d, strict)| {
        ToolKind::Function(FunctionTool {
            name: "f".into(),
            description: d,
            parameters: Some(RawJson::new(schema)),
            strict,
        })
    });
    let server = Just(ToolKind::Opaque {
        kind: "web_search_20250305".into(),
        protocol: ANTHROPIC,
        raw: RawJson::new(r#"{"type":"web_search_20250305","name":"web_search"}"#),
    });
    let function = (function, mark()).prop_map(|(kind, cache)| Tool {
        kind,
        cache,
        at: At::default(),
    });
    let server = server.prop_map(|kind| Tool {
        kind,
        cache: None,
        at: At::default(),
    });
    prop::collection::vec(prop_oneof![function, server], 1..3)
}

fn choice() -> impl Strategy<Value = Option<ToolChoice>> {
    option::of(prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        Just(ToolChoice::Named("f".into())),
    ])
}

prop_compose! {
    fn request()(
        messages in conversation(),
        tools in tools(),
        choice in choice(),
        serial in option::of(any::<bool>()),
        max in 2_000u64..60_000,
        temperature in option::of(0u8..=10),
        top_k in option::of(1u64..100),
        stop in option::of(prop::collection::vec(words(), 1..3)),
        user in option::of(words()),
        tier in option::of(prop_oneof![Just("auto"), Just("standard_only")]),
        schema in any::<bool>(),
        depth in option::of(prop_oneof![Just(Depth::Off), (1_024u64..1_999).prop_map(Depth::Budget)]),
        show in any::<bool>(),
        stream in any::<bool>(),
        extra in any::<bool>(),
    ) -> Request {
        let mut request = Request { model: MODEL.into(), messages, tools, stream, include_usage: true, ..Request::default() };
        let forced = matches!(choice, Some(ToolChoice::Required | ToolChoice::Named(_)));
        let settings = &mut request.settings;
        settings.max_output = set(max, "$.max_tokens");
        let budget = matches!(depth, Some(Depth::Budget(_)));
        // Thinking excludes a forced tool and sampling, and demands that the last loop of calls thinks.
        let depth = depth.filter(|d| *d == Depth::Off || !forced);
        if !budget {
            settings.temperature = temperature.and_then(|t| set(f64::from(t) / 10.0, "$.temperature"));
            settings.top_k = top_k.and_then(|k| set(k, "$.top_k"));
        }
        settings.stop = stop.and_then(|s| set(s, "$.stop_sequences"));
        settings.user = user.and_then(|u| set(u, "$.metadata.user_id"));
        settings.service_tier = tier.and_then(|t| set(t.to_owned(), "$.service_tier"));
        if schema {
            let raw = RawJson::new(r#"{"type": "object","properties":{},"additionalProperties":false}"#);
            let schema = JsonSchema { name: None, description: None, schema: raw, strict: None };
            settings.format = set(Format::JsonSchema(schema), "$.output_config.format");
        }
        settings.reasoning = depth.and_then(|depth| {
            let show = (depth != Depth::Off).then_some(show);
            set(ReasoningAsk { depth: Some(depth), show, summary: None }, "$.thinking")
        });
        if !matches!(choice, None | Some(ToolChoice::None)) {
            settings.parallel_tools = serial.and_then(|s| set(!s, "$.tool_choice.disable_parallel_tool_use"));
        }
        request.tool_choice = choice.and_then(|c| set(c, "$.tool_choice"));
        if extra {
            request.extras.push(Extra { key: "container".into(), at: At::new("$.container"), protocol: ANTHROPIC, value: RawJson::new(r#""c_1""#) });
        }
        request
    }
}

/// The request without places; `Role::Tool` and what follows it in one turn are two messages.
fn placeless(mut request: Request) -> Request {
    for message in &mut request.messages {
        message.at = At::default();
        message.parts = std::mem::take(&mut message.parts).placeless();
    }
    request.tools.iter_mut().for_each(|t| t.at = At::default());
    request
}

/// Whether a budget is refused because the last loop of calls did not begin with thinking.
fn thoughtless(request: &Request) -> bool {
    let mut back = request.messages.iter().rev();
    let (last, before) = (back.next(), back.next());
    let thought = before.and_then(|m| m.parts.first()).map(|p| &p.kind);
    last.is_some_and(|m| m.role == Role::Tool) && !matches!(thought, Some(PartKind::Reasoning(_)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_can_be_said_keeps_its_meaning(mut request in request()) {
        if thoughtless(&request) {
            request.settings.reasoning = None;
        }
        let (_, encoded) = encode(&request, MODEL);
        prop_assert_eq!(&encoded.notes, &Default::default());
        let again = decode(std::str::from_utf8(&encoded.body).unwrap());
        prop_assert_eq!(placeless(again), placeless(request));
    }

    #[test]
    fn reading_never_panics(body in r#"\{("model":"m",)?"messages":(\[(\{"role":"(user|assistant)","content":("x"|\[\{"type":"[a-z_]{1,8}"\}\]|7)\})?\]|3)\}"#) {
        let head = crate::surface::spec(crate::surface::ANTHROPIC_MESSAGES).head(body.as_bytes(), &Default::default());
        if let Ok(head) = head {
            let _ = super::super::read_request::read(body.as_bytes(), &head);
        }
    }
}
