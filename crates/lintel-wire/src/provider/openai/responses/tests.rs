//! What an answer, whole or streamed, must say of itself: by shape, and over every recording.

use std::path::PathBuf;

use super::*;
use crate::hosts::{self, generic};
use crate::provider::OPENAI;
use crate::sse;
use crate::surface::OPENAI_RESPONSES;

fn run(events: &[&str]) -> (Vec<EventFacts>, ReplyFacts) {
    let mut meter = ResponsesMeter::new(generic(OPENAI));
    let facts = events.iter().map(|e| meter.event(e.as_bytes())).collect();
    (facts, meter.facts().clone())
}

const DONE: &str = r#"{"type":"response.completed","response":{"status":"completed","error":null,"output":[],"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"output_tokens":5,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":14}}}"#;

#[test]
fn the_last_event_has_the_numbers_and_every_detail_its_meter() {
    let (events, facts) = run(&[
        r#"{"type":"response.created","response":{"status":"in_progress","usage":null,"error":null}}"#,
        r#"{"type":"response.output_text.delta","delta":"hi"}"#,
        r#"{"type":"response.output_text.done","text":"hi"}"#,
        DONE,
    ]);
    let flags: Vec<_> = events.iter().map(|e| (e.content, e.terminal)).collect();
    assert_eq!(
        flags,
        [(false, false), (true, false), (false, false), (false, true)]
    );
    let usage = facts.usage.unwrap();
    let meters = [
        Meter::Input,
        Meter::CacheRead,
        Meter::CacheWrite5m,
        Meter::Output,
        Meter::Reasoning,
    ];
    assert_eq!(meters.map(|m| usage.get(m)), [3, 4, 2, 2, 3]);
    assert!(!usage.inconsistent);
    assert_eq!(facts.finish_reason.as_deref(), Some("completed"));
    assert_eq!(facts.content_bytes, 2);
}

#[test]
fn every_kind_of_delta_is_content() {
    for kind in [
        "output_text",
        "refusal",
        "reasoning_text",
        "reasoning_summary_text",
        "function_call_arguments",
        "custom_tool_call_input",
        "mcp_call_arguments",
        "code_interpreter_call_code",
        "audio",
        "novel",
    ] {
        let event = format!(r#"{{"type":"response.{kind}.delta","delta":"abc"}}"#);
        let (events, facts) = run(&[&event]);
        assert!(events[0].content && facts.content_bytes == 3, "{kind}");
    }
    let (events, _) = run(&[
        r#"{"type":"response.image_generation_call.partial_image","partial_image_b64":"AAAA"}"#,
        r#"{"type":"response.shell_call_output_content.delta","delta":{"stdout":"hello"}}"#,
        r#"{"type":"response.output_text.delta","delta":""}"#,
        r#"{"type":"response.web_search_call.searching"}"#,
    ]);
    let content: Vec<_> = events.iter().map(|e| e.content).collect();
    assert_eq!(content, [true, true, false, false]);
    // An item without deltas shows at its end; one with deltas isn't counted twice.
    let call =
        r#"{"type":"response.output_item.done","item":{"type":"function_call","arguments":"{}"}}"#;
    let added =
        r#"{"type":"response.output_item.added","item":{"type":"function_call","arguments":""}}"#;
    let delta = r#"{"type":"response.function_call_arguments.delta","delta":"{}"}"#;
    assert_eq!(run(&[added, call]).1.content_bytes, 2);
    assert_eq!(run(&[added, delta, call]).1.content_bytes, 2);
}

#[test]
fn an_error_event_comes_before_the_failed_response_and_counts_once() {
    let (events, facts) = run(&[
        r#"{"type":"error","code":"insufficient_quota","message":"You exceeded your current quota","param":null}"#,
        r#"{"type":"response.failed","response":{"status":"failed","usage":null,"error":{"code":"insufficient_quota","message":"m"}}}"#,
    ]);
    let flags: Vec<_> = events.iter().map(|e| (e.error, e.terminal)).collect();
    assert_eq!(flags, [(true, false), (false, true)]);
    assert_eq!(facts.error, Some(FailureClass::Quota));
    assert_eq!(facts.usage, None);
    assert_eq!(facts.finish_reason.as_deref(), Some("failed"));
    // The form of Open Responses, and that of other surfaces.
    for event in [
        r#"{"type":"error","sequence_number":1,"error":{"type":"t","code":"rate_limit_exceeded","message":"m"}}"#,
        r#"{"error":{"message":"m","code":429}}"#,
    ] {
        let (events, facts) = run(&[event]);
        assert!(events[0].error, "{event}");
        assert_eq!(facts.error, Some(FailureClass::RateLimited), "{event}");
    }
}

#[test]
fn an_answer_that_is_cut_says_why() {
    let (events, facts) = run(&[
        r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":1,"input_tokens_details":null,"output_tokens":2,"output_tokens_details":null,"total_tokens":3}}}"#,
    ]);
    assert!(events[0].terminal);
    assert_eq!(facts.finish_reason.as_deref(), Some("max_output_tokens"));
    assert_eq!(facts.usage.unwrap().output_tokens(), 2);
}

#[test]
fn whole_answers_count_what_the_model_made() {
    let facts = reply(
        generic(OPENAI),
        br#"{"status":"completed","error":null,"tool_usage":{"web_search":{"num_requests":2}},"output":[
            {"type":"reasoning","summary":[{"type":"summary_text","text":"abc"}],"encrypted_content":"xxxxxxx"},
            {"type":"web_search_call","action":{"query":"not counted"}},
            {"type":"message","content":[{"type":"output_text","text":"de","annotations":[{"url":"no"}]},{"type":"refusal","refusal":"f"}]},
            {"type":"function_call","arguments":"{}"}],
            "usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}"#,
    );
    assert_eq!(facts.content_bytes, 8);
    assert_eq!(facts.usage.unwrap().get(Meter::WebSearch), 2);
    let queued = reply(
        generic(OPENAI),
        br#"{"status":"queued","output":[],"usage":null,"error":null}"#,
    );
    assert!(!queued.malformed && queued.usage.is_none() && queued.finish_reason.is_none());
    for nonsense in [&b"{}"[..], b"method=POST", b"[1]", b"{"] {
        assert!(reply(generic(OPENAI), nonsense).malformed);
    }
}

#[test]
fn nonsense_is_marked_and_never_fatal() {
    let (events, facts) = run(&[
        "{",
        "[]",
        "7",
        r#"{"type":3}"#,
        r#"{"response":[]}"#,
        "[DONE]",
    ]);
    assert!(events[5].terminal && facts.malformed && facts.usage.is_none());
    let (events, facts) = run(&[r#"{"type":"response.completed","response":{"usage":{}"#]);
    assert!(events[0].terminal && facts.malformed);
}

/// Every recording says in `usage` what it used: the meter must have read just that.
#[test]
fn every_recording_is_metered_as_it_says() {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden/wire/openai.responses.jsonl");
    let mut texts = vec![std::fs::read_to_string(golden).unwrap()];
    // A folder of more recordings, one JSON document a line.
    if let Some(folder) = std::env::var_os("LINTEL_CORPUS") {
        let path = PathBuf::from(folder).join("openai.responses.jsonl");
        texts.push(std::fs::read_to_string(path).unwrap());
    }
    let mut metered = 0;
    for line in texts.iter().flat_map(|t| t.lines()) {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        if row["status"].as_u64().unwrap() < 400 {
            metered += u32::from(check(&row));
        }
    }
    assert!(metered > 10, "{metered}");
}

fn check(row: &serde_json::Value) -> bool {
    let id = row["id"].as_str().unwrap();
    let host = row["host_kind"].as_str().and_then(hosts::by_name);
    let host = host.unwrap_or(generic(OPENAI));
    let body = row["response_text"].as_str().unwrap().as_bytes();
    let facts = if row["stream"] == true {
        streamed(host, body)
    } else {
        crate::provider::own(OPENAI)
            .unwrap()
            .reply(host, OPENAI_RESPONSES, body)
    };
    let said = &row["usage"];
    let Some(usage) = &facts.usage else {
        assert!(said.is_null(), "{id}: {said}");
        return false;
    };
    let raw: serde_json::Value = serde_json::from_str(facts.raw_usage.as_deref().unwrap()).unwrap();
    assert_eq!(&raw, said, "{id}");
    let count = |path: &str| said.pointer(path).and_then(|v| v.as_u64()).unwrap_or(0);
    assert_eq!(usage.input_tokens(), count("/input_tokens"), "{id}");
    assert_eq!(
        usage.get(Meter::CacheRead),
        count("/input_tokens_details/cached_tokens"),
        "{id}"
    );
    assert_eq!(
        usage.get(Meter::CacheWrite5m),
        count("/input_tokens_details/cache_write_tokens"),
        "{id}"
    );
    assert_eq!(
        usage.get(Meter::Reasoning),
        count("/output_tokens_details/reasoning_tokens"),
        "{id}"
    );
    assert_eq!(
        usage.input_tokens() + usage.output_tokens(),
        count("/total_tokens"),
        "{id}"
    );
    assert!(!usage.inconsistent, "{id}: {said}");
    if count("/output_tokens") > count("/output_tokens_details/reasoning_tokens") {
        assert!(facts.content_bytes > 0, "{id}");
    }
    true
}

fn streamed(host: &'static Host, body: &[u8]) -> ReplyFacts {
    let mut meter = ResponsesMeter::new(host);
    let mut terminal = false;
    for event in sse::events(bytes::Bytes::copy_from_slice(body)).filter_map(|e| e.data) {
        terminal |= meter.event(&event).terminal;
    }
    assert!(terminal || meter.facts.usage.is_none());
    meter.facts().clone()
}
