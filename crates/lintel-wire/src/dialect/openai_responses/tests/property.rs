//! Generated requests of everything that the dialect can say: written and read, they mean the same.

use lintel_types::canon::{
    Citation, Depth, Extra, Format, FunctionTool, JsonSchema, RawJson, Reasoning, ReasoningAsk,
    Role, Seal, Set, Settings, Source, ToolCall, ToolChoice, ToolKind, ToolResult,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::*;

fn word() -> impl Strategy<Value = String> {
    "[a-z]{1,8}"
}

fn part(kind: PartKind) -> Part {
    Part::new(kind, At::default())
}

fn user_part() -> impl Strategy<Value = Part> {
    let inline = |of: &'static str| {
        word().prop_map(move |data| Source::Inline {
            media_type: of.into(),
            data,
        })
    };
    let image = prop_oneof![
        inline("image/png"),
        word().prop_map(|w| Source::Url(format!("https://x/{w}")))
    ];
    let document = prop_oneof![
        inline("application/pdf"),
        word().prop_map(|w| Source::Url(format!("https://x/{w}")))
    ];
    prop_oneof![
        any::<String>().prop_map(PartKind::text),
        (image, of(word())).prop_map(|(source, detail)| PartKind::Image { source, detail }),
        (document, word()).prop_map(|(source, title)| PartKind::Document {
            source,
            title: Some(title),
            context: None,
            citations: None
        }),
        inline("audio/wav").prop_map(PartKind::Audio),
        Just(PartKind::Opaque {
            kind: "input_novel".into(),
            protocol: OPENAI,
            raw: RawJson::new(r#"{"type":"input_novel","x":1}"#)
        }),
    ]
    .prop_map(part)
}

fn words_of_model() -> impl Strategy<Value = Part> {
    let citation = word().prop_map(|w| Citation {
        url: Some(w.clone()),
        title: Some(w.clone()),
        quote: None,
        span: Some((0, 1)),
        protocol: OPENAI,
        raw: RawJson::new(format!(
            r#"{{"type":"url_citation","url":"{w}","title":"{w}","start_index":0,"end_index":1}}"#
        )),
    });
    prop_oneof![
        (any::<String>(), vec(citation, 0..2))
            .prop_map(|(text, citations)| PartKind::Text { text, citations }),
        any::<String>().prop_map(PartKind::Refusal),
    ]
    .prop_map(part)
}

/// A reasoning item: texts that share an id, the seal on the last.
fn thought() -> impl Strategy<Value = Vec<Part>> {
    (word(), vec(word(), 1..3), of(word())).prop_map(|(id, texts, seal)| {
        let last = texts.len() - 1;
        let seal = |i| {
            let data = seal.clone().filter(|_| i == last)?;
            Some(Seal {
                protocol: OPENAI,
                data,
            })
        };
        let one = |(i, text)| {
            part(PartKind::Reasoning(Reasoning {
                text,
                summary: true,
                id: Some(format!("rs_{id}")),
                seal: seal(i),
            }))
        };
        texts.into_iter().enumerate().map(one).collect()
    })
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message {
        role,
        name: None,
        parts,
        at: At::default(),
    }
}

/// A turn of the model's, and the results of its calls.
fn model_turn() -> impl Strategy<Value = Vec<Message>> {
    let call = (word(), any::<String>(), any::<bool>());
    let result = prop_oneof![
        any::<String>().prop_map(|t| vec![part(PartKind::text(t))]),
        vec(user_part(), 2..4)
    ];
    (
        thought(),
        vec(words_of_model(), 1..3),
        vec((call, result), 0..3),
    )
        .prop_map(|(mut parts, words, calls)| {
            parts.extend(words);
            let mut results = Vec::new();
            for (i, ((name, arguments, custom), answer)) in calls.into_iter().enumerate() {
                let id = format!("call_{i}");
                results.push(part(PartKind::ToolResult(ToolResult {
                    call_id: id.clone(),
                    name: None,
                    parts: answer,
                    is_error: false,
                })));
                parts.push(part(PartKind::ToolCall(ToolCall {
                    id,
                    name,
                    arguments,
                    custom,
                    seal: None,
                })));
            }
            let mut turn = vec![message(Role::Assistant, parts)];
            if !results.is_empty() {
                turn.push(message(Role::Tool, results));
            }
            turn
        })
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let user = (
        prop_oneof![Just(Role::User), Just(Role::Developer), Just(Role::System)],
        vec(user_part(), 1..4),
    )
        .prop_map(|(role, parts)| message(role, parts));
    vec((user, model_turn()), 0..3).prop_map(|turns| {
        let turn = |(user, model)| std::iter::once(user).chain(model).collect::<Vec<_>>();
        turns.into_iter().flat_map(turn).collect()
    })
}

fn set<T: Clone + std::fmt::Debug>(
    value: impl Strategy<Value = T>,
    at: &'static str,
) -> impl Strategy<Value = Option<Set<T>>> {
    of(value.prop_map(move |v| Set::new(v, at)))
}

fn settings() -> impl Strategy<Value = Settings> {
    let schema = (of(word()), of(any::<bool>())).prop_map(|(description, strict)| {
        Format::JsonSchema(JsonSchema {
            name: Some("n".into()),
            description,
            schema: RawJson::new(r#"{"type":"object"}"#),
            strict,
        })
    });
    let format = prop_oneof![Just(Format::Text), Just(Format::JsonObject), schema];
    let depth = prop_oneof![Just(Depth::Off), word().prop_map(Depth::Effort)];
    let ask = (depth, of(word())).prop_map(|(depth, summary)| ReasoningAsk {
        depth: Some(depth),
        show: summary.as_ref().map(|_| true),
        summary,
    });
    let numbers = (
        set(any::<u32>().prop_map(u64::from), "$.max_output_tokens"),
        set(0.0..2.0, "$.temperature"),
        set(0.0..1.0, "$.top_p"),
        set(0..20u64, "$.top_logprobs"),
    );
    let words = (
        set(word(), "$.user"),
        set(word(), "$.text.verbosity"),
        set(Just("flex".to_owned()), "$.service_tier"),
        set(Just(RawJson::new(r#"{"a":"b"}"#)), "$.metadata"),
    );
    let rest = (
        set(any::<bool>(), "$.parallel_tool_calls"),
        set(Just(true), "$.include"),
        set(format, "$.text.format"),
        set(ask, "$.reasoning"),
    );
    (numbers, words, rest).prop_map(
        |(
            (max_output, temperature, top_p, top_logprobs),
            (user, verbosity, service_tier, metadata),
            rest,
        )| {
            let (parallel_tools, logprobs, format, reasoning) = rest;
            Settings {
                max_output,
                temperature,
                top_p,
                top_logprobs,
                user,
                verbosity,
                service_tier,
                metadata,
                parallel_tools,
                logprobs,
                format,
                reasoning,
                store: Some(Set::new(false, "$.store")),
                ..Settings::default()
            }
        },
    )
}

fn tools() -> impl Strategy<Value = (Vec<Tool>, Option<Set<ToolChoice>>)> {
    let function = (word(), of(word()), any::<bool>(), any::<bool>()).prop_map(
        |(name, description, strict, parameters)| {
            ToolKind::Function(FunctionTool {
                name,
                description,
                parameters: parameters.then(|| RawJson::new(r#"{"type":"object"}"#)),
                strict: Some(strict),
            })
        },
    );
    let server = Just(ToolKind::Opaque {
        kind: "web_search".into(),
        protocol: OPENAI,
        raw: RawJson::new(r#"{"type":"web_search"}"#),
    });
    let tool = prop_oneof![function, server].prop_map(|kind| Tool {
        kind,
        cache: None,
        at: At::default(),
    });
    let choice = prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        word().prop_map(ToolChoice::Named),
        (vec(word(), 1..3), any::<bool>())
            .prop_map(|(names, required)| ToolChoice::Among { names, required }),
    ];
    prop_oneof![
        Just((Vec::new(), None)),
        (vec(tool, 1..4), set(choice, "$.tool_choice"))
    ]
}

fn extras() -> impl Strategy<Value = Vec<Extra>> {
    let keys = ["truncation", "reasoning.context", "prompt_cache_key"];
    proptest::sample::subsequence(keys.to_vec(), 0..=3).prop_map(|keys| {
        let extra = |key: &str| Extra {
            key: key.into(),
            at: At::default(),
            protocol: OPENAI,
            value: RawJson::new("\"auto\""),
        };
        keys.into_iter().map(extra).collect()
    })
}

fn by_key(request: &mut Request) {
    request.extras.sort_by(|a, b| a.key.cmp(&b.key));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_reads_back(
        messages in messages(), settings in settings(), (tools, tool_choice) in tools(), extras in extras(), stream in any::<bool>()
    ) {
        let mut request = Request {
            model: "target".into(), stream, include_usage: true, messages, tools, tool_choice, settings, extras,
        };
        let (body, notes) = written(&request);
        prop_assert_eq!(notes, crate::dialect::Notes::default());
        let mut back = decoded(&body).unwrap();
        forget(&mut back);
        by_key(&mut back);
        by_key(&mut request);
        prop_assert_eq!(back, request);
    }

    #[test]
    fn nothing_that_is_json_makes_a_reader_panic(text in "[{}\\[\\]\":,a-z0-9]{0,60}", kind in word()) {
        let event = format!(r#"{{"type":"response.{kind}","item":{text}}}"#);
        let _ = super::streams::read(&[&event, &text]);
        let _ = DIALECT.decode_reply(text.as_bytes(), &way(Request::default()));
        let _ = decoded(&text);
    }
}
