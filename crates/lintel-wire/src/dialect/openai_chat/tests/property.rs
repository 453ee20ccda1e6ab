//! What this dialect can say, it says without loss: a request survives the way out and back.

use lintel_types::canon::{
    At, CacheMark, Depth, Extra, Format, FunctionTool, JsonSchema, Message, Part, PartKind,
    RawJson, Reasoning, ReasoningAsk, Role, Set, Settings, Source, Tool, ToolCall, ToolChoice,
    ToolKind, ToolResult,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::super::thought::sealed;
use super::*;

type Any<T> = BoxedStrategy<T>;

fn part(kind: PartKind) -> Part {
    Part::new(kind, At::default())
}

fn words() -> Any<String> {
    // Controls, quotes, surrogate pairs: whatever a string may hold.
    any::<String>()
        .prop_filter("empty text says nothing", |s| !s.is_empty())
        .boxed()
}

fn name() -> Any<String> {
    "[a-z_]{1,12}".boxed()
}

fn inline(media_type: &'static str) -> Any<Source> {
    let source = move |data: String| Source::Inline {
        media_type: media_type.into(),
        data,
    };
    "[A-Za-z0-9+/]{4,24}".prop_map(source).boxed()
}

fn url() -> Any<Source> {
    "https://[a-z]{1,8}/[a-z]{0,8}"
        .prop_map(Source::Url)
        .boxed()
}

fn text(openai: bool) -> Any<Part> {
    let mark =
        of(of("[0-9][mh]")).prop_map(move |m| m.filter(|_| !openai).map(|ttl| CacheMark { ttl }));
    (words(), mark)
        .prop_map(|(text, cache)| Part {
            cache,
            ..part(PartKind::text(text))
        })
        .boxed()
}

fn user_part(openai: bool) -> Any<Part> {
    let detail = of(prop_oneof![Just("low".to_owned()), Just("high".to_owned())]);
    let image = (prop_oneof![inline("image/png"), url()], detail)
        .prop_map(|(source, detail)| PartKind::Image { source, detail });
    let audio = prop_oneof![inline("audio/wav"), inline("audio/mpeg")].prop_map(PartKind::Audio);
    let kept = if openai {
        Just(Source::File("file-1".into())).boxed()
    } else {
        url()
    };
    let document =
        (prop_oneof![inline("application/pdf"), kept], name()).prop_map(|(source, title)| {
            PartKind::Document {
                source,
                title: Some(title),
                context: None,
                citations: None,
            }
        });
    let video = if openai {
        words().prop_map(PartKind::text).boxed()
    } else {
        url().prop_map(PartKind::Video).boxed()
    };
    let media = prop_oneof![image, audio, document, video].prop_map(part);
    prop_oneof![text(openai), media].boxed()
}

fn reasoning(openai: bool) -> Any<Option<Part>> {
    if openai {
        return Just(None).boxed();
    }
    let seal = of(("[a-zA-Z0-9]{8,20}", of(name()), any::<bool>()));
    let made = (words(), seal).prop_map(|(text, seal)| Reasoning {
        text,
        summary: seal.as_ref().is_some_and(|s| s.2),
        id: seal.as_ref().and_then(|s| s.1.clone()),
        seal: seal.map(|s| sealed(s.0)),
    });
    of(made.prop_map(|r| part(PartKind::Reasoning(r)))).boxed()
}

fn call() -> Any<Part> {
    let made = (name(), name(), words(), any::<bool>()).prop_filter_map(
        "blank arguments are written as an empty object",
        |(id, name, arguments, custom)| {
            let blank = arguments.trim().is_empty();
            (!blank).then_some(ToolCall {
                id,
                name,
                arguments,
                custom,
                seal: None,
            })
        },
    );
    made.prop_map(|c| part(PartKind::ToolCall(c))).boxed()
}

fn message(openai: bool) -> Any<Message> {
    let made = |role: Role, name: Option<String>, parts: Vec<Part>| Message {
        role,
        name,
        parts,
        at: At::default(),
    };
    let system = vec(text(openai), 1..3).prop_map(move |p| made(Role::System, None, p));
    let developer = if openai {
        Role::Developer
    } else {
        Role::System
    };
    let developer = vec(text(openai), 1..3).prop_map(move |p| made(developer, None, p));
    let user = (of(name()), vec(user_part(openai), 0..4))
        .prop_map(move |(name, p)| made(Role::User, name, p));
    let refusal = of(words()).prop_map(move |r| r.filter(|_| openai));
    let assistant = (
        reasoning(openai),
        vec(text(openai), 0..3),
        refusal,
        vec(call(), 0..3),
    )
        .prop_filter_map(
            "reasoning alone is no turn",
            move |(r, texts, refusal, calls)| {
                let alone = r.is_some() && texts.is_empty() && calls.is_empty();
                let refusal = refusal.map(|r| part(PartKind::Refusal(r)));
                let parts = r.into_iter().chain(texts).chain(refusal).chain(calls);
                (!alone).then(|| made(Role::Assistant, None, parts.collect()))
            },
        );
    let tool = (name(), vec(text(openai), 0..3)).prop_map(move |(call_id, parts)| {
        let result = ToolResult {
            call_id,
            name: None,
            parts,
            is_error: false,
        };
        made(Role::Tool, None, vec![part(PartKind::ToolResult(result))])
    });
    prop_oneof![system, developer, user, assistant, tool].boxed()
}

fn schema() -> Any<RawJson> {
    name()
        .prop_map(|n| {
            RawJson::new(format!(
                r#"{{"type": "object","properties":{{"{n}":{{}}}}}}"#
            ))
        })
        .boxed()
}

fn tool(openai: bool) -> Any<Tool> {
    let function = (name(), of(any::<String>()), of(schema()), of(any::<bool>())).prop_map(
        |(name, description, parameters, strict)| {
            ToolKind::Function(FunctionTool {
                name,
                description,
                parameters,
                strict,
            })
        },
    );
    let custom = name().prop_map(|n| ToolKind::Opaque {
        kind: "custom".into(),
        protocol: OPENAI,
        raw: RawJson::new(format!(r#"{{"type":"custom","custom":{{"name":"{n}"}}}}"#)),
    });
    let marked = (function, any::<bool>()).prop_map(move |(kind, mark)| Tool {
        kind,
        cache: (mark && !openai).then_some(CacheMark { ttl: None }),
        at: At::default(),
    });
    let custom = custom.prop_map(|kind| Tool {
        kind,
        cache: None,
        at: At::default(),
    });
    prop_oneof![3 => marked, 1 => custom].boxed()
}

fn set<T: std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> Any<Option<Set<T>>> {
    of(value.prop_map(|v| Set::new(v, ""))).boxed()
}

fn choice(openai: bool) -> Any<Option<Set<ToolChoice>>> {
    let named = name().prop_map(ToolChoice::Named);
    let among = (vec(name(), 1..3), any::<bool>()).prop_map(move |(names, required)| {
        if openai {
            ToolChoice::Among { names, required }
        } else {
            ToolChoice::Required
        }
    });
    let plain = prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required)
    ];
    set(prop_oneof![plain, named, among])
}

fn ask(openai: bool) -> Any<ReasoningAsk> {
    let word = prop_oneof![Just("low"), Just("xhigh")].prop_map(|w| Depth::Effort(w.into()));
    let depth = if openai {
        prop_oneof![Just(Depth::Off), word].boxed()
    } else {
        let budget = (1u64..100_000).prop_map(Depth::Budget);
        prop_oneof![Just(Depth::Off), Just(Depth::Auto), word, budget].boxed()
    };
    (depth, of(any::<bool>()), of(Just("auto".to_owned())))
        .prop_map(move |(depth, show, summary)| ReasoningAsk {
            depth: Some(depth),
            show: show.filter(|_| !openai),
            summary: summary.filter(|_| !openai),
        })
        .boxed()
}

fn format() -> Any<Format> {
    let schema = (name(), of(words()), schema(), of(any::<bool>())).prop_map(
        |(name, description, schema, strict)| {
            Format::JsonSchema(JsonSchema {
                name: Some(name),
                description,
                schema,
                strict,
            })
        },
    );
    prop_oneof![Just(Format::Text), Just(Format::JsonObject), schema].boxed()
}

fn settings(openai: bool) -> Any<Settings> {
    let float = || set((-200i32..200).prop_map(|n| f64::from(n) / 100.0));
    let sampling = (float(), float(), float(), float(), set(any::<i64>()));
    let counts = (
        set(any::<u64>()),
        set(any::<u64>()),
        set(1u64..9),
        set(0u64..20),
    );
    let shape = (
        set(vec(any::<String>(), 1..4)),
        set(format()),
        set(ask(openai)),
    );
    let records = (
        set(words()),
        set(any::<bool>()),
        set(Just("flex".to_owned())),
        set(words()),
    );
    (sampling, counts, shape, records, set(any::<bool>()))
        .prop_map(move |(s, c, shape, r, logprobs)| {
            let store = r.1.filter(|_| openai);
            let metadata = RawJson::new(r#"{"a":"b"}"#);
            Settings {
                temperature: s.0,
                top_p: s.1,
                presence_penalty: s.2,
                frequency_penalty: s.3,
                seed: s.4,
                max_output: c.0,
                top_k: c.1.filter(|_| !openai),
                choices: c.2,
                top_logprobs: c.3,
                stop: shape.0,
                format: shape.1,
                reasoning: shape.2,
                user: r.0,
                metadata: store
                    .as_ref()
                    .filter(|s| s.value)
                    .map(|_| Set::new(metadata, "")),
                store,
                service_tier: r.2,
                verbosity: r.3,
                logit_bias: logprobs
                    .as_ref()
                    .map(|_| Set::new(RawJson::new(r#"{"7": -1}"#), "")),
                logprobs,
                parallel_tools: None,
            }
        })
        .boxed()
}

fn request(openai: bool) -> Any<Request> {
    let tools = vec(tool(openai), 0..4);
    let key = of(words().prop_map(|v| RawJson::new(crate::json::write::quoted(&v))));
    (
        vec(message(openai), 0..5),
        tools,
        choice(openai),
        settings(openai),
        set(any::<bool>()),
        any::<bool>(),
        key,
    )
        .prop_map(
            |(messages, tools, choice, settings, parallel, stream, key)| {
                let some = !tools.is_empty();
                // Neighbours of the assistant's may be one turn.
                let mut messages = messages;
                messages.dedup_by(|b, a| b.role == Role::Assistant && a.role == Role::Assistant);
                Request {
                    model: "target".into(),
                    stream,
                    include_usage: stream,
                    messages,
                    tool_choice: choice.filter(|_| some),
                    tools,
                    settings: Settings {
                        parallel_tools: parallel.filter(|_| some),
                        ..settings
                    },
                    extras: Vec::from_iter(key.map(|value| Extra {
                        key: "prompt_cache_key".into(),
                        at: At::default(),
                        protocol: OPENAI,
                        value,
                    })),
                }
            },
        )
        .boxed()
}

/// Takes the places away: what was made here has none.
fn bare(mut request: Request) -> Request {
    fn parts(list: &mut Vec<Part>) {
        for part in list {
            part.at = At::default();
            if let PartKind::ToolResult(result) = &mut part.kind {
                parts(&mut result.parts);
            }
        }
    }
    for message in &mut request.messages {
        message.at = At::default();
        parts(&mut message.parts);
    }
    request.tools.iter_mut().for_each(|t| t.at = At::default());
    request.extras.iter_mut().for_each(|e| e.at = At::default());
    if let Some(choice) = &mut request.tool_choice {
        choice.at = "";
    }
    let s = &mut request.settings;
    macro_rules! bare {
        ($($field:ident)*) => { $(if let Some(set) = &mut s.$field { set.at = ""; })* };
    }
    bare!(max_output temperature top_p top_k stop choices seed presence_penalty frequency_penalty
        logit_bias logprobs top_logprobs format reasoning parallel_tools user metadata service_tier
        store verbosity);
    request
}

fn survives(request: Request, host: &'static Host) {
    let (_, encoded) = sent(&request, host);
    assert_eq!(encoded.notes, Default::default());
    let again = asked(std::str::from_utf8(&encoded.body).unwrap());
    assert_eq!(bare(again), request);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_request_survives_at_openai(request in request(true)) {
        survives(request, host("openai"));
    }

    #[test]
    fn a_request_survives_at_openrouter(request in request(false)) {
        survives(request, host("openrouter"));
    }

    /// Whatever a client sends: an error or a request, never a panic, and a body that can be sent on.
    #[test]
    fn any_json_is_read_or_refused(
        role in "system|user|assistant|tool|function|x?",
        content in r#"null|7|"a"|\[\]|\[1,\{\}\]|\[\{"type":"(text|image_url|file|input_audio|thinking|x)"(,"text":"t")?\}\]"#,
        extra in r#"(,"(tool_calls|function_call|reasoning_details|refusal|tool_call_id|audio)":(null|7|"a"|\[\{\}\]|\{\}))?"#,
        member in r#"(,"(tools|stop|reasoning|response_format|tool_choice|functions|temperature|n)":(7|"a"|\[\{\}\]|\{\}|\{"type":"x"\}))?"#,
    ) {
        let body = format!(r#"{{"model":"m","messages":[{{"role":"{role}","content":{content}{extra}}}]{member}}}"#);
        let head = spec(OPENAI_CHAT).head(body.as_bytes(), &Place::default()).unwrap();
        match OpenaiChat.decode_request(body.as_bytes(), &head) {
            Ok(request) => {
                sent(&request, host("openai"));
                sent(&request, host("mistral"));
            }
            Err(error) => prop_assert!(error.message().contains("`$."), "{}", error),
        }
    }

    /// Streams are cut, mixed up and damaged: the grammar holds.
    #[test]
    fn any_chunks_keep_the_grammar(chunks in vec(chunk(), 0..12), cut: bool) {
        let mut data = chunks;
        if !cut {
            data.push("[DONE]".into());
        }
        let way = way(host("openai"));
        let events = decoded(&data, &way);
        if !events.is_empty() {
            fold(&events, cut);
            data_of(&encoded(&events, &way)).iter().filter(|d| *d != "[DONE]").for_each(|d| { json(d.as_bytes()); });
        }
    }
}

fn chunk() -> Any<String> {
    let delta = prop_oneof![
        r#""content":"[a-z]{0,3}""#,
        r#""content":\[\{"type":"(text|thinking|x)","text":"a","thinking":"b"\}\]"#,
        r#""reasoning_content":"[a-z]{0,2}""#,
        r#""reasoning_details":\[\{"type":"reasoning.text","text":"a"(,"signature":"s")?\}\]"#,
        r#""refusal":"[a-z]{0,2}""#,
        r#""tool_calls":\[\{("index":[0-2],)?"id":"[ab]?","function":\{"name":"f?","arguments":"(\{|\}|\{\}|)"\}\}\]"#,
        r#""tool_calls":\[\{"index":3,"type":"custom","custom":\{"name":"c","input":"x"\}\}\]"#,
        r#""annotations":\[\{"type":"url_citation","url_citation":\{"url":"u"\}\}\]"#,
        r#""images":\[\{"image_url":\{"url":"u"\}\}\]"#,
        r#""extra_content":\{"google":\{"thought_signature":"s"\}\}"#,
    ];
    let end = r#"(,"finish_reason":(null|""|"stop"|"tool_calls"|"new"))?"#;
    (delta, 0u8..2, end)
        .prop_map(|(delta, index, end)| {
            format!(r#"{{"id":"i","choices":[{{"index":{index},"delta":{{{delta}}}{end}}}]}}"#)
        })
        .boxed()
}
