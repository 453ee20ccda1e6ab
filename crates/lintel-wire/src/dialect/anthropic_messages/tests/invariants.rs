//! Whatever comes from other dialects, for whichever model: the API's rules are kept, and so is the grammar.

use std::collections::HashSet;

use lintel_types::canon::{
    Depth, Format, JsonSchema, RawJson, Reasoning, ReasoningAsk, Source, ToolChoice,
};
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use super::super::super::grammar::fold;
use super::*;
use crate::json;

/// One of each generation.
const MODELS: [&str; 12] = [
    "claude-3-haiku-20240307",
    "claude-3-5-sonnet-latest",
    "claude-3-7-sonnet-latest",
    "claude-opus-4-1",
    "claude-sonnet-4-5",
    "claude-opus-4-5",
    "claude-sonnet-4-6",
    "claude-opus-4-8",
    "claude-opus-5",
    "claude-opus-5-5",
    "claude-sonnet-5-5",
    "kimi-k2",
];

fn kind() -> impl Strategy<Value = PartKind> {
    let id = || prop_oneof![Just("a"), Just("b.c"), Just("")];
    prop_oneof![
        3 => "[ a\n]{0,3}".prop_map(PartKind::text),
        1 => Just(PartKind::Refusal("no".into())),
        1 => Just(PartKind::Audio(Source::Url("https://a".into()))),
        1 => Just(PartKind::Image { source: Source::File("f".into()), detail: None }),
        1 => Just(PartKind::Reasoning(Reasoning { text: "why".into(), ..Reasoning::default() })),
        3 => (id(), prop_oneof![Just("{}"), Just(""), Just("oops"), Just("[1]")]).prop_map(|(id, a)| call(id, a)),
        3 => (id(), "[ a]{0,2}").prop_map(|(id, text)| result(id, &text)),
    ]
}

fn wild_message() -> impl Strategy<Value = Message> {
    let role = prop_oneof![
        Just(Role::System),
        Just(Role::Developer),
        Just(Role::User),
        Just(Role::Assistant),
        Just(Role::Tool),
    ];
    (role, prop::collection::vec(kind(), 0..4)).prop_map(|(role, kinds)| message(role, kinds))
}

fn depth() -> impl Strategy<Value = Option<Depth>> {
    option::of(prop_oneof![
        Just(Depth::Off),
        Just(Depth::Auto),
        prop_oneof![Just("minimal"), Just("high"), Just("xhigh"), Just("novel")]
            .prop_map(|w| Depth::Effort(w.into())),
        (0u64..100_000).prop_map(Depth::Budget),
    ])
}

fn format() -> impl Strategy<Value = Format> {
    let schema = |text: &str| {
        Format::JsonSchema(JsonSchema {
            name: None,
            description: Some("d".into()),
            schema: RawJson::new(text),
            strict: None,
        })
    };
    prop_oneof![
        Just(Format::Text),
        Just(Format::JsonObject),
        Just(schema(r#"{"type":"object"}"#)),
        Just(schema(r#"{"type":"array"}"#)),
        Just(schema(r#"{"type":"object","properties":{}}"#)),
    ]
}

prop_compose! {
    fn wild()(
        messages in prop::collection::vec(wild_message(), 0..7),
        tools in 0usize..3,
        choice in option::of(prop_oneof![
            Just(ToolChoice::Auto), Just(ToolChoice::None), Just(ToolChoice::Required),
            Just(ToolChoice::Named("f".into())),
            any::<bool>().prop_map(|required| ToolChoice::Among { names: vec!["f".into()], required }),
        ]),
        depth in depth(),
        show in option::of(any::<bool>()),
        format in option::of(format()),
        max in option::of(0u64..200_000),
        (temperature, top_p, top_k) in (option::of(0.0f64..2.0), option::of(0.0f64..1.0), option::of(0u64..9)),
        serial in option::of(any::<bool>()),
    ) -> Request {
        let mut request = asked(messages);
        request.tools = ["f", "g"].iter().take(tools).map(|name| function(name, None)).collect();
        request.tool_choice = choice.and_then(|c| set(c, "$.tool_choice"));
        let s = &mut request.settings;
        s.reasoning = set(ReasoningAsk { depth, show, summary: None }, "$.reasoning");
        s.format = format.and_then(|f| set(f, "$.format"));
        s.max_output = max.and_then(|m| set(m, "$.max"));
        s.temperature = temperature.and_then(|t| set(t, "$.temperature"));
        s.top_p = top_p.and_then(|p| set(p, "$.top_p"));
        s.top_k = top_k.and_then(|k| set(k, "$.top_k"));
        s.parallel_tools = serial.and_then(|p| set(!p, "$.parallel"));
        request
    }
}

fn turns_keep_the_rules(body: &Value) -> Result<(), TestCaseError> {
    let turns = body["messages"].as_array().unwrap();
    prop_assert!(!turns.is_empty());
    let ids = |turn: Option<&Value>, kind: &str, key: &str| -> HashSet<String> {
        let blocks = turn.and_then(|t| t["content"].as_array());
        let of = blocks.into_iter().flatten().filter(|b| b["type"] == kind);
        of.map(|b| b[key].as_str().unwrap().to_owned()).collect()
    };
    for (i, turn) in turns.iter().enumerate() {
        let next = turns.get(i + 1);
        prop_assert!(next.is_none_or(|n| n["role"] != turn["role"]), "{body}");
        let blocks = turn["content"].as_array().unwrap();
        prop_assert!(!blocks.is_empty());
        for block in blocks {
            prop_assert!(
                block["text"].as_str().is_none_or(|t| !t.trim().is_empty()),
                "{body}"
            );
        }
        let calls = ids(Some(turn), "tool_use", "id");
        prop_assert_eq!(&calls, &ids(next, "tool_result", "tool_use_id"), "{}", body);
        let fits = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        prop_assert!(
            calls
                .iter()
                .all(|id| !id.is_empty() && id.chars().all(fits))
        );
        if i == 0 {
            prop_assert!(ids(Some(turn), "tool_result", "tool_use_id").is_empty());
        }
        let late = blocks.iter().skip_while(|b| b["type"] == "tool_result");
        prop_assert!(late.clone().all(|b| b["type"] != "tool_result"), "{body}");
        if next.is_none() && turn["role"] == "assistant" {
            let text = blocks.last().unwrap()["text"].as_str().unwrap_or_default();
            prop_assert_eq!(text.trim_end(), text);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_request_keeps_the_apis_rules(request in wild()) {
        for name in MODELS {
            let (body, encoded) = encode(&request, name);
            // Our own reader refuses a key that comes twice.
            prop_assert!(json::parse(&encoded.body).is_ok(), "{body}");
            turns_keep_the_rules(&body)?;
            let cap = body["max_tokens"].as_u64().unwrap();
            prop_assert!(cap <= super::super::models::model(name).cap);
            let asked = request.settings.max_output.as_ref();
            prop_assert!(asked.is_none_or(|max| cap <= max.value));
            let forced = ["any", "tool"].iter().any(|t| body["tool_choice"]["type"] == *t);
            if let Some(budget) = body["thinking"]["budget_tokens"].as_u64() {
                prop_assert!((1_024..cap).contains(&budget) && !forced, "{body}");
            }
            let thinks = ["enabled", "adaptive"].iter().any(|t| body["thinking"]["type"] == *t);
            prop_assert!(!thinks || body.get("top_k").is_none());
            prop_assert!(body.get("tool_choice").is_none() || body.get("tools").is_some());
            prop_assert_eq!(encoded.json_tool, body["tools"].to_string().contains("lintel_json_answer"));
        }
    }

    #[test]
    fn every_stream_keeps_the_grammar(picks in prop::collection::vec((0usize..12, 0u64..3), 0..30), json_tool in any::<bool>()) {
        let sent = picks.iter().map(|(pick, index)| match pick {
            0 => json!({ "type": "message_start", "message": { "id": "m", "usage": { "input_tokens": 1 } } }),
            1 => json!({ "type": "content_block_start", "index": index, "content_block": { "type": "text", "text": "" } }),
            2 => json!({ "type": "content_block_start", "index": index, "content_block": { "type": "tool_use", "id": "c", "name": "lintel_json_answer", "input": {} } }),
            3 => json!({ "type": "content_block_start", "index": index, "content_block": { "type": "thinking", "thinking": "t", "signature": "s" } }),
            4 => json!({ "type": "content_block_start", "index": index, "content_block": { "type": "novel" } }),
            5 => json!({ "type": "content_block_delta", "index": index, "delta": { "type": "text_delta", "text": "x" } }),
            6 => json!({ "type": "content_block_delta", "index": index, "delta": { "type": "input_json_delta", "partial_json": "{}" } }),
            7 => json!({ "type": "content_block_delta", "index": index, "delta": { "type": "signature_delta", "signature": "s" } }),
            8 | 9 => json!({ "type": "content_block_stop", "index": index }),
            10 => json!({ "type": "message_delta", "delta": { "stop_reason": "end_turn" }, "usage": { "output_tokens": 2 } }),
            _ => json!({ "type": if *index == 0 { "message_stop" } else { "ping" } }),
        });
        let stream: String = sent.map(|e| format!("data: {e}\n\n")).collect();
        let way = Way { json_tool, ..way() };
        let events = events(&stream, &way);
        let whole = events.last() == Some(&Event::End);
        let told = fold(&events, true).choices.iter().any(|c| c.stop.is_some());
        prop_assert!(whole || !told);
        // What is written of it is a stream that reads the same.
        let again = super::events(&written(&events, &way), &super::way());
        fold(&again, true);
        prop_assert_eq!(again.last() == Some(&Event::End), whole);
    }
}
