//! Each mapping, one by one.

use lintel_types::canon::{
    At, CacheMark, Depth, Extra, Format, FunctionTool, JsonSchema, Message, Part, PartKind,
    RawJson, Reasoning, ReasoningAsk, Reply, Role, Seal, Set, Source, Stop, StopReason, Tool,
    ToolCall, ToolChoice, ToolKind, ToolResult,
};
use lintel_types::{Meter, Protocol, Usage};
use serde_json::{Value, json};

use super::*;
use crate::dialect::JSON_TOOL;

const OTHER: Protocol = Protocol::new("other");
const LLAMA: &str = "meta.llama3-70b";

fn at(path: &str) -> At {
    At::new(path)
}

fn message(role: Role, kinds: Vec<PartKind>) -> Message {
    let parts = kinds.into_iter().enumerate();
    Message {
        role,
        name: None,
        parts: parts
            .map(|(i, k)| Part::new(k, at("$.m").index(i)))
            .collect(),
        at: at("$.m"),
    }
}

fn asks(messages: Vec<Message>) -> Request {
    Request {
        messages,
        ..Request::default()
    }
}

fn hi() -> Request {
    asks(vec![message(Role::User, vec![PartKind::text("hi")])])
}

fn inline(media_type: &str) -> Source {
    Source::Inline {
        media_type: media_type.into(),
        data: "aaaa".into(),
    }
}

/// Writes one user part; gives its blocks and the notes.
fn one(kind: PartKind) -> (Value, Vec<String>, Vec<String>) {
    let written = encode(&asks(vec![message(Role::User, vec![kind])]), CLAUDE);
    let body = json(&written.body);
    let content = body["messages"][0]["content"].clone();
    (content, written.notes.dropped, written.notes.emulated)
}

#[test]
fn what_cannot_be_understood_is_refused_by_its_path() {
    for (body, path) in [
        (
            r#"{"messages":[{"role":"user","content":"hi"}]}"#,
            "$.messages[0].content",
        ),
        (
            r#"{"messages":[{"role":"robot","content":[]}]}"#,
            "$.messages[0].role",
        ),
        (r#"{"messages":[7]}"#, "$.messages[0].content"),
        (r#"{"system":"s"}"#, "$.system"),
        (
            r#"{"inferenceConfig":{"maxTokens":"9"}}"#,
            "$.inferenceConfig.maxTokens",
        ),
        (
            r#"{"inferenceConfig":{"temperature":"9"}}"#,
            "$.inferenceConfig.temperature",
        ),
        (
            r#"{"inferenceConfig":{"stopSequences":[1]}}"#,
            "$.inferenceConfig.stopSequences",
        ),
        (r#"{"toolConfig":{"tools":{}}}"#, "$.toolConfig.tools"),
    ] {
        let head = head(body.as_bytes(), "m");
        let error = BedrockConverse
            .decode_request(body.as_bytes(), &head)
            .unwrap_err();
        assert!(error.message().contains(&format!("`{path}`")), "{error}");
        assert_eq!(error.code(), "invalid_field");
    }
}

#[test]
fn a_request_is_read_into_canonical_words() {
    let request = decode(
        r#"{"messages":[{"role":"user","content":[{"text":"q"},{"toolResult":{"toolUseId":"t","content":[{"json":{"a":1}}],"status":"error"}},{"cachePoint":{"type":"default","ttl":"1h"}}]}],
        "system":[{"text":"s"},{"cachePoint":{"type":"default"}}],
        "inferenceConfig":{"maxTokens":5,"temperature":0.5,"topP":0.9,"stopSequences":["x"],"novel":1},
        "toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}},"strict":true}},{"cachePoint":{"type":"default"}},{"systemTool":{"name":"nova_grounding"}}],"toolChoice":{"tool":{"name":"f"}}},
        "additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000},"top_k":7,"anthropic_beta":["x"]},
        "guardrailConfig":{"guardrailIdentifier":"g"},"serviceTier":{"type":"flex"},"requestMetadata":{"a":"b"},"novel":null}"#,
    );
    let roles: Vec<Role> = request.messages.iter().map(|m| m.role).collect();
    assert_eq!(roles, [Role::System, Role::Tool, Role::User]);
    assert_eq!(
        request.messages[0].parts[0].cache,
        Some(CacheMark { ttl: None })
    );
    let result = &request.messages[1].parts[0];
    assert_eq!(
        result.cache,
        Some(CacheMark {
            ttl: Some("1h".into())
        })
    );
    assert_eq!(result.at.as_str(), "$.messages[0].content[1]");
    let PartKind::ToolResult(result) = &result.kind else {
        panic!("{result:?}")
    };
    assert!(result.is_error);
    assert_eq!(result.parts[0].kind, PartKind::text(r#"{"a":1}"#));
    let s = &request.settings;
    assert_eq!(s.max_output.as_ref().unwrap().value, 5);
    assert_eq!(
        (
            s.temperature.as_ref().unwrap().value,
            s.top_p.as_ref().unwrap().value
        ),
        (0.5, 0.9)
    );
    assert_eq!(s.stop.as_ref().unwrap().value, ["x"]);
    assert_eq!(s.top_k.as_ref().unwrap().value, 7);
    assert_eq!(
        s.reasoning.as_ref().unwrap().value.depth,
        Some(Depth::Budget(2000))
    );
    assert_eq!(s.service_tier.as_ref().unwrap().value, "flex");
    assert_eq!(s.metadata.as_ref().unwrap().value.as_str(), r#"{"a":"b"}"#);
    assert_eq!(
        request.tool_choice.as_ref().unwrap().value,
        ToolChoice::Named("f".into())
    );
    assert!(request.tools[0].cache.is_some());
    assert!(
        matches!(&request.tools[1].kind, ToolKind::Opaque { kind, .. } if kind == "systemTool")
    );
    let kept: Vec<_> = request
        .extras
        .iter()
        .map(|e| (&*e.key, e.value.as_str()))
        .collect();
    assert_eq!(
        kept,
        [
            ("inferenceConfig", r#"{"novel":1}"#),
            (
                "additionalModelRequestFields",
                r#"{"anthropic_beta":["x"]}"#
            ),
            ("guardrailConfig", r#"{"guardrailIdentifier":"g"}"#),
        ]
    );
    assert!(request.include_usage);
}

#[test]
fn neighbours_are_joined_and_instructions_stand_apart() {
    let result = |id: &str| {
        PartKind::ToolResult(ToolResult {
            call_id: id.into(),
            name: None,
            parts: vec![Part::new(PartKind::text("42"), at("$.r"))],
            is_error: id == "b",
        })
    };
    let call = PartKind::ToolCall(ToolCall {
        id: "a.b:c".into(),
        name: "f".into(),
        arguments: " ".into(),
        custom: false,
        seal: None,
    });
    let mut request = asks(vec![
        message(Role::Developer, vec![PartKind::text("s")]),
        message(Role::User, vec![PartKind::text("q")]),
        message(Role::Assistant, vec![PartKind::text(""), call]),
        message(Role::Tool, vec![result("a.b:c")]),
        message(Role::Tool, vec![result("b")]),
        message(Role::User, vec![PartKind::text("go")]),
        message(
            Role::System,
            vec![
                PartKind::text("late"),
                PartKind::Audio(inline("audio/mpeg")),
            ],
        ),
    ]);
    request.messages[1].name = Some("joe".into());
    let written = encode(&request, CLAUDE);
    assert_eq!(
        json(&written.body),
        json!({
            "system": [{"text": "s"}, {"text": "late"}],
            "messages": [
                {"role": "user", "content": [{"text": "q"}]},
                {"role": "assistant", "content": [{"toolUse": {"toolUseId": "a_b_c", "name": "f", "input": {}}}]},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "a_b_c", "content": [{"text": "42"}]}},
                    {"toolResult": {"toolUseId": "b", "content": [{"text": "42"}], "status": "error"}},
                    {"text": "go"},
                ]},
            ],
            // A conversation with calls must declare their tools.
            "toolConfig": {"tools": [{"toolSpec": {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}}]},
        })
    );
    let (dropped, emulated) = noted(&written.notes);
    assert_eq!(dropped, ["$.m.name", "$.m[1]"]);
    assert_eq!(emulated, ["$.m[1]", "$.m"]);
}

#[test]
fn media_find_their_format_or_are_named() {
    let image = |source| PartKind::Image {
        source,
        detail: Some("high".into()),
    };
    let (blocks, dropped, _) = one(image(inline("image/jpg")));
    assert_eq!(
        blocks,
        json!([{"image": {"format": "jpeg", "source": {"bytes": "aaaa"}}}])
    );
    assert_eq!(dropped, ["$.m[0].detail"]);
    let s3 = Source::Url("s3://b/k.png".into());
    let (blocks, ..) = one(image(s3));
    assert_eq!(
        blocks,
        json!([{"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/k.png"}}}}])
    );
    for refused in [
        image(Source::Url("https://x/y.png".into())),
        image(Source::File("f".into())),
        image(inline("image/tiff")),
        PartKind::Audio(inline("audio/midi")),
        PartKind::Video(Source::Url("https://x/y.mp4".into())),
        PartKind::Reasoning(Reasoning::default()),
        PartKind::Opaque {
            kind: "x".into(),
            protocol: OTHER,
            raw: RawJson::new("{}"),
        },
    ] {
        let (blocks, dropped, _) = one(refused.clone());
        assert!(
            blocks.is_null() && dropped.contains(&"$.m[0]".to_owned()),
            "{refused:?}"
        );
    }
    let (blocks, ..) = one(PartKind::Video(inline("video/mp4")));
    assert_eq!(blocks[0]["video"]["format"], "mp4");
    let (blocks, _, emulated) = one(PartKind::Document {
        source: Source::Text("t".into()),
        title: Some("a.b".into()),
        context: Some("c".into()),
        citations: Some(true),
    });
    assert_eq!(
        blocks,
        json!([{"document": {"name": "a b", "format": "txt", "source": {"text": "t"}, "context": "c", "citations": {"enabled": true}}}])
    );
    assert_eq!(emulated, ["$.m[0]"]);
}

#[test]
fn reasoning_goes_back_to_its_maker_alone() {
    let sealed = |protocol, data: &str| {
        PartKind::Reasoning(Reasoning {
            text: "hm".into(),
            seal: Some(Seal {
                protocol,
                data: data.into(),
            }),
            ..Reasoning::default()
        })
    };
    let (blocks, ..) = one(sealed(BEDROCK, "s"));
    assert_eq!(
        blocks,
        json!([{"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}])
    );
    let (blocks, ..) = one(sealed(BEDROCK, "redacted:QUJD"));
    assert_eq!(
        blocks,
        json!([{"reasoningContent": {"redactedContent": "QUJD"}}])
    );
    assert_eq!(one(sealed(OTHER, "s")).1, ["$.m[0]"]);
}

#[test]
fn calls_are_objects_whatever_the_model_wrote() {
    let call = |arguments: &str| {
        PartKind::ToolCall(ToolCall {
            id: "x".repeat(70),
            name: "f".into(),
            arguments: arguments.into(),
            custom: false,
            seal: None,
        })
    };
    for (arguments, wanted, same) in [
        (r#"{"a":1}"#, json!({"a": 1}), true),
        ("", json!({}), true),
        ("{\"a\":", json!({"input": "{\"a\":"}), false),
        ("[1]", json!({"input": "[1]"}), false),
    ] {
        let (blocks, _, emulated) = one(call(arguments));
        assert_eq!(blocks[0]["toolUse"]["input"], wanted);
        assert_eq!(blocks[0]["toolUse"]["toolUseId"], "x".repeat(64));
        assert_eq!(
            emulated.contains(&"$.m[0]".to_owned()),
            !same || emulated.len() == 1
        );
    }
}

#[test]
fn cache_marks_are_points_where_models_cache() {
    let mut request = hi();
    request.messages[0].parts[0].cache = Some(CacheMark {
        ttl: Some("1h".into()),
    });
    let written = encode(&request, CLAUDE);
    assert_eq!(
        json(&written.body)["messages"][0]["content"][1],
        json!({"cachePoint": {"type": "default", "ttl": "1h"}})
    );
    assert_eq!(noted(&written.notes), (vec![], vec![]));
    let written = encode(&request, LLAMA);
    assert_eq!(noted(&written.notes).0, ["$.m[0].cache_control"]);
}

fn thinking(
    depth: Depth,
    model: &str,
    change: impl Fn(&mut Request),
) -> (Value, Vec<String>, Vec<String>) {
    let mut request = hi();
    let ask = ReasoningAsk {
        depth: Some(depth),
        show: None,
        summary: None,
    };
    request.settings.reasoning = Some(Set::new(ask, "$.r"));
    change(&mut request);
    let written = encode(&request, model);
    let fields = json(&written.body)["additionalModelRequestFields"].clone();
    (fields, written.notes.dropped, written.notes.emulated)
}

#[test]
fn thinking_is_told_claudes_in_the_words_that_each_knows() {
    const SONNET: &str = "us.anthropic.claude-sonnet-4-6";
    let none = |_: &mut Request| {};
    let enabled = |n: u64| json!({"thinking": {"type": "enabled", "budget_tokens": n}});
    let check = |depth, model, wanted: Value, emulated: bool| {
        let (fields, dropped, said) = thinking(depth, model, none);
        assert_eq!(
            (fields, dropped.len(), !said.is_empty()),
            (wanted, 0, emulated),
            "{model}"
        );
    };
    check(Depth::Budget(5_000), CLAUDE, enabled(5_000), false);
    check(Depth::Budget(10), CLAUDE, enabled(1_024), true);
    check(Depth::Effort("low".into()), CLAUDE, enabled(2_048), true);
    check(Depth::Auto, CLAUDE, enabled(8_192), true);
    check(
        Depth::Off,
        CLAUDE,
        json!({"thinking": {"type": "disabled"}}),
        false,
    );
    check(
        Depth::Auto,
        SONNET,
        json!({"thinking": {"type": "adaptive"}}),
        false,
    );
    let high = json!({"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}});
    check(Depth::Effort("high".into()), SONNET, high.clone(), false);
    check(Depth::Effort("xhigh".into()), SONNET, high, true);
    check(
        Depth::Budget(5_000),
        "anthropic.claude-opus-4-7",
        json!({"thinking": {"type": "adaptive"}}),
        true,
    );
    for model in [LLAMA, "anthropic.claude-3-haiku-20240307-v1:0"] {
        let (fields, dropped, _) = thinking(Depth::Budget(5_000), model, none);
        assert_eq!((fields, dropped), (Value::Null, vec!["$.r".to_owned()]));
    }
}

#[test]
fn a_model_that_thinks_samples_alone_within_its_output() {
    let (fields, dropped, emulated) = thinking(Depth::Budget(5_000), CLAUDE, |r| {
        r.settings.max_output = Some(Set::new(3_000, "$.n"));
        r.settings.temperature = Some(Set::new(0.2, "$.t"));
        r.settings.top_p = Some(Set::new(0.5, "$.p"));
        r.settings.top_k = Some(Set::new(5, "$.k"));
    });
    assert_eq!(
        fields,
        json!({"thinking": {"type": "enabled", "budget_tokens": 2_999}})
    );
    assert_eq!(dropped, ["$.t", "$.p", "$.k"]);
    assert_eq!(emulated, ["$.r"]);
    let (_, dropped, _) = thinking(Depth::Budget(5_000), CLAUDE, |r| {
        r.settings.max_output = Some(Set::new(100, "$.n"));
    });
    assert_eq!(dropped, ["$.r"]);
    let (_, dropped, _) = thinking(Depth::Budget(5_000), CLAUDE, |r| {
        r.tools = vec![function("f")];
        r.tool_choice = Some(Set::new(ToolChoice::Required, "$.c"));
    });
    assert_eq!(
        dropped,
        ["$.r"],
        "a call that must be made leaves no room to think"
    );
}

#[test]
fn settings_without_a_place_are_named_unless_they_say_nothing() {
    let mut request = hi();
    let s = &mut request.settings;
    s.temperature = Some(Set::new(1.5, "$.temperature"));
    s.top_k = Some(Set::new(3, "$.top_k"));
    s.choices = Some(Set::new(2, "$.n"));
    s.seed = Some(Set::new(1, "$.seed"));
    s.presence_penalty = Some(Set::new(0.5, "$.presence_penalty"));
    s.frequency_penalty = Some(Set::new(0.0, "$.frequency_penalty"));
    s.logprobs = Some(Set::new(false, "$.logprobs"));
    s.parallel_tools = Some(Set::new(false, "$.parallel_tool_calls"));
    s.user = Some(Set::new("u".into(), "$.user"));
    s.store = Some(Set::new(false, "$.store"));
    s.service_tier = Some(Set::new("auto".into(), "$.service_tier"));
    s.metadata = Some(Set::new(RawJson::new(r#"{"a":"<b>"}"#), "$.metadata"));
    s.format = Some(Set::new(Format::JsonObject, "$.response_format"));
    request.extras.push(Extra {
        key: "x".into(),
        at: at("$.x"),
        protocol: OTHER,
        value: RawJson::new("1"),
    });
    let written = encode(&request, LLAMA);
    let (dropped, emulated) = noted(&written.notes);
    assert_eq!(
        dropped,
        [
            "$.response_format",
            "$.top_k",
            "$.service_tier",
            "$.metadata",
            "$.n",
            "$.seed",
            "$.presence_penalty",
            "$.parallel_tool_calls",
            "$.user",
            "$.x"
        ]
    );
    assert_eq!(emulated, ["$.temperature"]);
    assert_eq!(
        json(&written.body)["inferenceConfig"],
        json!({"temperature": 1})
    );
}

fn function(name: &str) -> Tool {
    let function = FunctionTool {
        name: name.into(),
        description: Some(String::new()),
        parameters: None,
        strict: Some(true),
    };
    Tool {
        kind: ToolKind::Function(function),
        cache: None,
        at: at("$.tools").index(0),
    }
}

fn choose(choice: ToolChoice) -> (Value, Vec<String>, Vec<String>) {
    let mut request = hi();
    request.tools = vec![function("f"), function("g")];
    request.tool_choice = Some(Set::new(choice, "$.tool_choice"));
    let written = encode(&request, CLAUDE);
    let config = json(&written.body)["toolConfig"].clone();
    (config, written.notes.dropped, written.notes.emulated)
}

#[test]
fn choices_among_tools() {
    let said = |choice| choose(choice).0["toolChoice"].clone();
    assert_eq!(said(ToolChoice::Auto), json!({"auto": {}}));
    assert_eq!(said(ToolChoice::Required), json!({"any": {}}));
    assert_eq!(
        said(ToolChoice::Named("f".into())),
        json!({"tool": {"name": "f"}})
    );
    let (config, dropped, emulated) = choose(ToolChoice::None);
    assert_eq!((config, dropped.len()), (Value::Null, 0));
    assert_eq!(emulated, ["$.tool_choice"]);
    let among = ToolChoice::Among {
        names: vec!["g".into()],
        required: true,
    };
    let (config, _, emulated) = choose(among);
    assert_eq!(config["tools"].as_array().unwrap().len(), 1);
    assert_eq!(config["tools"][0]["toolSpec"]["name"], "g");
    assert_eq!(config["tools"][0]["toolSpec"]["strict"], true);
    assert_eq!(
        (&config["toolChoice"], &*emulated[0]),
        (&json!({"any": {}}), "$.tool_choice")
    );
    let mut request = hi();
    request.tools = vec![function("f")];
    assert_eq!(
        noted(&encode(&request, LLAMA).notes).0,
        ["$.tools[0].strict"]
    );
}

#[test]
fn a_schema_is_a_setting_or_a_tool() {
    let mut request = hi();
    let schema = JsonSchema {
        name: Some("n".into()),
        description: Some("d".into()),
        schema: RawJson::new(r#"{"type":"object"}"#),
        strict: Some(true),
    };
    request.settings.format = Some(Set::new(Format::JsonSchema(schema), "$.f"));
    let written = encode(&request, CLAUDE);
    assert!(!written.json_tool);
    assert_eq!(
        json(&written.body)["outputConfig"],
        json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": r#"{"type":"object"}"#, "name": "n", "description": "d"}}}})
    );
    let written = encode(&request, LLAMA);
    assert!(written.json_tool);
    assert_eq!(noted(&written.notes), (vec![], vec!["$.f"]));
    assert_eq!(
        json(&written.body)["toolConfig"],
        json!({
            "tools": [{"toolSpec": {"name": JSON_TOOL, "description": "d", "inputSchema": {"json": {"type": "object"}}}}],
            "toolChoice": {"tool": {"name": JSON_TOOL}},
        })
    );
    request.tools = vec![function("f")];
    let config = json(&encode(&request, LLAMA).body)["toolConfig"].clone();
    assert_eq!(
        (
            &config["toolChoice"],
            config["tools"].as_array().unwrap().len()
        ),
        (&json!({"any": {}}), 2)
    );
    request.tool_choice = Some(Set::new(ToolChoice::Named("f".into()), "$.c"));
    assert!(!encode(&request, LLAMA).json_tool);
}

#[test]
fn the_answer_of_the_schemas_tool_is_text() {
    let body = format!(
        r#"{{"output":{{"message":{{"role":"assistant","content":[{{"toolUse":{{"toolUseId":"1","name":"{JSON_TOOL}","input":{{"a":1}}}}}}]}}}},"stopReason":"tool_use"}}"#
    );
    let reply = BedrockConverse
        .decode_reply(body.as_bytes(), &way(true))
        .unwrap();
    let choice = &reply.choices[0];
    assert_eq!(choice.parts[0].kind, PartKind::text(r#"{"a":1}"#));
    assert_eq!(choice.stop.as_ref().unwrap().reason, StopReason::EndTurn);
    for bad in ["{", "{}", r#"{"output":{"message":{"content":"x"}}}"#] {
        assert!(
            BedrockConverse
                .decode_reply(bad.as_bytes(), &way(false))
                .is_err(),
            "{bad}"
        );
    }
}

#[test]
fn an_answer_has_all_that_sdks_demand() {
    let written = BedrockConverse.encode_reply(&Reply::default(), &way(false));
    assert_eq!(
        json(&written.body),
        json!({"output": {"message": {"role": "assistant", "content": []}}, "stopReason": "end_turn",
            "usage": {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}, "metrics": {"latencyMs": 0}})
    );
    let mut reply = Reply::default();
    let foreign = Some(Seal {
        protocol: OTHER,
        data: "s".into(),
    });
    let reasoning = |text: &str| {
        PartKind::Reasoning(Reasoning {
            text: text.into(),
            seal: foreign.clone(),
            ..Reasoning::default()
        })
    };
    let kinds = [
        reasoning("hm"),
        reasoning(""),
        PartKind::Refusal("no".into()),
    ];
    let parts = kinds.into_iter().enumerate();
    let parts = parts.map(|(i, k)| Part::new(k, at("$.choices[0]").index(i)));
    let mut usage = Usage::new();
    usage
        .add(Meter::Input, 1)
        .add(Meter::CacheRead, 2)
        .add(Meter::CacheWrite5m, 3)
        .add(Meter::CacheWrite1h, 4)
        .add(Meter::Output, 5);
    reply.usage = Some(usage);
    for _ in 0..2 {
        reply.choices.push(lintel_types::canon::Choice {
            parts: parts.clone().collect(),
            stop: Some(Stop {
                reason: StopReason::Refusal,
                word: "refusal".into(),
                sequence: None,
            }),
            logprobs: None,
        });
    }
    let written = BedrockConverse.encode_reply(&reply, &way(false));
    let body = json(&written.body);
    assert_eq!(
        body["output"]["message"]["content"],
        json!([{"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "no"}])
    );
    assert_eq!(body["stopReason"], "content_filtered");
    assert_eq!(
        body["usage"],
        json!({"inputTokens": 1, "outputTokens": 5, "totalTokens": 15, "cacheReadInputTokens": 2, "cacheWriteInputTokens": 7,
            "cacheDetails": [{"ttl": "5m", "inputTokens": 3}, {"ttl": "1h", "inputTokens": 4}]})
    );
    assert_eq!(
        noted(&written.notes).0,
        ["$.choices[1]", "$.choices[0][0]", "$.choices[0][1]"]
    );
}

#[test]
fn stops_in_both_directions() {
    for (word, reason, back) in [
        ("end_turn", StopReason::EndTurn, "end_turn"),
        ("max_tokens", StopReason::MaxTokens, "max_tokens"),
        (
            "model_context_window_exceeded",
            StopReason::MaxTokens,
            "model_context_window_exceeded",
        ),
        ("stop_sequence", StopReason::StopSequence, "stop_sequence"),
        ("tool_use", StopReason::ToolUse, "tool_use"),
        (
            "guardrail_intervened",
            StopReason::ContentFilter,
            "guardrail_intervened",
        ),
        (
            "content_filtered",
            StopReason::ContentFilter,
            "content_filtered",
        ),
        (
            "malformed_tool_use",
            StopReason::Other,
            "malformed_tool_use",
        ),
        ("novel", StopReason::Other, "end_turn"),
    ] {
        let body = format!(r#"{{"output":{{"message":{{"content":[]}}}},"stopReason":"{word}"}}"#);
        let reply = BedrockConverse
            .decode_reply(body.as_bytes(), &way(false))
            .unwrap();
        assert_eq!(reply.choices[0].stop.as_ref().unwrap().reason, reason);
        let written = BedrockConverse.encode_reply(&reply, &way(false));
        assert_eq!(json(&written.body)["stopReason"], back);
    }
}

#[test]
fn citations_are_read_and_written() {
    let block = r#"{"citationsContent":{"content":[{"text":"a"},{"text":"b"}],"citations":[{"title":"t","sourceContent":[{"text":"q"}],"location":{"web":{"url":"https://x"}}}]}}"#;
    let body = format!(r#"{{"output":{{"message":{{"content":[{block}]}}}}}}"#);
    let reply = BedrockConverse
        .decode_reply(body.as_bytes(), &way(false))
        .unwrap();
    let PartKind::Text { text, citations } = &reply.choices[0].parts[0].kind else {
        panic!("{reply:?}")
    };
    let c = &citations[0];
    assert_eq!(
        (&**text, c.url.as_deref(), c.quote.as_deref()),
        ("ab", Some("https://x"), Some("q"))
    );
    let mut foreign = reply.clone();
    if let PartKind::Text { citations, .. } = &mut foreign.choices[0].parts[0].kind {
        citations[0].protocol = OTHER;
    }
    for reply in [reply, foreign] {
        let written = BedrockConverse.encode_reply(&reply, &way(false));
        let block = &json(&written.body)["output"]["message"]["content"][0]["citationsContent"];
        assert_eq!(block["content"], json!([{"text": "ab"}]));
        assert_eq!(block["citations"][0]["location"]["web"]["url"], "https://x");
    }
}
