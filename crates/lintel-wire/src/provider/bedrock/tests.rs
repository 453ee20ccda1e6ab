//! Paths, events and errors, one by one.

use super::*;
use crate::hosts::generic;

fn run(events: &[&str]) -> (Vec<EventFacts>, ReplyFacts) {
    let mut meter = Bedrock.meter(generic(BEDROCK), BEDROCK_CONVERSE);
    let facts = events.iter().map(|e| meter.event(e.as_bytes())).collect();
    (facts, meter.facts().clone())
}

fn path(model: &str, stream: bool) -> String {
    Bedrock.path(&Call {
        surface: BEDROCK_CONVERSE,
        prefix: "/p",
        host: generic(BEDROCK),
        api_version: None,
        model,
        object: None,
        stream,
        query: "",
    })
}

#[test]
fn the_model_is_one_segment_of_the_path() {
    assert_eq!(
        path("amazon.nova-lite-v1:0", false),
        "/p/model/amazon.nova-lite-v1%3A0/converse"
    );
    assert_eq!(
        path("arn:aws:bedrock:us-east-1:1:inference-profile/x", true),
        "/p/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fx/converse-stream"
    );
}

#[test]
fn a_stream_is_over_when_both_its_last_events_are_here() {
    let stop = r#"{"messageStop":{"stopReason":"end_turn"}}"#;
    let used = r#"{"metadata":{"usage":{"inputTokens":3,"outputTokens":4,"totalTokens":7}}}"#;
    for last in [[stop, used], [used, stop]] {
        let (events, facts) = run(&[
            r#"{"messageStart":{"role":"assistant"}}"#,
            r#"{"contentBlockDelta":{"delta":{"text":"hello"},"contentBlockIndex":0}}"#,
            r#"{"contentBlockStop":{"contentBlockIndex":0}}"#,
            r#"{"novel":{}}"#,
            last[0],
            last[1],
        ]);
        let content: Vec<_> = events.iter().map(|e| e.content).collect();
        assert_eq!(content, [false, true, false, false, false, false]);
        let terminal: Vec<_> = events.iter().map(|e| e.terminal).collect();
        assert_eq!(terminal, [false, false, false, false, false, true]);
        let usage = facts.usage.unwrap();
        assert_eq!((usage.input_tokens(), usage.output_tokens()), (3, 4));
        assert_eq!(facts.finish_reason.as_deref(), Some("end_turn"));
        assert_eq!(facts.content_bytes, 5);
    }
}

#[test]
fn an_exception_is_an_error_of_its_class() {
    let (events, facts) =
        run(&[r#"{"exception":{"type":"throttlingException","message":"slow down"}}"#]);
    assert!(events[0].error);
    assert_eq!(facts.error, Some(FailureClass::RateLimited));
    assert!(run(&["{"]).1.malformed);
}

#[test]
fn an_error_is_named_by_its_header_or_its_body() {
    let mut headers = HeaderMap::new();
    let plain = Bedrock.error(
        &headers,
        br#"{"__type":"a.b#ValidationException","Message":"m"}"#,
    );
    assert_eq!(plain.kind_name.as_deref(), Some("ValidationException"));
    assert_eq!(plain.message, "m");
    headers.insert(
        "x-amzn-errortype",
        "ThrottlingException:http://x/".parse().unwrap(),
    );
    let named = Bedrock.error(&headers, br#"{"message":"m"}"#);
    assert_eq!(named.kind_name.as_deref(), Some("ThrottlingException"));
}

#[test]
fn every_kind_of_content_counts() {
    let facts = Bedrock.reply(
        generic(BEDROCK),
        BEDROCK_CONVERSE,
        br#"{"output":{"message":{"role":"assistant","content":[{"text":"abc"},{"reasoningContent":{"reasoningText":{"text":"de","signature":"s"}}},{"toolUse":{"toolUseId":"1","name":"f","input":{"a":1}}},{"citationsContent":{"content":[{"text":"fg"}]}}]}},"stopReason":"tool_use","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3}}"#,
    );
    assert_eq!(facts.content_bytes, 3 + 2 + 7 + 2);
    assert!(!facts.malformed && facts.usage.is_some());
    assert!(
        Bedrock
            .reply(generic(BEDROCK), BEDROCK_CONVERSE, b"{}")
            .malformed
    );
}
