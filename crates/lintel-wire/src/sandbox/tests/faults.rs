//! Every way in which the sandbox goes wrong when told to.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{SandboxConfig, Script, Step, answer};
use super::{CHAT, MESSAGES, ask, events, json as whole, plain, sent};

fn body(stream: bool) -> Value {
    json!({ "messages": [{ "role": "user", "content": "hello" }], "max_tokens": 500, "stream": stream })
}

fn sends(script: &Script) -> usize {
    script
        .steps
        .iter()
        .filter(|s| matches!(s, Step::Send(_)))
        .count()
}

#[test]
fn time_passes_where_it_is_told_to() {
    let ms = |n| Step::Wait(Duration::from_millis(n));
    let script = ask(CHAT, "sandbox-d60-i10-n20", &body(true));
    assert_eq!(script.steps[0], ms(60));
    assert_eq!(script.steps.iter().filter(|s| **s == ms(10)).count(), 19);
    assert_eq!(
        ask(MESSAGES, "sandbox-d60-i10-n20", &body(false)).steps[0],
        ms(60 + 19 * 10)
    );
    assert_eq!(
        ask(CHAT, "sandbox-slowhdr", &body(false)).steps[0],
        ms(10_000)
    );
    assert_eq!(ask(CHAT, "sandbox-d60-e500", &body(false)).steps[0], ms(60));
}

#[test]
fn streams_tear_and_stall_after_so_many_events() {
    for surface in [CHAT, MESSAGES] {
        for n in [0, 1, 5] {
            let torn = ask(surface, &format!("sandbox-torn{n}"), &body(true));
            assert_eq!((sends(&torn), torn.steps.last()), (n, Some(&Step::Tear)));
            let stalled = ask(surface, &format!("sandbox-stall{n}"), &body(true));
            assert_eq!(
                (sends(&stalled), stalled.steps.last()),
                (n, Some(&Step::Stall))
            );
        }
        let torn = ask(surface, "sandbox-torn5", &body(false));
        let whole = plain(&ask(surface, "sandbox", &body(false)));
        let half = plain(&torn);
        assert!(
            whole.starts_with(&half) && half.len() > whole.len() / 3,
            "{half}"
        );
        assert_eq!(torn.steps.last(), Some(&Step::Tear));
        assert_eq!(
            ask(surface, "sandbox-stall5", &body(false)).steps.last(),
            Some(&Step::Stall)
        );
        let long = ask(surface, "sandbox-torn999", &body(true));
        assert_eq!(
            (plain(&long), long.steps.last()),
            (
                plain(&ask(surface, "sandbox", &body(true))),
                Some(&Step::End)
            )
        );
    }
}

#[test]
fn an_error_event_ends_a_successful_stream() {
    let openai = ask(CHAT, "sandbox-errevent3", &body(true));
    assert_eq!(
        (openai.status, sends(&openai), openai.steps.last()),
        (200, 4, Some(&Step::End))
    );
    assert_eq!(events(&openai)[3]["error"]["type"], "server_error");
    let anthropic = ask(MESSAGES, "sandbox-errevent3", &body(true));
    assert_eq!(
        events(&anthropic)[3],
        json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Overloaded" } })
    );
    assert!(
        String::from_utf8(sent(&anthropic))
            .unwrap()
            .contains("event: error\n")
    );
    let once = ask(CHAT, "sandbox-errevent3", &body(false));
    assert_eq!(
        (once.status, &whole(&once)["error"]["type"]),
        (200, &json!("server_error"))
    );
}

#[test]
fn malformed_answers_are_what_they_say() {
    for surface in [CHAT, MESSAGES] {
        assert!(
            serde_json::from_slice::<Value>(&sent(&ask(surface, "sandbox-badjson", &body(false))))
                .is_err()
        );
        let bad = plain(&ask(surface, "sandbox-badjson", &body(true)));
        let good = plain(&ask(surface, "sandbox", &body(true)));
        let differ: Vec<usize> = bad
            .split("\n\n")
            .zip(good.split("\n\n"))
            .enumerate()
            .filter(|(_, (b, g))| b != g)
            .map(|(i, _)| i)
            .collect();
        assert_eq!(
            (differ, bad.split("\n\n").count()),
            (vec![1], good.split("\n\n").count())
        );
        for stream in [false, true] {
            assert!(
                String::from_utf8(sent(&ask(surface, "sandbox-badutf8", &body(stream)))).is_err()
            );
            let html = ask(surface, "sandbox-html", &body(stream));
            assert_eq!(
                (html.status, html.headers[0].1.as_str()),
                (200, "text/html; charset=utf-8")
            );
            let empty = ask(surface, "sandbox-emptystream", &body(stream));
            assert_eq!(
                (empty.status, empty.stream, empty.steps.as_slice()),
                (200, stream, &[Step::End][..])
            );
        }
    }
}

#[test]
fn a_long_line_shares_its_memory() {
    for stream in [false, true] {
        let script = ask(CHAT, "sandbox-longline", &body(stream));
        let long = script.steps.iter().filter_map(|s| match s {
            Step::Send(b) if b.len() == 64 * 1024 => Some(b),
            _ => None,
        });
        let long: Vec<_> = long.collect();
        assert_eq!(long.len(), 1024);
        assert!(
            long.iter()
                .all(|b| b.as_ptr() == long[0].as_ptr() && !b.contains(&b'\n'))
        );
    }
    assert!(
        whole(&ask(CHAT, "sandbox-longline", &body(false)))["id"]
            .as_str()
            .unwrap()
            .len()
            > 64 << 20
    );
}

#[test]
fn usage_can_be_missing_or_wrong() {
    for stream in [false, true] {
        for surface in [CHAT, MESSAGES] {
            let text = plain(&ask(surface, "sandbox-nousage", &body(stream)));
            assert!(!text.contains("usage"), "{text}");
        }
    }
    let usage = whole(&ask(CHAT, "sandbox-contradict", &body(false)))["usage"].clone();
    assert_ne!(
        usage["total_tokens"].as_u64(),
        Some(
            usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap()
        )
    );
    let usage = whole(&ask(MESSAGES, "sandbox-contradict", &body(false)))["usage"].clone();
    assert_eq!(usage["cache_creation_input_tokens"], 10);
    assert_eq!(
        usage["cache_creation"],
        json!({ "ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4 })
    );
}

#[test]
fn reported_counts_are_the_ones_told() {
    let usage = whole(&ask(
        CHAT,
        "sandbox-in500-out20-cached100-reason5",
        &body(false),
    ))["usage"]
        .clone();
    assert_eq!(
        (
            &usage["prompt_tokens"],
            &usage["completion_tokens"],
            &usage["total_tokens"]
        ),
        (&json!(500), &json!(20), &json!(520))
    );
    assert_eq!(
        (
            &usage["prompt_tokens_details"]["cached_tokens"],
            &usage["completion_tokens_details"]["reasoning_tokens"]
        ),
        (&json!(100), &json!(5))
    );
    let usage = whole(&ask(
        MESSAGES,
        "sandbox-in500-out20-cached100",
        &body(false),
    ))["usage"]
        .clone();
    assert_eq!(
        (
            &usage["input_tokens"],
            &usage["cache_read_input_tokens"],
            &usage["output_tokens"]
        ),
        (&json!(400), &json!(100), &json!(20))
    );
}

#[test]
fn errors_have_their_status_and_their_dialect() {
    for status in [400, 401, 403, 404, 413, 418, 429, 500, 502, 503, 529] {
        let openai = ask(CHAT, &format!("sandbox-e{status}"), &body(true));
        assert_eq!((openai.status, openai.stream), (status, false));
        assert!(whole(&openai)["error"]["message"].is_string());
        let retry = openai
            .headers
            .iter()
            .find(|(name, _)| *name == "retry-after");
        assert_eq!(
            retry.map(|(_, v)| v.as_str()),
            (status == 429).then_some("1")
        );
        let anthropic = whole(&ask(MESSAGES, &format!("sandbox-e{status}"), &body(false)));
        assert_eq!(anthropic["type"], "error");
        assert!(
            anthropic["request_id"]
                .as_str()
                .unwrap()
                .starts_with("req_")
        );
    }
}

#[test]
fn a_share_of_seeds_is_struck() {
    let failed = (0..1_000)
        .filter(|seed| {
            answer(
                CHAT,
                &SandboxConfig::default(),
                "sandbox-e500-p30",
                body(false).to_string().as_bytes(),
                *seed,
            )
            .status
                == 500
        })
        .count();
    assert!((250..350).contains(&failed), "{failed} of 1000");
}

#[test]
fn configuration_and_name_do_the_same() {
    let config: SandboxConfig = serde_json::from_value(
        json!({ "first_token": "60ms", "per_token": "10ms", "tokens": 20, "torn_after": 5 }),
    )
    .unwrap();
    let text = body(true).to_string();
    let mut configured = answer(CHAT, &config, "sandbox", text.as_bytes(), 1);
    let mut named = answer(
        CHAT,
        &SandboxConfig::default(),
        "sandbox-d60-i10-n20-torn5",
        text.as_bytes(),
        1,
    );
    // Only the model's name differs.
    configured.steps.retain(|s| !matches!(s, Step::Send(_)));
    named.steps.retain(|s| !matches!(s, Step::Send(_)));
    assert_eq!(configured, named);
}

#[test]
fn refuses_what_the_real_apis_refuse() {
    let check = |surface, body: &str, param: &str| {
        let script = answer(
            surface,
            &SandboxConfig::default(),
            "sandbox",
            body.as_bytes(),
            1,
        );
        assert_eq!(script.status, 400, "{body}");
        assert!(
            String::from_utf8(sent(&script)).unwrap().contains(param),
            "{body}"
        );
    };
    check(CHAT, "{", "JSON");
    check(CHAT, "[]", "object");
    check(CHAT, r#"{"messages":[]}"#, "messages");
    let hi = r#""messages":[{"role":"user","content":"hi"}]"#;
    check(CHAT, &format!("{{{hi},\"n\":0}}"), "'n'");
    check(
        CHAT,
        &format!("{{{hi},\"tool_choice\":\"auto\"}}"),
        "tool_choice",
    );
    check(
        CHAT,
        &format!(
            "{{{hi},\"tools\":[{{\"type\":\"function\",\"function\":{{\"name\":\"a\"}}}}],\"tool_choice\":{{\"function\":{{\"name\":\"b\"}}}}}}"
        ),
        "'b'",
    );
    check(
        CHAT,
        &format!("{{{hi},\"response_format\":{{\"type\":\"xml\"}}}}"),
        "response_format",
    );
    check(MESSAGES, &format!("{{{hi}}}"), "max_tokens");
    check(
        MESSAGES,
        &format!("{{{hi},\"max_tokens\":1,\"tool_choice\":{{\"type\":\"tool\",\"name\":\"b\"}}}}"),
        "'b'",
    );
}
