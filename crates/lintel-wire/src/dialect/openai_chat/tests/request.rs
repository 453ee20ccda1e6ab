//! Requests as clients write them.

use lintel_types::canon::{Depth, Format, Part, PartKind, Role, Source, ToolChoice, ToolKind};

use super::*;

fn parts(messages: &str) -> Vec<Part> {
    let request = asked(&format!(r#"{{"model":"m","messages":[{messages}]}}"#));
    request.messages.into_iter().flat_map(|m| m.parts).collect()
}

fn user(part: &str) -> Part {
    let parts = parts(&format!(r#"{{"role":"user","content":[{part}]}}"#));
    let [part] = parts.as_slice() else {
        panic!("{parts:?}")
    };
    part.clone()
}

#[test]
fn roles_and_contents() {
    let request = asked(
        r#"{"model":"m","messages":[{"role":"system","content":"s"},{"role":"developer","content":[{"type":"text","text":"d"}]},
        {"role":"user","name":"Ada","content":""},{"role":"assistant","content":null}]}"#,
    );
    let roles: Vec<Role> = request.messages.iter().map(|m| m.role).collect();
    assert_eq!(
        roles,
        [Role::System, Role::Developer, Role::User, Role::Assistant]
    );
    assert_eq!(request.messages[2].name.as_deref(), Some("Ada"));
    assert!(request.messages[2].parts.is_empty() && request.messages[3].parts.is_empty());
    let at = |m: usize| request.messages[m].parts[0].at.as_str().to_owned();
    assert_eq!(
        (at(0), at(1)),
        (
            "$.messages[0].content".into(),
            "$.messages[1].content[0]".into()
        )
    );
}

#[test]
fn media() {
    let image = user(
        r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AA==","detail":"low"}}"#,
    );
    assert!(
        matches!(&image.kind, PartKind::Image { source: Source::Inline { media_type, .. }, detail: Some(d) }
        if media_type == "image/png" && d == "low")
    );
    let mistral = user(r#"{"type":"image_url","image_url":"https://x/y"}"#);
    assert!(matches!(
        mistral.kind,
        PartKind::Image {
            source: Source::Url(_),
            ..
        }
    ));
    let audio = user(r#"{"type":"input_audio","input_audio":{"data":"AA==","format":"mp3"}}"#);
    assert!(
        matches!(&audio.kind, PartKind::Audio(Source::Inline { media_type, .. }) if media_type == "audio/mpeg")
    );
    let file = user(
        r#"{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}}"#,
    );
    assert!(
        matches!(&file.kind, PartKind::Document { source: Source::Inline { .. }, title: Some(t), .. } if t == "a.pdf")
    );
    let kept = user(r#"{"type":"file","file":{"file_id":"file-1"}}"#);
    assert!(
        matches!(&kept.kind, PartKind::Document { source: Source::File(id), .. } if id == "file-1")
    );
    let video = user(r#"{"type":"video_url","video_url":{"url":"https://x/y.mp4"}}"#);
    assert!(matches!(video.kind, PartKind::Video(Source::Url(_))));
    let document = user(r#"{"type":"document_url","document_url":"https://x/y.pdf"}"#);
    assert!(matches!(
        document.kind,
        PartKind::Document {
            source: Source::Url(_),
            ..
        }
    ));
    let novel = user(r#"{"type":"hologram","hologram":{}}"#);
    assert!(
        matches!(&novel.kind, PartKind::Opaque { kind, raw, .. } if kind == "hologram" && raw.as_str().contains("{}"))
    );
    // A part without what its type needs is carried, not guessed.
    assert!(matches!(
        user(r#"{"type":"image_url"}"#).kind,
        PartKind::Opaque { .. }
    ));
}

#[test]
fn cache_marks() {
    let mark = |part: &str| user(part).cache.map(|c| c.ttl);
    let text = r#""type":"text","text":"a""#;
    assert_eq!(
        mark(&format!(
            r#"{{{text},"cache_control":{{"type":"ephemeral","ttl":"1h"}}}}"#
        )),
        Some(Some("1h".into()))
    );
    assert_eq!(mark(&format!(r#"{{{text},"cache_control":null}}"#)), None);
    assert_eq!(
        mark(&format!(
            r#"{{{text},"prompt_cache_breakpoint":{{"mode":"explicit"}}}}"#
        )),
        Some(None)
    );
}

#[test]
fn reasoning_in_its_spellings() {
    let read = |members: &str| {
        let all = parts(&format!(
            r#"{{"role":"assistant","content":"a",{members}}}"#
        ));
        match &all[0].kind {
            PartKind::Reasoning(r) => (
                r.text.clone(),
                r.summary,
                r.id.clone(),
                r.seal.clone().map(|s| s.data),
            ),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        read(r#""reasoning_content":"r""#),
        ("r".into(), false, None, None)
    );
    assert_eq!(
        read(r#""reasoning":"r","reasoning_details":[]"#),
        ("r".into(), false, None, None)
    );
    let signed = r#"[{"type":"reasoning.text","text":"r","signature":"S"}]"#;
    assert_eq!(
        read(&format!(r#""reasoning_details":{signed}"#)),
        ("r".into(), false, None, Some(signed.into()))
    );
    let summed = r#""reasoning_details":[{"type":"reasoning.summary","summary":"r"},{"type":"reasoning.encrypted","data":"gA","id":"rs_1","format":"openai-responses-v1"}]"#;
    assert_eq!(
        read(summed),
        ("r".into(), true, Some("rs_1".into()), Some("gA".into()))
    );
    let extra = r#"{"google":{"thought_signature":"S"}}"#;
    assert_eq!(
        read(&format!(r#""extra_content":{extra}"#)),
        (String::new(), false, None, Some(extra.into()))
    );
    let mistral = parts(
        r#"{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"r"}]},{"type":"text","text":"a"}]}"#,
    );
    assert!(matches!(&mistral[0].kind, PartKind::Reasoning(r) if r.text == "r"));
}

#[test]
fn calls_and_results() {
    let all = parts(
        r#"{"role":"assistant","content":null,"tool_calls":[
            {"id":"a","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
            {"id":"b","type":"custom","custom":{"name":"g","input":"free"}},
            {"id":"","type":"function","function":{"name":"h","arguments":{"y":2}},"extra_content":{"google":{"thought_signature":"S"}}},
            {"type":"function"}]},
        {"role":"tool","tool_call_id":"a","content":[{"type":"text","text":"1"}]},
        {"role":"tool","tool_call_id":"","name":"h","content":"2"}"#,
    );
    let calls: Vec<_> = all
        .iter()
        .filter_map(|p| match &p.kind {
            PartKind::ToolCall(c) => Some((
                c.id.as_str(),
                c.name.as_str(),
                c.arguments.as_str(),
                c.custom,
                c.seal.is_some(),
            )),
            _ => None,
        })
        .collect();
    assert_eq!(
        calls,
        [
            ("a", "f", r#"{"x":1}"#, false, false),
            ("b", "g", "free", true, false),
            ("call_1", "h", r#"{"y":2}"#, false, true)
        ]
    );
    let results: Vec<_> = all
        .iter()
        .filter_map(|p| match &p.kind {
            PartKind::ToolResult(r) => Some((r.call_id.as_str(), r.name.as_deref(), r.parts.len())),
            _ => None,
        })
        .collect();
    assert_eq!(results, [("a", None, 1), ("call_1", Some("h"), 1)]);
}

#[test]
fn the_older_words_for_functions() {
    let request = asked(
        r#"{"model":"m","functions":[{"name":"f","parameters":{}}],"function_call":{"name":"f"},"messages":[
        {"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"1"}]}"#,
    );
    assert!(matches!(&request.tools[0].kind, ToolKind::Function(f) if f.name == "f"));
    assert_eq!(
        request.tool_choice.unwrap().value,
        ToolChoice::Named("f".into())
    );
    let id = |m: usize| match &request.messages[m].parts[0].kind {
        PartKind::ToolCall(c) => c.id.clone(),
        PartKind::ToolResult(r) => r.call_id.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((id(0), id(1)), ("call_1".into(), "call_1".into()));
}

#[test]
fn what_the_assistant_may_hold_beside_text() {
    let all = parts(
        r#"{"role":"assistant","content":[{"type":"refusal","refusal":"no"}],"refusal":"never","audio":{"id":"audio_1"}}"#,
    );
    assert!(matches!(&all[0].kind, PartKind::Refusal(r) if r == "no"));
    assert!(matches!(&all[1].kind, PartKind::Refusal(r) if r == "never"));
    assert!(matches!(&all[2].kind, PartKind::Audio(Source::File(id)) if id == "audio_1"));
}

#[test]
fn tools_and_choices() {
    let request = with(
        r#""tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"a":1},"strict":true},"cache_control":{"type":"ephemeral"}},
        {"function":{"name":"g","parameters":null}},{"type":"custom","custom":{"name":"c"}},{"type":"web_search"}]"#,
    );
    assert!(matches!(&request.tools[0].kind, ToolKind::Function(f)
        if f.strict == Some(true) && f.parameters.as_ref().unwrap().as_str() == r#"{"a":1}"#));
    assert!(request.tools[0].cache.is_some());
    assert!(matches!(&request.tools[1].kind, ToolKind::Function(f) if f.parameters.is_none()));
    let kinds = |i: usize| matches!(&request.tools[i].kind, ToolKind::Opaque { kind, .. } if kind == ["custom", "web_search"][i - 2]);
    assert!(kinds(2) && kinds(3));
    let choice = |json: &str| {
        with(&format!(r#""tool_choice":{json}"#))
            .tool_choice
            .map(|c| c.value)
    };
    assert_eq!(choice(r#""auto""#), Some(ToolChoice::Auto));
    assert_eq!(choice(r#""any""#), Some(ToolChoice::Required));
    assert_eq!(
        choice(r#"{"function":{"name":"f"}}"#),
        Some(ToolChoice::Named("f".into()))
    );
    assert_eq!(
        choice(r#"{"type":"custom","custom":{"name":"c"}}"#),
        Some(ToolChoice::Named("c".into()))
    );
    let allowed = r#"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}}"#;
    assert_eq!(
        choice(allowed),
        Some(ToolChoice::Among {
            names: vec!["f".into()],
            required: true
        })
    );
    // A kind that nobody knows yet is carried as it is.
    let novel = with(r#""tool_choice":{"type":"novel"}"#);
    assert_eq!(
        (novel.tool_choice, novel.extras[0].key.as_str()),
        (None, "tool_choice")
    );
}

#[test]
fn settings() {
    let s = with(
        r#""max_tokens":1,"max_completion_tokens":2,"stop":"x","n":3,"seed":-4,"random_seed":null,"logit_bias":{"1":2},
        "response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"a":1}}},"top_k":5,"verbosity":"low""#,
    )
    .settings;
    let most = s.max_output.unwrap();
    assert_eq!((most.value, most.at), (2, "$.max_completion_tokens"));
    assert_eq!(s.stop.unwrap().value, ["x"]);
    assert_eq!(
        (
            s.choices.unwrap().value,
            s.seed.unwrap().value,
            s.top_k.unwrap().value
        ),
        (3, -4, 5)
    );
    assert!(
        matches!(s.format.unwrap().value, Format::JsonSchema(j) if j.schema.as_str() == r#"{"a":1}"#)
    );
    assert_eq!(s.temperature, None);
    let depth = |json: &str| {
        with(json)
            .settings
            .reasoning
            .map(|r| (r.value.depth, r.value.show))
    };
    assert_eq!(
        depth(r#""reasoning_effort":"none""#),
        Some((Some(Depth::Off), None))
    );
    assert_eq!(
        depth(r#""reasoning_effort":"low","reasoning":{"exclude":true}"#),
        Some((Some(Depth::Effort("low".into())), Some(false)))
    );
    assert_eq!(
        depth(r#""reasoning":{"max_tokens":9}"#),
        Some((Some(Depth::Budget(9)), None))
    );
    assert_eq!(
        depth(r#""reasoning":{"enabled":true}"#),
        Some((Some(Depth::Auto), None))
    );
}

#[test]
fn members_without_a_word_are_carried_and_streams_are_not() {
    let request = with(
        r#""stream":true,"stream_options":{"include_usage":true},"modalities":["text"],"prompt_cache_key":"k","x":null"#,
    );
    assert!(request.stream && request.include_usage);
    let extras: Vec<_> = request
        .extras
        .iter()
        .map(|e| (e.key.as_str(), e.at.as_str(), e.value.as_str()))
        .collect();
    assert_eq!(
        extras,
        [
            ("modalities", "$.modalities", r#"["text"]"#),
            ("prompt_cache_key", "$.prompt_cache_key", "\"k\"")
        ]
    );
}

#[test]
fn refusals_name_the_path() {
    let refused = |members: &str, path: &str| {
        let body = format!(r#"{{"model":"m",{members}}}"#);
        let head = spec(OPENAI_CHAT)
            .head(body.as_bytes(), &Place::default())
            .unwrap();
        let error = OpenaiChat
            .decode_request(body.as_bytes(), &head)
            .unwrap_err();
        assert!(
            error.message().contains(&format!("`{path}` must be")),
            "{error}"
        );
        assert_eq!(error.code(), "invalid_field");
    };
    refused(
        r#""messages":[{"role":"user","content":"a"},{"role":"robot"}]"#,
        "$.messages[1].role",
    );
    refused(r#""messages":[{"content":"a"}]"#, "$.messages[0].role");
    refused(
        r#""messages":[{"role":"user","content":7}]"#,
        "$.messages[0].content",
    );
    refused(r#""messages":[],"temperature":"hot""#, "$.temperature");
    refused(r#""messages":[],"stop":[7]"#, "$.stop");
    refused(
        r#""messages":[],"tools":[{"type":"function"}]"#,
        "$.tools[0].function",
    );
    refused(
        r#""messages":[],"tools":[{"type":"function","function":{}}]"#,
        "$.tools[0].function.name",
    );
    refused(
        r#""messages":[],"response_format":{"type":"json_schema"}"#,
        "$.response_format.json_schema",
    );
}
