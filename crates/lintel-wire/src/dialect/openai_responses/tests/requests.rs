//! Each mapping of a request, there and back.

use lintel_types::Protocol;
use lintel_types::canon::{
    CacheMark, Citation, Depth, Format, FunctionTool, RawJson, Reasoning, ReasoningAsk, Role, Seal,
    Set, Source, ToolCall, ToolChoice, ToolKind, ToolResult,
};
use serde_json::json;

use super::*;

const ALIEN: Protocol = Protocol::new("alien");

fn message(role: Role, kinds: Vec<PartKind>) -> Message {
    let at = At::new("$.m");
    let parts = kinds.into_iter().enumerate();
    Message {
        role,
        name: None,
        parts: parts.map(|(i, k)| Part::new(k, at.index(i))).collect(),
        at,
    }
}

fn asked(messages: Vec<Message>) -> Request {
    Request {
        messages,
        ..Request::default()
    }
}

#[test]
fn every_kind_of_item_is_read() {
    let request = decoded(
        r#"{"model":"m","instructions":"be kind","input":[
        {"role":"user","content":[{"type":"input_text","text":"hi","prompt_cache_breakpoint":{"mode":"explicit"}},
            {"type":"input_image","image_url":"data:image/png;base64,AA","detail":"low"},
            {"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,BB"},
            {"type":"input_file","filename":"b.csv","file_data":"CC"},{"type":"input_file","file_url":"https://x/y.pdf"},
            {"type":"input_file","file_id":"file_1"},{"type":"input_audio","input_audio":{"data":"DD","format":"wav"}},{"type":"input_novel"}]},
        {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"s1"},{"type":"summary_text","text":"s2"}],"encrypted_content":"E"},
        {"type":"message","role":"assistant","content":[{"type":"output_text","text":"yes"},{"type":"refusal","refusal":"no"}]},
        {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
        {"type":"custom_tool_call","call_id":"c2","name":"g","input":"free"},
        {"type":"web_search_call","id":"ws_1"},
        {"type":"function_call_output","call_id":"c1","output":"42"},
        {"type":"custom_tool_call_output","call_id":"c2","output":[{"type":"input_text","text":"x"}]},
        {"type":"mcp_approval_response","approval_request_id":"a","approve":true}]}"#,
    )
    .unwrap();
    let roles: Vec<_> = request.messages.iter().map(|m| m.role).collect();
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
    let user = &request.messages[1].parts;
    assert_eq!(user[0].cache, Some(CacheMark { ttl: None }));
    assert!(
        matches!(&user[3].kind, PartKind::Document { source: Source::Inline { media_type, data }, .. } if media_type == "text/csv" && data == "CC")
    );
    assert!(
        matches!(&user[6].kind, PartKind::Audio(Source::Inline { media_type, .. }) if media_type == "audio/wav")
    );
    assert!(matches!(&user[7].kind, PartKind::Opaque { kind, .. } if kind == "input_novel"));
    let model = &request.messages[2].parts;
    let reasoning: Vec<_> = model
        .iter()
        .filter_map(|p| match &p.kind {
            PartKind::Reasoning(r) => Some((r.text.as_str(), r.summary, r.seal.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(reasoning, [("s1", true, false), ("s2", true, true)]);
    assert!(
        matches!(&model[5].kind, PartKind::ToolCall(c) if c.custom && c.arguments == "free" && c.id == "c2")
    );
    assert!(matches!(&model[6].kind, PartKind::Opaque { kind, .. } if kind == "web_search_call"));
    assert_eq!(
        model[6].at.as_str(),
        "$.input[5]",
        "a part is named by its item"
    );
    assert_eq!(user[4].at.as_str(), "$.input[0].content[4]");

    let (back, notes) = encoded(&request);
    assert_eq!(back["instructions"], "be kind");
    assert_eq!(back["store"], false);
    let kinds: Vec<_> = back["input"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "message",
            "reasoning",
            "message",
            "function_call",
            "custom_tool_call",
            "web_search_call",
            "function_call_output",
            "custom_tool_call_output",
            "mcp_approval_response"
        ]
    );
    assert_eq!(back["input"][1]["encrypted_content"], "E");
    assert_eq!(back["input"][1]["summary"][1]["text"], "s2");
    // A file id never goes to another provider, a mark can't be set at every model.
    assert_eq!(
        notes.dropped,
        [
            "$.input[0].content[5]",
            "$.input[0].content[0].cache_control"
        ]
    );
}

#[test]
fn settings_there_and_back() {
    let body = json!({"model":"m","input":"hi","max_output_tokens":9,"temperature":0.5,"top_p":0.25,"top_logprobs":2,
        "parallel_tool_calls":false,"metadata":{"a":"b"},"safety_identifier":"u","service_tier":"flex","store":false,
        "include":["message.output_text.logprobs","reasoning.encrypted_content"],"truncation":"auto","prompt_cache_key":"k",
        "reasoning":{"effort":"high","summary":"detailed","context":"all_turns"},
        "text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true},"verbosity":"low"},
        "tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":true},{"type":"web_search"}],
        "tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"f"}]}});
    let request = decoded(&body.to_string()).unwrap();
    let s = &request.settings;
    assert_eq!(s.max_output, Some(Set::new(9, "$.max_output_tokens")));
    assert_eq!(s.user, Some(Set::new("u".into(), "$.safety_identifier")));
    assert_eq!(s.logprobs, Some(Set::new(true, "$.include")));
    assert_eq!(
        s.reasoning.as_ref().unwrap().value,
        ReasoningAsk {
            depth: Some(Depth::Effort("high".into())),
            show: Some(true),
            summary: Some("detailed".into())
        }
    );
    assert_eq!(
        request.tool_choice.as_ref().unwrap().value,
        ToolChoice::Among {
            names: vec!["f".into()],
            required: true
        }
    );
    let extras: Vec<_> = request.extras.iter().map(|e| e.at.as_str()).collect();
    assert_eq!(
        extras.len(),
        4,
        "prompt_cache_key, truncation, include, reasoning.context: {extras:?}"
    );
    let (mut back, notes) = encoded(&request);
    assert_eq!(notes, crate::dialect::Notes::default());
    back["model"] = "m".into();
    back["input"] = "hi".into();
    let list = back["include"].as_array_mut().unwrap();
    list.reverse();
    assert_eq!(back, body);
}

#[test]
fn words_of_choice_format_and_depth() {
    let of = |members: &str| decoded(&format!(r#"{{"model":"m","input":"x",{members}}}"#)).unwrap();
    let choice = |c: &str| {
        of(&format!(r#""tool_choice":{c}"#))
            .tool_choice
            .map(|s| s.value)
    };
    assert_eq!(choice("\"auto\""), Some(ToolChoice::Auto));
    assert_eq!(choice("\"none\""), Some(ToolChoice::None));
    assert_eq!(choice("\"required\""), Some(ToolChoice::Required));
    assert_eq!(
        choice(r#"{"type":"function","name":"f"}"#),
        Some(ToolChoice::Named("f".into()))
    );
    let server = of(r#""tool_choice":{"type":"file_search"}"#);
    assert_eq!(server.tool_choice, None);
    assert_eq!(server.extras[0].key, "tool_choice");
    let format = |f: &str| {
        of(&format!(r#""text":{{"format":{f}}}"#))
            .settings
            .format
            .map(|s| s.value)
    };
    assert_eq!(format(r#"{"type":"text"}"#), Some(Format::Text));
    assert_eq!(
        format(r#"{"type":"json_object"}"#),
        Some(Format::JsonObject)
    );
    let off = of(r#""reasoning":{"effort":"none"}"#).settings.reasoning;
    assert_eq!(off.unwrap().value.depth, Some(Depth::Off));
    let both = of(r#""user":"old","safety_identifier":"new""#);
    assert_eq!(both.settings.user.as_ref().unwrap().value, "new");
    assert_eq!(encoded(&both).0["user"], "old");
    // Nothing, written out, is nothing.
    let nothing = of(
        r#""truncation":"disabled","background":false,"previous_response_id":null,"tools":[],"reasoning":null,"conversation":null"#,
    );
    assert!(nothing.extras.is_empty() && nothing.settings.reasoning.is_none());
    assert!(encoded(&nothing).0.get("tools").is_none());
}

#[test]
fn what_needs_state_is_refused_with_the_remedy() {
    for (members, path) in [
        (
            r#""previous_response_id":"resp_1""#,
            "$.previous_response_id",
        ),
        (r#""conversation":{"id":"c"}"#, "$.conversation"),
        (r#""prompt":{"id":"p"}"#, "$.prompt"),
        (r#""background":true"#, "$.background"),
        (
            r#""input":["x",{"type":"item_reference","id":"i"}]"#,
            "$.input[0]",
        ),
        (
            r#""input":[{"type":"item_reference","id":"i"}]"#,
            "$.input[0]",
        ),
    ] {
        let error = decoded(&format!(r#"{{"model":"m",{members}}}"#)).unwrap_err();
        assert!(error.message().contains(path), "{error}");
        let wanted = if members.contains("\"x\"") {
            "invalid_field"
        } else {
            "unsupported"
        };
        assert_eq!(error.code(), wanted, "{members}");
    }
}

#[test]
fn what_cannot_be_understood_is_named_by_its_path() {
    for (members, path) in [
        (r#""instructions":7"#, "$.instructions"),
        (
            r#""input":[{"type":"message","role":"alien"}]"#,
            "$.input[0].role",
        ),
        (
            r#""input":[{"type":"function_call","name":"f"}]"#,
            "$.input[0].call_id",
        ),
        (
            r#""input":[{"type":"function_call_output","output":"x"}]"#,
            "$.input[0].call_id",
        ),
        (r#""tools":{}"#, "$.tools"),
        (r#""tools":[{"type":"function"}]"#, "$.tools[0].name"),
        (r#""tools":[{}]"#, "$.tools[0].type"),
        (r#""tool_choice":7"#, "$.tool_choice"),
        (r#""text":{"format":{"type":"yaml"}}"#, "$.text.format.type"),
        (
            r#""text":{"format":{"type":"json_schema"}}"#,
            "$.text.format.schema",
        ),
        (r#""temperature":"hot""#, "$.temperature"),
        (r#""max_output_tokens":-1"#, "$.max_output_tokens"),
        (r#""include":"x""#, "$.include"),
        (r#""reasoning":"high""#, "$.reasoning"),
    ] {
        let error = decoded(&format!(r#"{{"model":"m",{members}}}"#)).unwrap_err();
        assert!(
            error.message().contains(&format!("`{path}`")),
            "{members}: {error}"
        );
    }
}

#[test]
fn what_has_no_word_here_is_left_out_and_named() {
    let seal = |protocol| {
        Some(Seal {
            protocol,
            data: "s".into(),
        })
    };
    let reasoning = |id: Option<&str>, protocol| {
        PartKind::Reasoning(Reasoning {
            text: "thought".into(),
            summary: false,
            id: id.map(str::to_owned),
            seal: seal(protocol),
        })
    };
    let mut request = asked(vec![
        message(
            Role::Assistant,
            vec![
                reasoning(Some("rs_1"), ALIEN),
                reasoning(None, OPENAI),
                PartKind::Text {
                    text: "hi".into(),
                    citations: vec![Citation {
                        url: None,
                        title: None,
                        quote: None,
                        span: None,
                        protocol: ALIEN,
                        raw: RawJson::new("{}"),
                    }],
                },
                PartKind::Opaque {
                    kind: "server_tool".into(),
                    protocol: ALIEN,
                    raw: RawJson::new("{}"),
                },
                PartKind::Opaque {
                    kind: "novel".into(),
                    protocol: OPENAI,
                    raw: RawJson::new("{}"),
                },
                PartKind::ToolCall(ToolCall {
                    id: "c".into(),
                    name: "f".into(),
                    arguments: "{}".into(),
                    custom: false,
                    seal: seal(ALIEN),
                }),
            ],
        ),
        message(
            Role::Tool,
            vec![PartKind::ToolResult(ToolResult {
                call_id: "c".into(),
                name: None,
                parts: vec![Part::new(PartKind::text("boom"), At::default())],
                is_error: true,
            })],
        ),
        message(
            Role::User,
            vec![
                PartKind::Video(Source::Url("https://x/v.mp4".into())),
                PartKind::Document {
                    source: Source::Text("plain".into()),
                    title: None,
                    context: Some("c".into()),
                    citations: Some(true),
                },
            ],
        ),
    ]);
    request.settings.stop = Some(Set::new(vec!["x".into()], "$.stop"));
    request.settings.top_k = Some(Set::new(1, "$.top_k"));
    request.settings.seed = Some(Set::new(1, "$.seed"));
    request.settings.choices = Some(Set::new(2, "$.n"));
    request.settings.store = Some(Set::new(true, "$.store"));
    request.settings.service_tier = Some(Set::new("standard_only".into(), "$.service_tier"));
    request.settings.reasoning = Some(Set::new(
        ReasoningAsk {
            depth: Some(Depth::Budget(4_000)),
            show: Some(true),
            summary: None,
        },
        "$.thinking",
    ));
    request.tool_choice = Some(Set::new(ToolChoice::Required, "$.tool_choice"));
    request.tools = vec![Tool {
        kind: ToolKind::Opaque {
            kind: "x".into(),
            protocol: ALIEN,
            raw: RawJson::new("{}"),
        },
        cache: None,
        at: At::new("$.tools[0]"),
    }];
    for (key, protocol) in [
        ("thinking_x", ALIEN),
        ("prediction", OPENAI),
        ("kept", OPENAI),
    ] {
        request.extras.push(lintel_types::canon::Extra {
            key: key.into(),
            at: At::new(format!("$.{key}")),
            protocol,
            value: RawJson::new("1"),
        });
    }
    let (body, notes) = encoded(&request);
    let mut dropped = notes.dropped.clone();
    dropped.sort();
    let mut wanted = vec![
        "$.m[0]",
        "$.m[1]",
        "$.m[2].citations",
        "$.m[3]",
        "$.m[4]",
        "$.m[5]",
        "$.m[0].is_error",
        "$.m[1].context",
        "$.m[1].citations",
        "$.stop",
        "$.top_k",
        "$.seed",
        "$.n",
        "$.store",
        "$.service_tier",
        "$.tool_choice",
        "$.tools[0]",
        "$.thinking_x",
        "$.prediction",
    ];
    wanted.sort_unstable();
    assert_eq!(dropped, wanted);
    assert_eq!(notes.emulated, ["$.m[1]", "$.thinking"]);
    assert_eq!(
        body["reasoning"],
        json!({"effort":"medium","summary":"auto"})
    );
    assert_eq!(body["kept"], 1);
    assert!(body.get("tools").is_none() && body.get("tool_choice").is_none());
    assert_eq!(
        body["input"],
        json!([
            {"type":"message","role":"assistant","content":[{"type":"output_text","text":"hi","annotations":[]}]},
            {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
            {"type":"function_call_output","call_id":"c","output":"boom"},
            {"type":"message","role":"user","content":[{"type":"input_text","text":"plain"}]}
        ])
    );
}

#[test]
fn chats_nested_forms_become_flat() {
    let tool = |kind| Tool {
        kind,
        cache: None,
        at: At::default(),
    };
    let mut request = asked(Vec::new());
    request.tools = vec![
        tool(ToolKind::Opaque {
            kind: "custom".into(),
            protocol: OPENAI,
            raw: RawJson::new(
                r#"{"type":"custom","custom":{"name":"g","format":{"type":"grammar","grammar":{"syntax":"lark","definition":"d"}}}}"#,
            ),
        }),
        tool(ToolKind::Function(FunctionTool {
            name: "f".into(),
            description: None,
            parameters: None,
            strict: None,
        })),
    ];
    let (body, _) = encoded(&request);
    assert_eq!(
        body["tools"],
        json!([
            {"type":"custom","name":"g","format":{"type":"grammar","syntax":"lark","definition":"d"}},
            {"type":"function","name":"f","parameters":null,"strict":false}
        ])
    );
}
