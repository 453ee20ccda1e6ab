//! Requests as hosts get them, and what is named because they can't be told.

use lintel_types::Protocol;
use lintel_types::canon::{
    At, CacheMark, Citation, Depth, Extra, Message, Part, PartKind, RawJson, Reasoning,
    ReasoningAsk, Role, Seal, Set, Source, Tool, ToolCall, ToolChoice, ToolKind, ToolResult,
};
use serde_json::json;

use super::*;

const FOREIGN: Protocol = Protocol::new("elsewhere");

fn part(kind: PartKind, at: &str) -> Part {
    Part::new(kind, At::new(at))
}

fn says(role: Role, parts: Vec<Part>) -> Message {
    Message {
        role,
        name: None,
        parts,
        at: At::new("$.m"),
    }
}

fn talk(messages: Vec<Message>) -> Request {
    Request {
        messages,
        ..Request::default()
    }
}

/// The messages at `host`, and the paths that are dropped and emulated.
fn messages(list: Vec<Message>, name: &str) -> (serde_json::Value, Vec<String>, Vec<String>) {
    let (body, encoded) = sent(&talk(list), host(name));
    let notes = encoded.notes;
    (body["messages"].clone(), notes.dropped, notes.emulated)
}

fn none() -> Vec<String> {
    Vec::new()
}

fn result(call_id: &str, parts: Vec<Part>, is_error: bool) -> Part {
    let result = ToolResult {
        call_id: call_id.into(),
        name: None,
        parts,
        is_error,
    };
    part(PartKind::ToolResult(result), "$.r")
}

fn png() -> Part {
    let source = Source::Inline {
        media_type: "image/png".into(),
        data: "AA==".into(),
    };
    part(
        PartKind::Image {
            source,
            detail: None,
        },
        "$.i",
    )
}

#[test]
fn images_of_tools_follow_the_last_result() {
    let both = vec![
        result("a", vec![part(PartKind::text("one"), "$.t"), png()], true),
        result("b", vec![], false),
    ];
    let next = says(Role::User, vec![part(PartKind::text("go on"), "$.u")]);
    let (list, dropped, emulated) = messages(vec![says(Role::Tool, both), next], "openai");
    let url = "data:image/png;base64,AA==";
    assert_eq!(
        list,
        json!([
            {"role":"tool","tool_call_id":"a","content":"one"},
            {"role":"tool","tool_call_id":"b","content":""},
            {"role":"user","content":[{"type":"image_url","image_url":{"url":url}}]},
            {"role":"user","content":"go on"},
        ])
    );
    assert_eq!(
        (dropped, emulated),
        (none(), vec!["$.r".to_owned(), "$.i".to_owned()])
    );
}

#[test]
fn reasoning_goes_back_as_its_host_takes_it() {
    let thought = |seal: Option<(Protocol, &str)>| {
        let reasoning = Reasoning {
            text: "r".into(),
            seal: seal.map(|(protocol, data)| Seal {
                protocol,
                data: data.into(),
            }),
            ..Reasoning::default()
        };
        vec![says(
            Role::Assistant,
            vec![
                part(PartKind::Reasoning(reasoning), "$.t"),
                part(PartKind::text("a"), "$.a"),
            ],
        )]
    };
    let check = |seal, name: &str, message: serde_json::Value, dropped: &[&str]| {
        let (list, named, _) = messages(thought(seal), name);
        assert_eq!(list[0], message, "{name}");
        assert_eq!(named, dropped, "{name}");
    };
    let plain = json!({"role":"assistant","content":"a"});
    check(None, "openai", plain.clone(), &["$.t"]);
    check(
        None,
        "deepseek",
        json!({"role":"assistant","content":"a","reasoning_content":"r"}),
        &[],
    );
    check(
        None,
        "groq",
        json!({"role":"assistant","content":"a","reasoning":"r"}),
        &[],
    );
    check(
        None,
        "mistral",
        json!({"role":"assistant","content":[
        {"type":"thinking","thinking":[{"type":"text","text":"r"}]},{"type":"text","text":"a"}]}),
        &[],
    );
    let details = r#"[{"type":"reasoning.text","text":"r","signature":"S"}]"#;
    check(
        Some((OPENAI, details)),
        "openrouter",
        json!({"role":"assistant","content":"a","reasoning":"r",
        "reasoning_details":[{"type":"reasoning.text","text":"r","signature":"S"}]}),
        &[],
    );
    check(
        Some((OPENAI, r#"{"google":{}}"#)),
        "gemini",
        json!({"role":"assistant","content":"a","extra_content":{"google":{}}}),
        &[],
    );
    // What is sealed for another never leaves, nor does its text.
    for name in ["openrouter", "deepseek", "mistral", "groq", "gemini"] {
        check(Some((FOREIGN, "S")), name, plain.clone(), &["$.t"]);
    }
    // A seal that looks like JSON and is none doesn't break the body.
    let broken = json!([{"type":"reasoning.encrypted","data":"[x","format":"openai-responses-v1","index":0}]);
    let (list, _, _) = messages(thought(Some((OPENAI, "[x"))), "openrouter");
    assert_eq!(list[0]["reasoning_details"], broken);
}

#[test]
fn turns_of_the_assistant() {
    let call = |custom: bool, seal: Option<Protocol>| {
        let call = ToolCall {
            id: "c".into(),
            name: "f".into(),
            arguments: String::new(),
            custom,
            seal: seal.map(|protocol| Seal {
                protocol,
                data: r#"{"google":{}}"#.into(),
            }),
        };
        part(PartKind::ToolCall(call), "$.c")
    };
    let (list, dropped, _) = messages(
        vec![says(Role::Assistant, vec![call(false, Some(FOREIGN))])],
        "gemini",
    );
    assert_eq!(
        list[0],
        json!({"role":"assistant","content":null,
        "tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]})
    );
    assert_eq!(dropped, ["$.c"]);
    let (list, dropped, _) = messages(
        vec![says(Role::Assistant, vec![call(true, Some(OPENAI))])],
        "gemini",
    );
    assert_eq!(
        list[0]["tool_calls"][0],
        json!({"id":"c","type":"custom","custom":{"name":"f","input":""},"extra_content":{"google":{}}})
    );
    assert_eq!(dropped, none());
    // DeepSeek refuses calls without the reasoning that led to them.
    let (list, ..) = messages(
        vec![says(Role::Assistant, vec![call(false, None)])],
        "deepseek",
    );
    assert_eq!(list[0]["reasoning_content"], "");
    // What followed a call stands before it; refusals are text where they have no word.
    let odd = vec![
        call(false, None),
        part(PartKind::text("late"), "$.l"),
        part(PartKind::Refusal("no".into()), "$.n"),
    ];
    let (list, _, emulated) = messages(vec![says(Role::Assistant, odd)], "together");
    assert_eq!(
        list[0]["content"],
        json!([{"type":"text","text":"late"},{"type":"text","text":"no"}])
    );
    assert_eq!(emulated, ["$.l", "$.n"]);
    // Nothing left of it: no message.
    let thought = PartKind::Reasoning(Reasoning {
        text: "r".into(),
        ..Reasoning::default()
    });
    let (list, dropped, _) = messages(
        vec![says(Role::Assistant, vec![part(thought, "$.t")])],
        "openai",
    );
    assert_eq!((list, dropped), (json!([]), vec!["$.t".to_owned()]));
}

#[test]
fn one_turn_of_the_assistant_is_one_message() {
    let says = |kind: PartKind| says(Role::Assistant, vec![part(kind, "$.p")]);
    let call = |id: &str| {
        says(PartKind::ToolCall(ToolCall {
            id: id.into(),
            name: "f".into(),
            arguments: "{}".into(),
            custom: false,
            seal: None,
        }))
    };
    let thought = says(PartKind::Reasoning(Reasoning {
        text: "r".into(),
        ..Reasoning::default()
    }));
    let text = |words: &str| says(PartKind::text(words));
    // As OpenAI's other dialect tells it, item by item.
    let items = vec![text("before"), thought, text("a"), call("1"), call("2")];
    let (list, dropped, _) = messages(items, "deepseek");
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 2, "{list:?}");
    assert_eq!(
        (&list[1]["content"], &list[1]["reasoning_content"]),
        (&json!("a"), &json!("r"))
    );
    assert_eq!(list[1]["tool_calls"].as_array().unwrap().len(), 2);
    assert_eq!(dropped, none());
}

#[test]
fn roles_names_and_marks_by_host() {
    let mut message = says(Role::Developer, vec![part(PartKind::text("d"), "$.d")]);
    message.name = Some("n".into());
    message.parts[0].cache = Some(CacheMark {
        ttl: Some("1h".into()),
    });
    let list = vec![message];
    let (openai, dropped, _) = messages(list.clone(), "openai");
    assert_eq!(
        openai[0],
        json!({"role":"developer","name":"n","content":[{"type":"text","text":"d"}]})
    );
    assert_eq!(dropped, ["$.d.cache_control"]);
    let (router, dropped, _) = messages(list.clone(), "openrouter");
    assert_eq!(router[0]["role"], "system");
    assert_eq!(
        router[0]["content"][0]["cache_control"],
        json!({"type":"ephemeral","ttl":"1h"})
    );
    assert_eq!(dropped, none());
    let (groq, dropped, _) = messages(list, "groq");
    assert_eq!(groq[0].get("name"), None);
    assert_eq!(dropped, ["$.d.cache_control", "$.m.name"]);
}

#[test]
fn documents_and_media_by_host() {
    let document = |source: Source, citations| {
        let kind = PartKind::Document {
            source,
            title: Some("t".into()),
            context: None,
            citations,
        };
        vec![says(Role::User, vec![part(kind, "$.d")])]
    };
    let pdf = || Source::Inline {
        media_type: "application/pdf".into(),
        data: "AA==".into(),
    };
    let url = "data:application/pdf;base64,AA==";
    let (list, dropped, _) = messages(document(pdf(), Some(true)), "openai");
    assert_eq!(
        list[0]["content"],
        json!([{"type":"file","file":{"filename":"t","file_data":url}}])
    );
    assert_eq!(dropped, ["$.d.citations"]);
    let (list, ..) = messages(document(pdf(), None), "mistral");
    assert_eq!(
        list[0]["content"],
        json!([{"type":"document_url","document_url":url,"document_name":"t"}])
    );
    let (list, _, emulated) = messages(document(Source::Text("words".into()), None), "openai");
    assert_eq!(list[0]["content"], json!([{"type":"text","text":"words"}]));
    assert_eq!(emulated, ["$.d"]);
    // Another provider's file, and an address that OpenAI doesn't fetch.
    for source in [
        Source::File("file_01".into()),
        Source::Url("https://x".into()),
    ] {
        let (list, dropped, _) = messages(document(source, None), "openai");
        assert_eq!((list, dropped), (json!([]), vec!["$.d".to_owned()]));
    }
    let video = || {
        vec![says(
            Role::User,
            vec![part(
                PartKind::Video(Source::Url("https://v".into())),
                "$.v",
            )],
        )]
    };
    assert_eq!(messages(video(), "openai").1, ["$.v"]);
    assert_eq!(
        messages(video(), "alibaba").0[0]["content"][0]["video_url"]["url"],
        "https://v"
    );
    let sound = |media_type: &str| {
        let source = Source::Inline {
            media_type: media_type.into(),
            data: "AA==".into(),
        };
        vec![says(Role::User, vec![part(PartKind::Audio(source), "$.s")])]
    };
    assert_eq!(
        messages(sound("audio/x-wav"), "openai").0[0]["content"][0]["input_audio"]["format"],
        "wav"
    );
    assert_eq!(messages(sound("audio/flac"), "openai").1, ["$.s"]);
    assert_eq!(
        messages(sound("audio/flac"), "groq").0[0]["content"][0]["input_audio"]["format"],
        "flac"
    );
}

#[test]
fn citations_and_foreign_parts_are_named() {
    let cited = PartKind::Text {
        text: "a".into(),
        citations: vec![Citation {
            url: None,
            title: None,
            quote: None,
            span: None,
            protocol: FOREIGN,
            raw: RawJson::new("{}"),
        }],
    };
    let opaque = |protocol, kind: &str| {
        let kind = kind.to_owned();
        let raw = RawJson::new(format!(r#"{{"type":"{kind}"}}"#));
        part(
            PartKind::Opaque {
                kind,
                protocol,
                raw,
            },
            "$.o",
        )
    };
    let all = vec![
        part(cited, "$.t"),
        opaque(FOREIGN, "search"),
        opaque(OPENAI, "hologram"),
    ];
    let (list, dropped, _) = messages(vec![says(Role::Assistant, all)], "openai");
    assert_eq!(
        list[0]["content"],
        json!([{"type":"text","text":"a"},{"type":"hologram"}])
    );
    assert_eq!(dropped, ["$.t.citations", "$.o"]);
    // An item of OpenAI's other dialect is no part of this one.
    let (list, dropped, _) = messages(
        vec![says(
            Role::Assistant,
            vec![opaque(OPENAI, "web_search_call")],
        )],
        "openai",
    );
    assert_eq!((list, dropped), (json!([]), vec!["$.o".to_owned()]));
}

fn tool(kind: ToolKind) -> Tool {
    Tool {
        kind,
        cache: None,
        at: At::new("$.tools"),
    }
}

fn opaque(kind: &str, protocol: Protocol, raw: &str) -> Tool {
    tool(ToolKind::Opaque {
        kind: kind.into(),
        protocol,
        raw: RawJson::new(raw),
    })
}

#[test]
fn tools_and_what_is_refused_without_them() {
    let mut request = with(
        r#""tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}]"#,
    );
    let among = ToolChoice::Among {
        names: vec!["f".into()],
        required: true,
    };
    request.tool_choice = Some(Set::new(among, "$.tc"));
    let (body, encoded) = sent(&request, host("openai"));
    assert_eq!(
        body["tool_choice"],
        json!({"type":"allowed_tools","allowed_tools":{"mode":"required",
        "tools":[{"type":"function","function":{"name":"f"}}]}})
    );
    assert_eq!(encoded.notes.emulated, none());
    let (body, encoded) = sent(&request, host("groq"));
    assert_eq!(
        (
            &body["tool_choice"],
            body["tools"].as_array().unwrap().len()
        ),
        (&json!("required"), 1)
    );
    assert_eq!(encoded.notes.emulated, ["$.tc"]);

    request.tools = vec![
        opaque("web_search_20250305", FOREIGN, "{}"),
        opaque("web_search", OPENAI, r#"{"type":"web_search"}"#),
    ];
    request.settings.parallel_tools = Some(Set::new(true, "$.pt"));
    let (body, encoded) = sent(&request, host("openai"));
    assert!(
        ["tools", "tool_choice", "parallel_tool_calls"]
            .iter()
            .all(|k| body.get(k).is_none())
    );
    assert_eq!(encoded.notes.dropped, ["$.tools", "$.tc", "$.pt"]);

    // A custom tool as OpenAI's other dialect writes it.
    let flat = r#"{"type":"custom","name":"c","format":{"type":"grammar","syntax":"lark","definition":"d"}}"#;
    request.tools = vec![opaque("custom", OPENAI, flat)];
    request.tool_choice = Some(Set::new(ToolChoice::Named("c".into()), "$.tc"));
    let (body, _) = sent(&request, host("openai"));
    assert_eq!(
        body["tools"],
        json!([{"type":"custom","custom":{"name":"c",
        "format":{"type":"grammar","grammar":{"syntax":"lark","definition":"d"}}}}])
    );
    assert_eq!(
        body["tool_choice"],
        json!({"type":"custom","custom":{"name":"c"}})
    );
}

#[test]
fn depth_of_reasoning_in_each_hosts_words() {
    let ask = |depth: Option<Depth>, show: Option<bool>| {
        let mut request = talk(vec![]);
        let summary = None;
        request.settings.reasoning = Some(Set::new(
            ReasoningAsk {
                depth,
                show,
                summary,
            },
            "$.r",
        ));
        request
    };
    let check = |request: &Request,
                 name: &str,
                 effort: serde_json::Value,
                 dropped: &[&str],
                 emulated: &[&str]| {
        let (body, encoded) = sent(request, host(name));
        let said = body.get("reasoning_effort").or(body.get("reasoning"));
        assert_eq!(said.cloned().unwrap_or_default(), effort);
        assert_eq!(
            (encoded.notes.dropped, encoded.notes.emulated),
            (
                dropped.iter().map(|s| s.to_string()).collect(),
                emulated.iter().map(|s| s.to_string()).collect()
            )
        );
    };
    let null = serde_json::Value::Null;
    check(
        &ask(Some(Depth::Budget(9_000)), None),
        "openai",
        json!("high"),
        &[],
        &["$.r"],
    );
    check(
        &ask(Some(Depth::Effort("minimal".into())), None),
        "openai",
        json!("minimal"),
        &[],
        &[],
    );
    check(
        &ask(Some(Depth::Off), None),
        "openai",
        json!("none"),
        &[],
        &[],
    );
    check(
        &ask(Some(Depth::Auto), None),
        "openai",
        null.clone(),
        &[],
        &[],
    );
    check(
        &ask(None, Some(true)),
        "openai",
        null.clone(),
        &["$.r"],
        &[],
    );
    check(
        &ask(Some(Depth::Budget(9_000)), Some(false)),
        "openrouter",
        json!({"max_tokens":9000,"exclude":true}),
        &[],
        &[],
    );
    // A model that never reasons would refuse the word.
    let target = Target {
        model: "gpt-4o",
        host: host("openai"),
    };
    let encoded = OpenaiChat.encode_request(&ask(Some(Depth::Off), None), &target);
    assert_eq!(
        (json(&encoded.body).get("reasoning_effort"), encoded.notes),
        (None, Default::default())
    );
    let encoded = OpenaiChat.encode_request(&ask(Some(Depth::Budget(1)), None), &target);
    assert_eq!(encoded.notes.dropped, ["$.r"]);
}

#[test]
fn settings_by_host() {
    let request = with(
        r#""max_tokens":9,"top_k":3,"store":true,"user":"u","seed":1,"metadata":{"a":"b"},"service_tier":"standard_only",
        "stop":["1","2","3","4","5"],"response_format":{"type":"json_schema","json_schema":{"schema":{"b":1,"a":2}}},"stream":true"#,
    );
    let (openai, encoded) = sent(&request, host("openai"));
    assert_eq!(openai["max_completion_tokens"], 9);
    assert_eq!(openai["stop"], json!(["1", "2", "3", "4"]));
    assert_eq!(openai["response_format"]["json_schema"]["name"], "answer");
    assert!(String::from_utf8_lossy(&encoded.body).contains(r#""schema":{"b":1,"a":2}"#));
    assert_eq!(openai["stream_options"], json!({"include_usage":true}));
    assert_eq!(
        (&openai["store"], &openai["service_tier"]),
        (&json!(true), &json!("default"))
    );
    assert_eq!(encoded.notes.dropped, ["$.top_k"]);
    assert_eq!(encoded.notes.emulated, ["$.stop", "$.service_tier"]);
    let (mistral, encoded) = sent(&request, host("mistral"));
    assert_eq!(
        (&mistral["max_tokens"], &mistral["random_seed"]),
        (&json!(9), &json!(1))
    );
    // Mistral refuses what it doesn't know, and reports usage unasked.
    assert_eq!(mistral.get("stream_options"), None);
    assert_eq!(
        encoded.notes.dropped,
        ["$.top_k", "$.user", "$.store", "$.service_tier"]
    );
    // Who asks that nothing be stored loses nothing where nothing can be.
    let (_, encoded) = sent(&with(r#""store":false"#), host("mistral"));
    assert!(encoded.notes.dropped.is_empty());
    // Labels are kept with stored answers only.
    let (body, encoded) = sent(&with(r#""metadata":{"a":"b"}"#), host("openai"));
    assert_eq!(
        (body.get("metadata"), encoded.notes.dropped),
        (None, vec!["$.metadata".to_owned()])
    );
}

#[test]
fn extras_go_to_their_own_dialect_only() {
    let extra = |key: &str, protocol| Extra {
        key: key.into(),
        at: At::new(format!("$.{key}")),
        protocol,
        value: RawJson::new("1"),
    };
    let mut request = talk(vec![]);
    request.extras = vec![
        extra("prediction", OPENAI),
        extra("truncation", OPENAI),
        extra("messages", OPENAI),
        extra("thinking", FOREIGN),
    ];
    let (body, encoded) = sent(&request, host("openai"));
    assert_eq!(
        (&body["prediction"], &body["messages"]),
        (&json!(1), &json!([]))
    );
    assert_eq!(
        encoded.notes.dropped,
        ["$.truncation", "$.messages", "$.thinking"]
    );
    // Hosts that refuse what they don't know.
    request.extras = vec![extra("prompt_cache_key", OPENAI)];
    let dropped = |name: &str| sent(&request, host(name)).1.notes.dropped;
    assert_eq!(dropped("groq"), ["$.prompt_cache_key"]);
    assert_eq!(dropped("openai"), none());
}
