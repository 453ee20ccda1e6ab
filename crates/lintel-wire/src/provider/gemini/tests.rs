//! What is said of a call's path, of its answer and of its stream; and the recorded calls.

use super::*;
use crate::hosts::{by_name, generic};

pub(crate) mod recorded;

fn run(events: &[&str]) -> (Vec<EventFacts>, ReplyFacts) {
    let mut meter = Gemini.meter(generic(GEMINI), GEMINI_GENERATE);
    let facts = events.iter().map(|e| meter.event(e.as_bytes())).collect();
    (facts, meter.facts().clone())
}

fn path(prefix: &str, model: &str, stream: bool, query: &str) -> String {
    Gemini.path(&Call {
        surface: GEMINI_GENERATE,
        prefix,
        host: generic(GEMINI),
        api_version: None,
        model,
        object: None,
        stream,
        query,
    })
}

#[test]
fn model_verb_and_form_stand_in_the_path() {
    assert_eq!(
        path("/v1beta", "gemini-2.5-pro", false, ""),
        "/v1beta/models/gemini-2.5-pro:generateContent"
    );
    assert_eq!(
        path("/v1beta", "gemini-2.5-pro", true, "alt=sse"),
        "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"
    );
    assert_eq!(
        path("/v1", "tunedModels/a?b:c", true, "alt=proto"),
        "/v1/tunedModels/a%3Fb%3Ac:streamGenerateContent"
    );
    assert_eq!(Gemini.translated_query(true), "alt=sse");
    assert_eq!(Gemini.translated_query(false), "");
}

#[test]
fn the_row_takes_a_key_in_googles_header() {
    let row = by_name("google").unwrap();
    assert_eq!((row.protocol, row.auth), (GEMINI, Auth::XGoogApiKey));
}

#[test]
fn the_last_usage_that_can_be_read_counts() {
    let (events, facts) = run(&[
        r#"{"candidates":[{"content":{"parts":[{"text":"he"}],"role":"model"}}],"usageMetadata":{"promptTokenCount":46,"candidatesTokenCount":51,"totalTokenCount":97}}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"AAAA"}]}}],"usageMetadata":{"promptTokenCount":46,"totalTokenCount":46}}"#,
        r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":147,"candidatesTokenCount":108,"thoughtsTokenCount":168,"totalTokenCount":423}}"#,
        r#"{"usageMetadata":{"trafficType":"ON_DEMAND"}}"#,
    ]);
    let content: Vec<_> = events.iter().map(|e| e.content).collect();
    assert_eq!(content, [true, false, false, false]);
    assert!(events.iter().all(|e| !e.terminal && !e.usage_only));
    let usage = facts.usage.unwrap();
    assert_eq!((usage.input_tokens(), usage.output_tokens()), (147, 276));
    assert_eq!(facts.finish_reason.as_deref(), Some("STOP"));
    assert_eq!(facts.content_bytes, 2);
}

#[test]
fn an_answer_without_output_is_no_malformed_one() {
    for (body, reason) in [
        (
            r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5}}"#,
            Some("PROHIBITED_CONTENT"),
        ),
        (r#"{"usageMetadata":{"trafficType":"ON_DEMAND"}}"#, None),
        (
            r#"{"candidates":[{"content":{},"finishReason":"SAFETY"}]}"#,
            Some("SAFETY"),
        ),
        (
            r#"{"candidates":[{"finishReason":"MODEL_ARMOR"}]}"#,
            Some("MODEL_ARMOR"),
        ),
        (
            r#"[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}]"#,
            Some("STOP"),
        ),
    ] {
        let facts = Gemini.reply(generic(GEMINI), GEMINI_GENERATE, body.as_bytes());
        assert!(!facts.malformed && facts.error.is_none(), "{body}");
        assert_eq!(facts.finish_reason.as_deref(), reason, "{body}");
    }
    for body in ["{", "[]", "7", "{}", r#"{"choices":[]}"#] {
        let facts = Gemini.reply(generic(GEMINI), GEMINI_GENERATE, body.as_bytes());
        assert!(facts.malformed, "{body}");
    }
}

#[test]
fn an_error_inside_a_200_is_seen() {
    let error = r#"{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}"#;
    let (events, facts) = run(&[error]);
    assert!(events[0].error && !facts.malformed);
    assert_eq!(facts.error, Some(FailureClass::Overloaded));
    let facts = Gemini.reply(
        generic(GEMINI),
        GEMINI_GENERATE,
        format!("[{error}]").as_bytes(),
    );
    assert_eq!(facts.error, Some(FailureClass::Overloaded));
}
