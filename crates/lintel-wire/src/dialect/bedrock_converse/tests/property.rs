//! What the dialect can say, it reads back as it was.

use lintel_types::canon::{
    At, CacheMark, Depth, Format, FunctionTool, JsonSchema, Message, Part, PartKind, RawJson,
    Reasoning, ReasoningAsk, Role, Set, Source, Tool, ToolCall, ToolChoice, ToolKind, ToolResult,
};
use proptest::option;
use proptest::prelude::*;

use super::super::block::seal;
use super::*;

const SONNET: &str = "us.anthropic.claude-sonnet-4-6";

fn word() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9_-]{1,12}"
}

fn text() -> impl Strategy<Value = PartKind> {
    "[ -~\u{e9}\u{1f600}]{0,20}x".prop_map(PartKind::text)
}

fn source(media_type: &'static str, end: &'static str) -> impl Strategy<Value = Source> {
    prop_oneof![
        "[A-Za-z0-9+/]{4}".prop_map(move |data| Source::Inline {
            media_type: media_type.to_owned(),
            data,
        }),
        word().prop_map(move |name| Source::Url(format!("s3://bucket/{name}.{end}"))),
    ]
}

fn media() -> impl Strategy<Value = PartKind> {
    prop_oneof![
        source("image/webp", "webp").prop_map(|source| PartKind::Image {
            source,
            detail: None,
        }),
        source("video/3gpp", "3gp").prop_map(PartKind::Video),
        (
            source("text/csv", "csv"),
            option::of("[a-z ]{0,9}z"),
            option::of(any::<bool>())
        )
            .prop_map(|(source, context, citations)| PartKind::Document {
                source,
                title: None,
                context,
                citations,
            }),
    ]
}

fn marked(kind: impl Strategy<Value = PartKind>) -> impl Strategy<Value = Part> {
    let ttl = option::of(prop_oneof![Just("5m".to_owned()), Just("1h".to_owned())]);
    let cache = option::weighted(0.2, ttl.prop_map(|ttl| CacheMark { ttl }));
    (kind, cache).prop_map(|(kind, cache)| Part {
        kind,
        cache,
        at: At::default(),
    })
}

fn assistant() -> impl Strategy<Value = PartKind> {
    prop_oneof![
        text(),
        (word(), word(), "[a-z]{0,5}").prop_map(|(id, name, value)| PartKind::ToolCall(ToolCall {
            id,
            name,
            arguments: format!(r#"{{"a": "{value}"}}"#),
            custom: false,
            seal: None,
        })),
        (word(), word()).prop_map(|(text, data)| PartKind::Reasoning(Reasoning {
            text,
            seal: Some(seal(data)),
            ..Reasoning::default()
        })),
        word().prop_map(|data| PartKind::Reasoning(Reasoning {
            seal: Some(seal(format!("redacted:{data}"))),
            ..Reasoning::default()
        })),
    ]
}

fn result() -> impl Strategy<Value = PartKind> {
    let parts = proptest::collection::vec(text().prop_map(|k| Part::new(k, At::default())), 0..3);
    (word(), parts, any::<bool>()).prop_map(|(call_id, parts, is_error)| {
        PartKind::ToolResult(ToolResult {
            call_id,
            name: None,
            parts,
            is_error,
        })
    })
}

fn message(role: Role, parts: Vec<Part>) -> Option<Message> {
    (!parts.is_empty()).then(|| Message {
        role,
        name: None,
        parts,
        at: At::default(),
    })
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let some = |kind: BoxedStrategy<PartKind>, n| proptest::collection::vec(marked(kind), n);
    let user = prop_oneof![text(), media()].boxed();
    let turns = proptest::collection::vec(
        (
            some(result().boxed(), 0..2),
            some(user, 1..3),
            some(assistant().boxed(), 1..3),
        ),
        0..3,
    );
    (some(text().boxed(), 0..2), turns).prop_map(|(system, turns)| {
        let turns = turns.into_iter().flat_map(|(results, user, assistant)| {
            [
                message(Role::Tool, results),
                message(Role::User, user),
                message(Role::Assistant, assistant),
            ]
        });
        let all = std::iter::once(message(Role::System, system)).chain(turns);
        all.flatten().collect()
    })
}

fn tools() -> impl Strategy<Value = Vec<Tool>> {
    let function = (word(), option::of(word()), option::of(Just(true))).prop_map(
        |(name, description, strict)| Tool {
            kind: ToolKind::Function(FunctionTool {
                name,
                description,
                parameters: Some(RawJson::new(r#"{"type": "object"}"#)),
                strict,
            }),
            cache: None,
            at: At::default(),
        },
    );
    proptest::collection::vec(function, 1..3)
}

fn depth() -> impl Strategy<Value = Depth> {
    prop_oneof![
        Just(Depth::Off),
        Just(Depth::Auto),
        (1_024u64..9_000).prop_map(Depth::Budget),
        Just(Depth::Effort("high".into())),
    ]
}

fn requests() -> impl Strategy<Value = Request> {
    let choice = prop_oneof![Just(ToolChoice::Auto), word().prop_map(ToolChoice::Named)];
    let schema = (option::of(word()), option::of(word())).prop_map(|(name, description)| {
        Format::JsonSchema(JsonSchema {
            name,
            description,
            schema: RawJson::new(r#"{"a": [1, "\"x"]}"#),
            strict: None,
        })
    });
    (
        (messages(), tools(), option::of(choice)),
        option::of(10_000u64..20_000),
        option::of(0.0f64..1.0),
        option::of(0.0f64..1.0),
        option::of(proptest::collection::vec(word(), 1..3)),
        option::of(1u64..99),
        option::of(depth()),
        option::of(schema),
        option::of(word()),
    )
        .prop_map(
            |(
                (messages, tools, choice),
                max,
                temperature,
                top_p,
                stop,
                top_k,
                depth,
                format,
                label,
            )| {
                let mut request = Request {
                    messages,
                    tools,
                    tool_choice: choice.map(|c| Set::new(c, "")),
                    ..Request::default()
                };
                let s = &mut request.settings;
                s.max_output = max.map(|v| Set::new(v, ""));
                s.temperature = temperature.map(|v| Set::new(v, ""));
                s.top_p = top_p.map(|v| Set::new(v, ""));
                s.stop = stop.map(|v| Set::new(v, ""));
                s.top_k = top_k.map(|v| Set::new(v, ""));
                s.format = format.map(|v| Set::new(v, ""));
                s.metadata =
                    label.map(|v| Set::new(RawJson::new(format!(r#"{{"k": "{v}"}}"#)), ""));
                let forced = matches!(
                    request.tool_choice,
                    Some(Set {
                        value: ToolChoice::Named(_),
                        ..
                    })
                );
                let depth = depth.filter(|d| !forced || *d == Depth::Off);
                if depth.as_ref().is_some_and(|d| *d != Depth::Off) {
                    (s.temperature, s.top_p, s.top_k) = (None, None, None);
                }
                let ask = |depth| ReasoningAsk {
                    depth: Some(depth),
                    show: None,
                    summary: None,
                };
                s.reasoning = depth.map(|d| Set::new(ask(d), ""));
                request
            },
        )
}

/// Forgets where things stand: paths are the reader's, and names of documents are made where there are none.
fn forget(request: &mut Request) {
    request.include_usage = false;
    request.model.clear();
    for tool in &mut request.tools {
        tool.at = At::default();
    }
    for message in &mut request.messages {
        message.at = At::default();
        message.parts.iter_mut().for_each(forget_part);
    }
}

fn forget_part(part: &mut Part) {
    part.at = At::default();
    match &mut part.kind {
        PartKind::ToolResult(result) => result.parts.iter_mut().for_each(forget_part),
        PartKind::Document { title, .. } => *title = None,
        _ => {}
    }
}

/// Settings without their places.
fn settings(request: &Request) -> String {
    let said = format!("{:?} {:?}", request.settings, request.tool_choice);
    let mut out = String::new();
    let mut rest = &*said;
    while let Some((before, after)) = rest.split_once("at: \"") {
        out.push_str(before);
        rest = after.split_once('"').map_or("", |(_, r)| r);
    }
    out + rest
}

proptest! {
    #[test]
    fn what_is_said_is_read_back(request in requests()) {
        let written = encode(&request, SONNET);
        prop_assert_eq!(noted(&written.notes).0, Vec::<&str>::new());
        let body = String::from_utf8(written.body).unwrap();
        let mut read = decode(&body);
        let mut wanted = request.clone();
        forget(&mut read);
        forget(&mut wanted);
        prop_assert_eq!(settings(&read), settings(&wanted));
        prop_assert_eq!(&read.messages, &wanted.messages);
        prop_assert_eq!(&read.tools, &wanted.tools);
        prop_assert_eq!(&read.extras, &wanted.extras);
    }
}
