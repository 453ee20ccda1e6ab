//! Whole answers: what other dialects say in Google's form, and what of Google's is particular.

use lintel_types::canon::{
    At, Choice, Citation, Part, PartKind, RawJson, Reasoning, Reply, Seal, Stop, StopReason,
};
use lintel_types::{Meter, Protocol, Usage};
use serde_json::json as value;

use super::{GeminiGenerate, json, way};
use crate::dialect::Dialect;

const OTHER: Protocol = Protocol::new("anthropic");

fn read(body: &str) -> Reply {
    GeminiGenerate
        .decode_reply(body.as_bytes(), &way())
        .unwrap()
}

fn stop(reason: StopReason, word: &str) -> Option<Stop> {
    Some(Stop {
        reason,
        word: word.into(),
        sequence: None,
    })
}

#[test]
fn anothers_answer_is_whole_in_googles_form() {
    let part = |i: usize, kind| Part::new(kind, At::new("$.content").index(i));
    let citation = |url: Option<&str>| Citation {
        url: url.map(str::to_owned),
        title: Some("T".into()),
        quote: None,
        span: Some((0, 4)),
        protocol: OTHER,
        raw: RawJson::new("{}"),
    };
    let mut usage = Usage::new();
    usage
        .add(Meter::Input, 10)
        .add(Meter::CacheRead, 5)
        .add(Meter::InputAudio, 3)
        .add(Meter::Output, 7)
        .add(Meter::Reasoning, 2);
    let reply = Reply {
        id: None,
        model: None,
        created: Some(0),
        choices: vec![Choice {
            parts: vec![
                part(
                    0,
                    PartKind::Reasoning(Reasoning {
                        text: "hm".into(),
                        seal: Some(Seal {
                            protocol: OTHER,
                            data: "s".into(),
                        }),
                        ..Reasoning::default()
                    }),
                ),
                part(
                    1,
                    PartKind::Text {
                        text: "Über".into(),
                        citations: vec![citation(Some("https://a")), citation(None)],
                    },
                ),
            ],
            stop: stop(StopReason::Refusal, "refusal"),
            logprobs: None,
        }],
        usage: Some(usage),
    };
    let encoded = GeminiGenerate.encode_reply(&reply, &way());
    assert_eq!(
        json(&encoded),
        value!({
            "candidates": [{
                "content": {"parts": [{"text": "hm", "thought": true}, {"text": "Über"}], "role": "model"},
                "finishReason": "SAFETY",
                "index": 0,
                "groundingMetadata": {
                    "groundingChunks": [{"web": {"uri": "https://a", "title": "T"}}],
                    "groundingSupports": [{"segment": {"partIndex": 1, "startIndex": 0, "endIndex": 5, "text": "Über"}, "groundingChunkIndices": [0]}],
                },
            }],
            "usageMetadata": {
                "promptTokenCount": 18, "candidatesTokenCount": 7, "totalTokenCount": 27,
                "thoughtsTokenCount": 2, "cachedContentTokenCount": 5,
                "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 15}, {"modality": "AUDIO", "tokenCount": 3}],
            },
            "modelVersion": "route",
            "createTime": "1970-01-01T00:00:00.000000Z",
            "responseId": "ex_01",
        })
    );
    assert_eq!(
        encoded.notes.dropped,
        ["$.content[0]", "$.content[1].citations"]
    );
}

#[test]
fn stops_find_their_word_both_ways() {
    use StopReason::*;
    let word = |reason, word: &str| {
        let reply = Reply {
            choices: vec![Choice {
                stop: stop(reason, word),
                ..Choice::default()
            }],
            ..Reply::default()
        };
        let body = json(&GeminiGenerate.encode_reply(&reply, &way()));
        assert!(body["candidates"][0]["content"].get("parts").is_none());
        body["candidates"][0]["finishReason"].clone()
    };
    assert_eq!(word(EndTurn, "stop"), "STOP");
    assert_eq!(word(ToolUse, "tool_calls"), "STOP");
    assert_eq!(word(StopSequence, "stop_sequence"), "STOP");
    assert_eq!(word(MaxTokens, "length"), "MAX_TOKENS");
    assert_eq!(word(ContentFilter, "content_filter"), "SAFETY");
    assert_eq!(word(ContentFilter, "MODEL_ARMOR"), "MODEL_ARMOR");
    assert_eq!(
        word(Other, "MALFORMED_FUNCTION_CALL"),
        "MALFORMED_FUNCTION_CALL"
    );
    assert_eq!(word(Pause, "pause_turn"), "OTHER");
    let read = |body: &str| read(body).choices[0].stop.clone().unwrap();
    let candidate = |parts: &str, reason: &str| {
        let body = format!(
            r#"{{"candidates":[{{"content":{{"parts":{parts}}},"finishReason":"{reason}"}}]}}"#
        );
        read(&body).reason
    };
    assert_eq!(candidate("[]", "STOP"), EndTurn);
    assert_eq!(
        candidate(r#"[{"functionCall":{"name":"f"}}]"#, "STOP"),
        ToolUse
    );
    assert_eq!(candidate("[]", "RECITATION"), ContentFilter);
    assert_eq!(candidate("[]", "NOVEL"), Other);
    let blocked = read(r#"{"promptFeedback":{"blockReason":"OTHER"}}"#);
    assert_eq!(
        (blocked.reason, blocked.word.as_str()),
        (ContentFilter, "OTHER")
    );
    let silent = read(r#"{"usageMetadata":{"trafficType":"ON_DEMAND"}}"#);
    assert_eq!(silent.reason, ContentFilter);
}

#[test]
fn signatures_ids_and_times_are_kept() {
    let reply = read(
        r#"{"candidates":[{"content":{"parts":[{"text":"a","thoughtSignature":"AA=="},{"text":"","thoughtSignature":"BB=="},{"functionCall":{"name":"f"}},{"functionCall":{"name":"f","id":"own"}}]}}],"createTime":"2026-07-22T23:37:37.029264Z","responseId":"r"}"#,
    );
    assert_eq!(
        (reply.created, reply.id.as_deref()),
        (Some(1_784_763_457), Some("r"))
    );
    let parts = &reply.choices[0].parts;
    let seals: Vec<&str> = parts
        .iter()
        .filter_map(|p| match &p.kind {
            PartKind::Reasoning(r) => r.seal.as_ref().map(|s| s.data.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(seals, ["AA==", "BB=="]);
    let ids: Vec<&str> = parts
        .iter()
        .filter_map(|p| match &p.kind {
            PartKind::ToolCall(c) => Some(c.id.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(ids, ["call_01_1", "own"]);
    let encoded = json(&GeminiGenerate.encode_reply(&reply, &way()));
    let written = &encoded["candidates"][0]["content"]["parts"];
    assert_eq!(
        written[0],
        value!({"text": "a", "thoughtSignature": "AA=="})
    );
    assert_eq!(written[1], value!({"text": "", "thoughtSignature": "BB=="}));
}

#[test]
fn what_is_no_answer_is_a_bad_one() {
    for body in ["{", "[]", "{}", r#"{"choices":[]}"#] {
        assert!(
            GeminiGenerate
                .decode_reply(body.as_bytes(), &way())
                .is_err(),
            "{body}"
        );
    }
}
