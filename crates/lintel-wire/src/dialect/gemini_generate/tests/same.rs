//! What the dialect can say is read back as it was meant.

use lintel_types::canon::{
    At, Depth, Extra, Format, FunctionTool, JsonSchema, Message, Part, PartKind, RawJson,
    Reasoning, ReasoningAsk, Request, Role, Seal, Set, Settings, Source, Tool, ToolCall,
    ToolChoice, ToolKind, ToolResult,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{decode, encode, placeless};
use crate::provider::GEMINI;

fn part(kind: PartKind) -> Part {
    Part::new(kind, At::default())
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message {
        role,
        name: None,
        parts,
        at: At::default(),
    }
}

fn seal() -> impl Strategy<Value = Seal> {
    "[A-Za-z0-9+/]{4,12}".prop_map(|data| Seal {
        protocol: GEMINI,
        data,
    })
}

fn inline(kind: &'static str) -> impl Strategy<Value = Source> {
    "[A-Za-z0-9+/]{4,8}".prop_map(move |data| Source::Inline {
        media_type: kind.into(),
        data,
    })
}

fn image(source: Source) -> PartKind {
    PartKind::Image {
        source,
        detail: None,
    }
}

fn user_part() -> impl Strategy<Value = Part> {
    let stored = "https://generativelanguage.googleapis.com/v1beta/files/a";
    prop_oneof![
        any::<String>().prop_map(PartKind::text),
        inline("image/png").prop_map(image),
        inline("audio/mp3").prop_map(PartKind::Audio),
        inline("application/pdf").prop_map(|source| PartKind::Document {
            source,
            title: None,
            context: None,
            citations: None,
        }),
        Just(PartKind::Video(Source::Url("https://youtu.be/x".into()))),
        Just(image(Source::Url("https://x.example/y.webp?z".into()))),
        Just(image(Source::File(stored.into()))),
        Just(PartKind::Document {
            source: Source::File("gs://b/a".into()),
            title: None,
            context: None,
            citations: None,
        }),
    ]
    .prop_map(part)
}

/// A piece of a model's turn. A seal of a text's stands behind that text.
fn model_piece() -> impl Strategy<Value = Vec<PartKind>> {
    let thought = (".{1,20}", option::of(seal())).prop_map(|(text, seal)| {
        let mark = Seal {
            protocol: GEMINI,
            data: String::new(),
        };
        vec![PartKind::Reasoning(Reasoning {
            text,
            summary: true,
            id: None,
            seal: Some(seal.unwrap_or(mark)),
        })]
    });
    let text = (any::<String>(), option::of(seal())).prop_map(|(text, seal)| {
        let sealed = seal.map(|seal| {
            PartKind::Reasoning(Reasoning {
                seal: Some(seal),
                ..Reasoning::default()
            })
        });
        [PartKind::text(text)].into_iter().chain(sealed).collect()
    });
    let opaque = Just(vec![PartKind::Opaque {
        kind: "executableCode".into(),
        protocol: GEMINI,
        raw: RawJson::new(r#"{"executableCode":{"language":"PYTHON","code":"1"}}"#),
    }]);
    prop_oneof![text, thought, opaque]
}

/// A model's turn with calls, and the turn that answers them.
fn exchange() -> impl Strategy<Value = (Vec<PartKind>, Vec<PartKind>)> {
    let calls = vec(
        (
            "[a-z]{1,6}",
            option::of(seal()),
            any::<String>(),
            any::<bool>(),
            option::of(inline("image/png")),
        ),
        0..3,
    );
    (vec(model_piece(), 1..4), calls).prop_map(|(pieces, calls)| {
        let mut said: Vec<PartKind> = pieces.into_iter().flatten().collect();
        let mut results = Vec::new();
        for (i, (name, seal, text, is_error, picture)) in calls.into_iter().enumerate() {
            let id = format!("id-{i}-{name}");
            said.push(PartKind::ToolCall(ToolCall {
                id: id.clone(),
                name: name.clone(),
                arguments: format!(r#"{{"n":{i}}}"#),
                custom: false,
                seal,
            }));
            let texts = [PartKind::text(text)].into_iter();
            results.push(PartKind::ToolResult(ToolResult {
                call_id: id,
                name: Some(name),
                parts: texts.chain(picture.map(image)).map(part).collect(),
                is_error,
            }));
        }
        (said, results)
    })
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    (
        option::of(any::<String>()),
        vec(user_part(), 1..4),
        vec((exchange(), vec(user_part(), 1..3)), 0..3),
    )
        .prop_map(|(system, first, rest)| {
            let system = system.map(|s| message(Role::System, vec![part(PartKind::text(s))]));
            let mut all: Vec<Message> = system.into_iter().collect();
            all.push(message(Role::User, first));
            for ((said, results), next) in rest {
                let parts = |kinds: Vec<PartKind>| kinds.into_iter().map(part).collect();
                all.push(message(Role::Assistant, parts(said)));
                if !results.is_empty() {
                    all.push(message(Role::Tool, parts(results)));
                }
                all.push(message(Role::User, next));
            }
            all
        })
}

fn tool() -> impl Strategy<Value = Tool> {
    let function = ("[a-z_]{1,8}", option::of(any::<String>()), any::<bool>()).prop_map(
        |(name, description, takes)| {
            let schema = r#"{"type":"object","properties":{"n":{"type":"integer"}}}"#;
            ToolKind::Function(FunctionTool {
                name,
                description,
                parameters: takes.then(|| RawJson::new(schema)),
                strict: None,
            })
        },
    );
    let search = Just(ToolKind::Opaque {
        kind: "googleSearch".into(),
        protocol: GEMINI,
        raw: RawJson::new(r#"{"googleSearch":{}}"#),
    });
    prop_oneof![3 => function, 1 => search].prop_map(|kind| Tool {
        kind,
        cache: None,
        at: At::default(),
    })
}

fn choice() -> impl Strategy<Value = ToolChoice> {
    let names = || vec("[a-z]{1,5}", 2..4);
    prop_oneof![
        Just(ToolChoice::Auto),
        Just(ToolChoice::None),
        Just(ToolChoice::Required),
        "[a-z]{1,5}".prop_map(ToolChoice::Named),
        (names(), any::<bool>())
            .prop_map(|(names, required)| ToolChoice::Among { names, required }),
    ]
}

fn ask() -> impl Strategy<Value = ReasoningAsk> {
    let depth = prop_oneof![
        Just(Depth::Off),
        Just(Depth::Auto),
        (1u64..40_000).prop_map(Depth::Budget),
        prop_oneof!["minimal", "low", "medium", "high"].prop_map(Depth::Effort),
    ];
    (option::of(depth), option::of(any::<bool>()))
        .prop_filter("says something", |(d, s)| d.is_some() || s.is_some())
        .prop_map(|(depth, show)| ReasoningAsk {
            depth,
            show,
            summary: None,
        })
}

fn format() -> impl Strategy<Value = Set<Format>> {
    let mime = "$.generationConfig.responseMimeType";
    let schema = Format::JsonSchema(JsonSchema {
        name: None,
        description: None,
        schema: RawJson::new(r#"{"type":["string","null"]}"#),
        strict: None,
    });
    prop_oneof![
        Just(Set::new(Format::Text, mime)),
        Just(Set::new(Format::JsonObject, mime)),
        Just(Set::new(schema, "$.generationConfig.responseSchema")),
    ]
}

fn settings() -> impl Strategy<Value = Settings> {
    fn set<T: std::fmt::Debug>(
        at: &'static str,
        of: impl Strategy<Value = T>,
    ) -> impl Strategy<Value = Option<Set<T>>> {
        option::of(of.prop_map(move |value| Set::new(value, at)))
    }
    let eighths = || (-16i32..16).prop_map(|n| f64::from(n) / 8.0);
    (
        (
            set("$.generationConfig.maxOutputTokens", any::<u32>()),
            set("$.generationConfig.temperature", eighths()),
            set("$.generationConfig.topP", eighths()),
            set("$.generationConfig.topK", 1u64..100),
            set(
                "$.generationConfig.stopSequences",
                vec(any::<String>(), 1..5),
            ),
            set("$.generationConfig.candidateCount", 1u64..8),
            set("$.generationConfig.seed", any::<i32>()),
        ),
        (
            set("$.generationConfig.presencePenalty", eighths()),
            set("$.generationConfig.frequencyPenalty", eighths()),
            set("$.generationConfig.responseLogprobs", any::<bool>()),
            set("$.generationConfig.logprobs", 0u64..20),
            option::of(format()),
            set("$.generationConfig.thinkingConfig", ask()),
        ),
    )
        .prop_map(|(a, b)| Settings {
            max_output: a.0.map(|s| Set::new(u64::from(s.value), s.at)),
            temperature: a.1,
            top_p: a.2,
            top_k: a.3,
            stop: a.4,
            choices: a.5,
            seed: a.6.map(|s| Set::new(i64::from(s.value), s.at)),
            presence_penalty: b.0,
            frequency_penalty: b.1,
            logprobs: b.2,
            top_logprobs: b.3,
            format: b.4,
            reasoning: b.5,
            ..Settings::default()
        })
}

fn extras() -> impl Strategy<Value = Vec<Extra>> {
    const KNOWN: [(&str, &str); 4] = [
        ("toolConfig.retrievalConfig", r#"{"languageCode":"de"}"#),
        ("generationConfig.responseModalities", r#"["TEXT"]"#),
        ("safetySettings", "[]"),
        ("cachedContent", r#""cachedContents/a""#),
    ];
    proptest::sample::subsequence(KNOWN.to_vec(), 0..=4).prop_map(|some| {
        let extra = |(key, value): (&str, &str)| Extra {
            key: key.into(),
            at: At::default(),
            protocol: GEMINI,
            value: RawJson::new(value),
        };
        some.into_iter().map(extra).collect()
    })
}

fn request() -> impl Strategy<Value = Request> {
    (
        messages(),
        vec(tool(), 0..4),
        option::of(choice()),
        settings(),
        extras(),
    )
        .prop_map(|(messages, tools, choice, settings, extras)| Request {
            model: "m".into(),
            stream: false,
            include_usage: true,
            messages,
            tools,
            tool_choice: choice.map(|c| Set::new(c, "$.toolConfig.functionCallingConfig")),
            settings,
            extras,
        })
}

fn nowhere(mut request: Request) -> Request {
    for message in &mut request.messages {
        message.at = At::default();
        placeless(&mut message.parts);
    }
    request.tools.iter_mut().for_each(|t| t.at = At::default());
    request.extras.iter_mut().for_each(|e| e.at = At::default());
    request
}

proptest! {
    #[test]
    fn what_is_written_reads_back(request in request()) {
        let encoded = encode(&request, "m");
        prop_assert!(encoded.notes.dropped.is_empty(), "{:?}", encoded.notes);
        prop_assert!(encoded.notes.emulated.is_empty(), "{:?}", encoded.notes);
        let body = std::str::from_utf8(&encoded.body).unwrap();
        prop_assert_eq!(nowhere(decode(body)), request);
    }

    /// Whatever a client or a provider sends: an answer or a refusal, never a panic.
    #[test]
    fn nothing_breaks_it(noise in "[\\[\\]{}:,\"a-z0-9 ]{0,60}", key in "contents|candidates|tools|generationConfig|usageMetadata") {
        use crate::dialect::Dialect;
        let body = format!(r#"{{"contents":[],"{key}":{noise}}}"#);
        let _ = super::GeminiGenerate.decode_request(body.as_bytes(), &super::head());
        let _ = super::GeminiGenerate.decode_reply(body.as_bytes(), &super::way());
        let found = super::events([body.as_bytes()]);
        if !found.is_empty() {
            crate::dialect::grammar::fold(&found, true);
        }
    }
}
