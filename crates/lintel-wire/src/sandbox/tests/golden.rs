//! Whole answers as text, compared with files; `LINTEL_BLESS=1 cargo test` writes them anew.

use std::fmt::Write;
use std::path::Path;

use lintel_types::Surface;
use serde_json::{Value, json};

use super::super::{Script, Step};
use super::{CHAT, MESSAGES, ask};

fn show(script: &Script) -> String {
    let mut out = format!("status {}\nstream {}\n", script.status, script.stream);
    for (name, value) in &script.headers {
        writeln!(out, "{name}: {value}").unwrap();
    }
    for step in &script.steps {
        match step {
            Step::Send(bytes) => writeln!(
                out,
                "--- send\n{}",
                String::from_utf8_lossy(bytes).trim_end()
            )
            .unwrap(),
            other => writeln!(out, "--- {other:?}").unwrap(),
        }
    }
    out
}

fn check(name: &str, surface: Surface, model: &str, body: Value) {
    let got = show(&ask(surface, model, &body));
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/sandbox")
        .join(format!("{name}.txt"));
    if std::env::var_os("LINTEL_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &got).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        got == want,
        "{name} differs from {}:\n{got}",
        path.display()
    );
}

fn said(text: &str) -> Value {
    json!([{ "role": "user", "content": text }])
}

fn weather() -> Value {
    json!({ "type": "object", "properties": { "city": { "type": "string" }, "unit": { "enum": ["c", "f"] } }, "required": ["city", "unit"] })
}

#[test]
fn openai_answers() {
    let chat = |name, model, body| check(name, CHAT, model, body);
    chat(
        "openai_text",
        "sandbox",
        json!({ "messages": said("hello") }),
    );
    chat(
        "openai_n",
        "sandbox-n3",
        json!({ "messages": said("hello"), "n": 2 }),
    );
    chat(
        "openai_stream",
        "sandbox-d60-i10-n3",
        json!({ "messages": said("hello"), "stream": true }),
    );
    let options = json!({ "include_usage": true });
    chat(
        "openai_stream_usage",
        "sandbox-cached2-reason5",
        json!({ "messages": said("hi there"), "stream": true, "stream_options": options }),
    );
    let tools = json!([{ "type": "function", "function": { "name": "get_weather", "parameters": weather() } }]);
    chat(
        "openai_tool",
        "sandbox",
        json!({ "messages": said("call get_weather"), "tools": tools }),
    );
    chat(
        "openai_tool_stream",
        "sandbox",
        json!({ "messages": said("hi"), "tools": tools, "tool_choice": "required", "stream": true }),
    );
    let round = json!([{ "role": "user", "content": "call get_weather" }, { "role": "assistant", "content": null, "tool_calls": [] },
        { "role": "tool", "tool_call_id": "call_1", "content": "21 degrees" }]);
    chat(
        "openai_tool_result",
        "sandbox",
        json!({ "messages": round, "tools": tools }),
    );
    let format =
        json!({ "type": "json_schema", "json_schema": { "name": "w", "schema": weather() } });
    chat(
        "openai_schema",
        "sandbox",
        json!({ "messages": said("hi"), "response_format": format }),
    );
    chat(
        "openai_length",
        "sandbox",
        json!({ "messages": said("hello"), "max_tokens": 2 }),
    );
    chat(
        "openai_429",
        "sandbox-e429",
        json!({ "messages": said("hello") }),
    );
    chat("openai_no_messages", "sandbox", json!({}));
    chat(
        "openai_unknown_option",
        "sandbox-x9",
        json!({ "messages": said("hello") }),
    );
}

#[test]
fn anthropic_answers() {
    let messages = |name, model, body| check(name, MESSAGES, model, body);
    messages(
        "anthropic_text",
        "sandbox-cached2-reason5",
        json!({ "messages": said("hi there"), "max_tokens": 99 }),
    );
    messages(
        "anthropic_stream",
        "sandbox-d60-i10-n3",
        json!({ "messages": said("hello"), "max_tokens": 99, "stream": true }),
    );
    let tools = json!([{ "name": "get_weather", "input_schema": weather() }]);
    messages(
        "anthropic_tool",
        "sandbox",
        json!({ "messages": said("use a tool"), "max_tokens": 99, "tools": tools }),
    );
    let any = json!({ "type": "any" });
    messages(
        "anthropic_tool_stream",
        "sandbox",
        json!({ "messages": said("hi"), "max_tokens": 99, "tools": tools, "tool_choice": any, "stream": true }),
    );
    let result = json!({ "type": "tool_result", "tool_use_id": "toolu_1", "content": [{ "type": "text", "text": "21 degrees" }] });
    messages(
        "anthropic_tool_result",
        "sandbox",
        json!({ "messages": [{ "role": "user", "content": [result] }], "max_tokens": 99, "tools": tools }),
    );
    let format = json!({ "format": { "type": "json_schema", "schema": weather() } });
    messages(
        "anthropic_schema",
        "sandbox",
        json!({ "messages": said("hi"), "max_tokens": 99, "output_config": format }),
    );
    messages(
        "anthropic_stop",
        "sandbox",
        json!({ "messages": said("one two"), "max_tokens": 99, "stop_sequences": ["two", " one"] }),
    );
    messages(
        "anthropic_529",
        "sandbox-e529",
        json!({ "messages": said("hello"), "max_tokens": 9 }),
    );
    messages(
        "anthropic_no_max_tokens",
        "sandbox",
        json!({ "messages": said("hello") }),
    );
}
