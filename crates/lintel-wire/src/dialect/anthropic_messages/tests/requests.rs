//! Requests, mapping by mapping: what is read, and what is written of the conversation.

use lintel_types::canon::{
    Depth, Extra, PartKind, RawJson, Reasoning, Role, Seal, Source, ToolChoice,
};
use serde_json::{Value, json};

use super::*;

#[test]
fn user_turns_are_split_and_unknown_blocks_kept() {
    let request = decode(
        r#"{"model":"m","max_tokens":9,"system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[
            {"role":"user","content":"hi"},
            {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"sig"},{"type":"redacted_thinking","data":"d"},{"type":"tool_use","id":"c","name":"f","input":{"a": 1}}]},
            {"role":"user","content":[{"type":"text","text":"and"},{"type":"tool_result","tool_use_id":"c","is_error":true,"content":[{"type":"text","text":"bad"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}}]},{"type":"container_upload","file_id":"f"}]},
            {"role":"assistant","content":[{"type":"text","text":"x","citations":[{"type":"char_location","cited_text":"q","document_title":"d"}]},{"type":"server_tool_use","id":"s"},{"type":"image","source":{"type":"novel"}}]}]}"#,
    );
    let roles: Vec<Role> = request.messages.iter().map(|m| m.role).collect();
    assert_eq!(
        roles,
        [
            Role::System,
            Role::User,
            Role::Assistant,
            Role::Tool,
            Role::User,
            Role::Assistant
        ]
    );
    assert_eq!(
        request.messages[0].parts[0]
            .cache
            .as_ref()
            .unwrap()
            .ttl
            .as_deref(),
        Some("1h")
    );
    assert_eq!(
        request.messages[1].parts[0].at.as_str(),
        "$.messages[0].content"
    );
    let PartKind::Reasoning(redacted) = &request.messages[2].parts[1].kind else {
        panic!("{:?}", request.messages[2]);
    };
    assert_eq!(
        (
            redacted.text.as_str(),
            redacted.seal.as_ref().unwrap().data.as_str()
        ),
        ("", "redacted:d")
    );
    let PartKind::ToolResult(result) = &request.messages[3].parts[0].kind else {
        panic!("{:?}", request.messages[3]);
    };
    assert!(result.is_error);
    assert_eq!(
        result.parts[1].at.as_str(),
        "$.messages[2].content[1].content[1]"
    );
    assert!(
        matches!(&request.messages[4].parts[1].kind, PartKind::Opaque { kind, .. } if kind == "container_upload")
    );
    let PartKind::Text { citations, .. } = &request.messages[5].parts[0].kind else {
        panic!("{:?}", request.messages[5]);
    };
    assert_eq!(
        (citations[0].title.as_deref(), citations[0].quote.as_deref()),
        (Some("d"), Some("q"))
    );
    assert!(
        matches!(&request.messages[5].parts[2].kind, PartKind::Opaque { kind, .. } if kind == "image")
    );
}

#[test]
fn every_source_of_a_document_is_read() {
    for (source, wanted) in [
        (
            r#"{"type":"url","url":"https://a"}"#,
            Source::Url("https://a".into()),
        ),
        (r#"{"type":"file","file_id":"f"}"#, Source::File("f".into())),
        (
            r#"{"type":"text","media_type":"text/plain","data":"d"}"#,
            Source::Text("d".into()),
        ),
        (
            r#"{"type":"content","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#,
            Source::Text("a\nb".into()),
        ),
    ] {
        let request = decode(&format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"document","title":"t","context":"c","citations":{{"enabled":true}},"source":{source}}}]}}]}}"#
        ));
        let PartKind::Document {
            source,
            title,
            context,
            citations,
        } = &request.messages[0].parts[0].kind
        else {
            panic!("{request:?}");
        };
        assert_eq!(*source, wanted);
        assert_eq!(
            (title.as_deref(), context.as_deref(), *citations),
            (Some("t"), Some("c"), Some(true))
        );
    }
}

#[test]
fn settings_are_read_with_their_places() {
    let request = decode(
        r#"{"model":"m","stream":true,"max_tokens":9,"messages":[],"temperature":0.5,"top_p":0.9,"top_k":3,"stop_sequences":["x"],"metadata":{"user_id":"u"},"service_tier":"auto",
            "thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"max","format":{"type":"json_schema","schema":{"type":"object"}},"task_budget":{"total":1}},
            "tool_choice":{"type":"any","disable_parallel_tool_use":true},"container":"c","lintel":{}}"#,
    );
    let settings = &request.settings;
    let reasoning = settings.reasoning.as_ref().unwrap();
    assert_eq!(
        (
            reasoning.at,
            reasoning.value.depth.clone(),
            reasoning.value.show
        ),
        (
            "$.output_config.effort",
            Some(Depth::Effort("xhigh".into())),
            Some(false)
        )
    );
    assert_eq!(
        request.tool_choice,
        set(ToolChoice::Required, "$.tool_choice")
    );
    assert_eq!(
        settings.parallel_tools,
        set(false, "$.tool_choice.disable_parallel_tool_use")
    );
    assert_eq!(settings.user, set("u".into(), "$.metadata.user_id"));
    assert!(settings.format.is_some() && settings.top_k.is_some() && request.stream);
    let extras: Vec<_> = request.extras.iter().map(|e| e.at.as_str()).collect();
    assert_eq!(extras, ["$.output_config.task_budget", "$.container"]);
    // An effort beside a budget has no canonical word of its own, in either order.
    for body in [
        r#"{"model":"m","messages":[],"thinking":{"type":"enabled","budget_tokens":2000},"output_config":{"effort":"low"}}"#,
        r#"{"model":"m","messages":[],"output_config":{"effort":"low"},"thinking":{"type":"enabled","budget_tokens":2000}}"#,
    ] {
        let request = decode(body);
        assert_eq!(
            request.settings.reasoning.unwrap().value.depth,
            Some(Depth::Budget(2000))
        );
        assert_eq!(request.extras[0].at.as_str(), "$.output_config.effort");
    }
    assert!(
        decode(r#"{"model":"m","messages":[],"output_format":{"type":"json_schema","schema":{}}}"#)
            .settings
            .format
            .is_some()
    );
}

#[test]
fn what_is_no_conversation_is_refused_with_its_path() {
    for (body, path) in [
        (r#"{"model":"m","messages":[3]}"#, "$.messages[0]"),
        (
            r#"{"model":"m","messages":[{"role":"robot","content":"x"}]}"#,
            "$.messages[0].role",
        ),
        (
            r#"{"model":"m","messages":[{"role":"user","content":7}]}"#,
            "$.messages[0].content",
        ),
    ] {
        let head = surface::spec(ANTHROPIC_MESSAGES)
            .head(body.as_bytes(), &Place::default())
            .unwrap();
        let error = AnthropicMessages
            .decode_request(body.as_bytes(), &head)
            .unwrap_err();
        assert!(error.message().contains(path), "{}", error.message());
    }
}

#[test]
fn instructions_are_hoisted_or_stand_between_turns() {
    let request = asked(vec![
        message(Role::System, vec![PartKind::text("a")]),
        message(Role::Developer, vec![PartKind::text("b")]),
        message(Role::User, vec![PartKind::text("hi")]),
        message(Role::System, vec![PartKind::text("c")]),
    ]);
    let block = |text: &str| json!({ "type": "text", "text": text });
    check(
        &request,
        MODEL,
        "/system",
        json!([block("a"), block("b"), block("c")]),
        &[],
        &["$.m"],
    );
    check(
        &request,
        "claude-opus-4-8",
        "/system",
        json!([block("a"), block("b")]),
        &[],
        &[],
    );
    check(
        &request,
        "claude-opus-4-8",
        "/messages/1/role",
        json!("system"),
        &[],
        &[],
    );
    let alone = asked(vec![message(Role::System, vec![PartKind::text("a")])]);
    check(
        &alone,
        MODEL,
        "/messages",
        json!([{ "role": "user", "content": [block(".")] }]),
        &[],
        &["$.messages"],
    );
}

#[test]
fn neighbours_are_joined_and_results_come_first() {
    let request = asked(vec![
        message(Role::User, vec![PartKind::text("a")]),
        message(Role::User, vec![PartKind::text("b")]),
        message(Role::Assistant, vec![call("c.1", "")]),
        message(Role::Assistant, vec![call("c2", "not json")]),
        message(Role::User, vec![PartKind::text("and")]),
        message(Role::Tool, vec![result("c2", "2")]),
        message(Role::Tool, vec![result("c.1", "1")]),
    ]);
    let (body, encoded) = encode(&request, MODEL);
    let said: Vec<(&str, Vec<&str>)> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            let kinds = m["content"]
                .as_array()
                .unwrap()
                .iter()
                .map(|b| b["type"].as_str().unwrap());
            (m["role"].as_str().unwrap(), kinds.collect())
        })
        .collect();
    assert_eq!(
        said,
        [
            ("user", vec!["text", "text"]),
            ("assistant", vec!["tool_use", "tool_use"]),
            ("user", vec!["tool_result", "tool_result", "text"]),
        ]
    );
    assert_eq!(body["messages"][1]["content"][0]["id"], "c_1");
    assert_eq!(body["messages"][1]["content"][0]["input"], json!({}));
    assert_eq!(
        body["messages"][1]["content"][1]["input"],
        json!({ "input": "not json" })
    );
    assert_eq!(body["messages"][2]["content"][1]["tool_use_id"], "c_1");
    assert_eq!(encoded.notes.emulated, ["$.p[0]"]);
    assert_eq!(encoded.notes.dropped, [""; 0]);
}

#[test]
fn calls_and_results_without_each_other_are_left_out() {
    let request = asked(vec![
        message(Role::Tool, vec![result("lost", "x")]),
        message(Role::User, vec![PartKind::text("a")]),
        message(
            Role::Assistant,
            vec![PartKind::text("b"), call("unanswered", "{}")],
        ),
        message(Role::User, vec![PartKind::text("c")]),
    ]);
    let (body, encoded) = encode(&request, MODEL);
    assert!(!body.to_string().contains("tool_"), "{body}");
    assert_eq!(encoded.notes.dropped, ["$.p[0]", "$.p[1]"]);
}

#[test]
fn what_the_api_refuses_in_texts_is_not_sent() {
    let request = asked(vec![
        message(
            Role::User,
            vec![
                PartKind::text(""),
                PartKind::text(" \n"),
                PartKind::text("a "),
            ],
        ),
        message(
            Role::Assistant,
            vec![PartKind::Refusal("no".into()), PartKind::text("so \n")],
        ),
    ]);
    let (body, encoded) = encode(&request, MODEL);
    assert_eq!(
        body["messages"][0]["content"],
        json!([{ "type": "text", "text": "a " }])
    );
    assert_eq!(body["messages"][1]["content"][1]["text"], "so");
    assert_eq!(encoded.notes.dropped, ["$.p[1]"]);
    assert_eq!(encoded.notes.emulated, ["$.p[0]", "$.p[1]"]);
}

#[test]
fn foreign_parts_are_left_out_and_named() {
    let foreign = Seal {
        protocol: OPENAI,
        data: "s".into(),
    };
    let reasoning = |seal| {
        PartKind::Reasoning(Reasoning {
            text: "t".into(),
            seal,
            ..Reasoning::default()
        })
    };
    let opaque = PartKind::Opaque {
        kind: "x".into(),
        protocol: OPENAI,
        raw: RawJson::new("{}"),
    };
    let image = |source, detail: Option<&str>| PartKind::Image {
        source,
        detail: detail.map(str::to_owned),
    };
    let inline = |media_type: &str| Source::Inline {
        media_type: media_type.into(),
        data: "AA".into(),
    };
    let request = asked(vec![
        message(
            Role::User,
            vec![
                PartKind::Audio(inline("audio/wav")),
                image(Source::File("f".into()), None),
                image(inline("image/bmp"), None),
                image(inline("image/png"), Some("high")),
                opaque,
            ],
        ),
        message(
            Role::Assistant,
            vec![
                reasoning(None),
                reasoning(Some(foreign)),
                PartKind::text("x"),
            ],
        ),
    ]);
    let (body, encoded) = encode(&request, MODEL);
    assert_eq!(body["messages"][0]["content"].as_array().unwrap().len(), 1);
    assert_eq!(body["messages"][1]["content"].as_array().unwrap().len(), 1);
    assert_eq!(
        encoded.notes.dropped,
        ["$.p[0]", "$.p[1]", "$.p[2]", "$.p[3].detail", "$.p[4]"]
    );
    let extra = asking(|r| {
        r.extras.push(Extra {
            key: "moderation".into(),
            at: At::new("$.moderation"),
            protocol: OPENAI,
            value: RawJson::new("1"),
        })
    });
    check(
        &extra,
        MODEL,
        "/moderation",
        Value::Null,
        &["$.moderation"],
        &[],
    );
}
