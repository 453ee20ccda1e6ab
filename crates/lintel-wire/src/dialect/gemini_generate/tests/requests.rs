//! Requests: what other dialects say becomes Google's, or is named.

use lintel_types::Protocol;
use lintel_types::canon::{
    At, CacheMark, Citation, Depth, Extra, Message, Part, PartKind, RawJson, Reasoning,
    ReasoningAsk, Request, Role, Seal, Set, Source, ToolCall, ToolChoice, ToolResult,
};
use serde_json::{Value, json as value};

use super::{GeminiGenerate, decode, encode, head, json};
use crate::dialect::Dialect;

const OTHER: Protocol = Protocol::new("openai");

fn message(role: Role, index: usize, kinds: Vec<PartKind>) -> Message {
    let at = At::new("$.messages").index(index);
    let content = at.key("content");
    let parts = kinds.into_iter().enumerate();
    Message {
        role,
        name: None,
        parts: parts
            .map(|(i, kind)| Part::new(kind, content.index(i)))
            .collect(),
        at,
    }
}

fn call(id: &str, name: &str, arguments: &str) -> PartKind {
    PartKind::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        custom: false,
        seal: None,
    })
}

fn result(id: &str, parts: Vec<PartKind>) -> PartKind {
    let parts = parts.into_iter().enumerate();
    PartKind::ToolResult(ToolResult {
        call_id: id.into(),
        name: None,
        parts: parts
            .map(|(i, kind)| Part::new(kind, At::new("$.r").index(i)))
            .collect(),
        is_error: false,
    })
}

fn of(messages: Vec<Message>) -> Request {
    Request {
        messages,
        ..Request::default()
    }
}

#[test]
fn turns_alternate_and_instructions_stand_first() {
    let request = of(vec![
        message(Role::System, 0, vec![PartKind::text("a")]),
        message(Role::User, 1, vec![PartKind::text("b")]),
        message(Role::User, 2, vec![PartKind::text("c")]),
        message(Role::Developer, 3, vec![PartKind::text("d")]),
        message(Role::Assistant, 4, vec![PartKind::Refusal("e".into())]),
    ]);
    let encoded = encode(&request, "gemini-2.5-pro");
    assert_eq!(
        json(&encoded),
        value!({
            "systemInstruction": {"parts": [{"text": "a"}, {"text": "d"}]},
            "contents": [
                {"role": "user", "parts": [{"text": "b"}, {"text": "c"}]},
                {"role": "model", "parts": [{"text": "e"}]},
            ],
        })
    );
    assert_eq!(encoded.notes.emulated, ["$.messages[3]"]);
    assert!(encoded.notes.dropped.is_empty());
}

#[test]
fn results_are_named_and_are_objects() {
    let request = of(vec![
        message(
            Role::Assistant,
            0,
            vec![call("1", "f", ""), call("2", "g", "no json")],
        ),
        message(
            Role::Tool,
            1,
            vec![result("2", vec![PartKind::text(r#"{"a":1}"#)])],
        ),
        message(
            Role::Tool,
            2,
            vec![result(
                "1",
                vec![
                    PartKind::text("sunny"),
                    PartKind::Image {
                        source: Source::Inline {
                            media_type: "image/png".into(),
                            data: "AAAA".into(),
                        },
                        detail: Some("high".into()),
                    },
                ],
            )],
        ),
    ]);
    let encoded = encode(&request, "gemini-2.5-pro");
    let contents = &json(&encoded)["contents"];
    assert_eq!(
        contents[0]["parts"],
        value!([
            {"functionCall": {"id": "1", "name": "f", "args": {}}},
            {"functionCall": {"id": "2", "name": "g", "args": {"input": "no json"}}},
        ])
    );
    assert_eq!(
        contents[1]["parts"],
        value!([
            {"functionResponse": {"id": "2", "name": "g", "response": {"a": 1}}},
            {"functionResponse": {"id": "1", "name": "f", "response": {"output": "sunny"},
                "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]}},
        ])
    );
    assert_eq!(encoded.notes.emulated, ["$.messages[0].content[1]"]);
    assert_eq!(encoded.notes.dropped, ["$.r[1].detail"]);
}

#[test]
fn a_history_of_others_gets_the_signature_that_later_models_demand() {
    let request = of(vec![
        message(Role::User, 0, vec![PartKind::text("x")]),
        message(
            Role::Assistant,
            1,
            vec![call("1", "f", "{}"), call("2", "f", "{}")],
        ),
    ]);
    let signatures = |model: &str| -> Vec<bool> {
        let body = json(&encode(&request, model));
        let parts = body["contents"][1]["parts"].as_array().unwrap().clone();
        parts
            .iter()
            .map(|p: &Value| p.get("thoughtSignature").is_some())
            .collect()
    };
    assert_eq!(signatures("gemini-3-pro-preview"), [true, false]);
    assert_eq!(signatures("gemini-2.5-flash"), [false, false]);
}

#[test]
fn what_is_anothers_is_left_out_and_named() {
    let foreign = |data: &str| Seal {
        protocol: OTHER,
        data: data.into(),
    };
    let mut text = Part::new(
        PartKind::Text {
            text: "t".into(),
            citations: vec![Citation {
                url: Some("https://x".into()),
                title: None,
                quote: None,
                span: None,
                protocol: OTHER,
                raw: RawJson::new("{}"),
            }],
        },
        At::new("$.p"),
    );
    text.cache = Some(CacheMark { ttl: None });
    let mut assistant = message(
        Role::Assistant,
        0,
        vec![
            PartKind::Reasoning(Reasoning {
                text: "secret".into(),
                seal: Some(foreign("s")),
                ..Reasoning::default()
            }),
            PartKind::Reasoning(Reasoning {
                text: "unsealed".into(),
                ..Reasoning::default()
            }),
            PartKind::ToolCall(ToolCall {
                id: "1".into(),
                name: "f".into(),
                arguments: "{}".into(),
                custom: false,
                seal: Some(foreign("s")),
            }),
            PartKind::Image {
                source: Source::File("file-1".into()),
                detail: None,
            },
            PartKind::Opaque {
                kind: "x".into(),
                protocol: OTHER,
                raw: RawJson::new("{}"),
            },
        ],
    );
    assistant.name = Some("bob".into());
    assistant.parts.push(text);
    let mut request = of(vec![assistant]);
    request.extras.push(Extra {
        key: "modalities".into(),
        at: At::new("$.modalities"),
        protocol: OTHER,
        value: RawJson::new("[]"),
    });
    let s = &mut request.settings;
    s.user = Some(Set::new("u".into(), "$.user"));
    s.parallel_tools = Some(Set::new(false, "$.parallel_tool_calls"));
    s.store = Some(Set::new(false, "$.store"));
    s.seed = Some(Set::new(1 << 40, "$.seed"));
    let encoded = encode(&request, "gemini-2.5-pro");
    assert_eq!(
        encoded.notes.dropped,
        [
            "$.messages[0].name",
            "$.messages[0].content[0]",
            "$.messages[0].content[1]",
            "$.messages[0].content[2]",
            "$.messages[0].content[3]",
            "$.messages[0].content[4]",
            "$.p.cache_control",
            "$.p.citations",
            "$.modalities",
            "$.seed",
            "$.parallel_tool_calls",
            "$.user",
        ]
    );
    let body = String::from_utf8(encoded.body).unwrap();
    assert!(!body.contains("secret") && !body.contains("unsealed"));
}

#[test]
fn depth_is_tokens_or_words_as_the_model_knows_them() {
    let write = |depth: Depth, model: &str| {
        let mut request = Request::default();
        request.settings.reasoning = Some(Set::new(
            ReasoningAsk {
                depth: Some(depth),
                show: None,
                summary: None,
            },
            "$.reasoning_effort",
        ));
        let encoded = encode(&request, model);
        let config = json(&encoded)["generationConfig"]["thinkingConfig"].clone();
        (config, encoded.notes.emulated.len())
    };
    let effort = |w: &str| Depth::Effort(w.into());
    assert_eq!(
        write(effort("low"), "gemini-2.5-pro"),
        (value!({"thinkingBudget": 2048}), 1)
    );
    assert_eq!(
        write(effort("low"), "gemini-3-pro"),
        (value!({"thinkingLevel": "LOW"}), 0)
    );
    assert_eq!(
        write(effort("xhigh"), "gemini-3-pro"),
        (value!({"thinkingLevel": "HIGH"}), 1)
    );
    assert_eq!(
        write(Depth::Auto, "gemini-3-pro"),
        (value!({"thinkingBudget": -1}), 0)
    );
}

#[test]
fn both_spellings_lone_tools_and_missing_ids_are_read() {
    let request = decode(
        r#"{"system_instruction":"be kind","contents":[
            {"parts":[{"text":"hi"}]},
            {"role":"model","parts":[{"function_call":{"name":"f","args":{"a":1}},"thought_signature":"c2ln"},{"functionCall":{"name":"f"}}]},
            {"role":"function","parts":[{"text":"and"},{"function_response":{"name":"f","response":{"error":"broken"}}},{"functionResponse":{"name":"f","response":{"output":"ok"}}}]}],
            "tools":{"function_declarations":[{"name":"f","parameters":{"type":"OBJECT"}}]},
            "tool_config":{"function_calling_config":{"mode":"any","allowed_function_names":["f"]}},
            "generation_config":{"top_k":40.0,"thinking_config":{"thinking_level":"HIGH","include_thoughts":true},"speechConfig":{}},
            "model":"ignored","labels":{"a":"b"}}"#,
    );
    let roles: Vec<Role> = request.messages.iter().map(|m| m.role).collect();
    assert_eq!(
        roles,
        [
            Role::System,
            Role::User,
            Role::Assistant,
            Role::Tool,
            Role::User
        ]
    );
    let results: Vec<(&str, bool)> = request.messages[3]
        .parts
        .iter()
        .map(|p| match &p.kind {
            PartKind::ToolResult(r) => (r.call_id.as_str(), r.is_error),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(results, [("call_1", true), ("call_2", false)]);
    assert_eq!(
        request.tool_choice.unwrap().value,
        ToolChoice::Named("f".into())
    );
    assert_eq!(request.settings.top_k.unwrap().value, 40);
    let ask = request.settings.reasoning.unwrap().value;
    assert_eq!(
        (ask.depth, ask.show),
        (Some(Depth::Effort("high".into())), Some(true))
    );
    let extras: Vec<&str> = request.extras.iter().map(|e| e.at.as_str()).collect();
    assert_eq!(extras, ["$.generationConfig.speechConfig", "$.labels"]);
}

#[test]
fn what_cannot_be_understood_is_refused_by_its_path() {
    for (body, path) in [
        (r#"{"contents":["hi"]}"#, "$.contents[0]"),
        (r#"{"contents":[{"parts":"hi"}]}"#, "$.contents[0].parts"),
        (r#"{"contents":[{"parts":[7]}]}"#, "$.contents[0].parts[0]"),
    ] {
        let error = GeminiGenerate
            .decode_request(body.as_bytes(), &head())
            .unwrap_err();
        assert!(error.message().contains(path), "{error}");
    }
}
