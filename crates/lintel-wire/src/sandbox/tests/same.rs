//! A stream and a whole answer to the same request say the same, and usage adds up.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{OPTIONS, speaks, text};
use super::{CHAT, MESSAGES, ask, events, json as whole};

/// What an answer says, read from either form: per choice the text, the calls (name, arguments) and the ending.
type Said = Vec<(String, Vec<(String, String)>, String)>;

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn openai_whole(body: &Value) -> Said {
    let choice = |c: &Value| {
        let calls = c["message"]["tool_calls"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let calls = calls
            .iter()
            .map(|t| {
                (
                    text_of(&t["function"]["name"]),
                    text_of(&t["function"]["arguments"]),
                )
            })
            .collect();
        (
            text_of(&c["message"]["content"]),
            calls,
            text_of(&c["finish_reason"]),
        )
    };
    body["choices"]
        .as_array()
        .unwrap()
        .iter()
        .map(choice)
        .collect()
}

fn openai_stream(chunks: &[Value]) -> Said {
    let mut said = Said::new();
    for choice in chunks.iter().flat_map(|c| c["choices"].as_array().unwrap()) {
        let index = choice["index"].as_u64().unwrap() as usize;
        said.resize(said.len().max(index + 1), Default::default());
        let (text, calls, finish) = &mut said[index];
        text.push_str(choice["delta"]["content"].as_str().unwrap_or_default());
        for call in choice["delta"]["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let at = call["index"].as_u64().unwrap() as usize;
            calls.resize(calls.len().max(at + 1), Default::default());
            calls[at]
                .0
                .push_str(call["function"]["name"].as_str().unwrap_or_default());
            calls[at]
                .1
                .push_str(call["function"]["arguments"].as_str().unwrap());
        }
        finish.push_str(choice["finish_reason"].as_str().unwrap_or_default());
    }
    said
}

fn anthropic_whole(body: &Value) -> Said {
    let blocks = body["content"].as_array().unwrap();
    let text = blocks.iter().map(|b| text_of(&b["text"])).collect();
    let calls = blocks
        .iter()
        .filter(|b| b["type"] == "tool_use")
        .map(|b| (text_of(&b["name"]), b["input"].to_string()))
        .collect();
    vec![(text, calls, text_of(&body["stop_reason"]))]
}

fn anthropic_stream(events: &[Value]) -> Said {
    let (mut text, mut calls, mut stop) =
        (String::new(), Vec::<(String, String)>::new(), String::new());
    for event in events {
        if event["content_block"]["type"] == "tool_use" {
            calls.push((text_of(&event["content_block"]["name"]), String::new()));
        }
        text.push_str(event["delta"]["text"].as_str().unwrap_or_default());
        if let (Some(part), Some(call)) =
            (event["delta"]["partial_json"].as_str(), calls.last_mut())
        {
            call.1.push_str(part);
        }
        stop.push_str(event["delta"]["stop_reason"].as_str().unwrap_or_default());
    }
    vec![(text, calls, stop)]
}

fn said_tokens(said: &Said) -> u64 {
    said.iter()
        .map(|(text, calls, _)| {
            text::count(text) + calls.iter().map(|c| text::count(&c.1)).sum::<u64>()
        })
        .sum()
}

fn with(body: &Value, key: &str, value: Value) -> Value {
    let mut body = body.clone();
    body.as_object_mut().unwrap().insert(key.into(), value);
    body
}

fn check_openai(model: &str, body: &Value, reasoning: u64) -> Result<(), TestCaseError> {
    let one = whole(&ask(CHAT, model, body));
    let streamed = with(
        &with(body, "stream", json!(true)),
        "stream_options",
        json!({ "include_usage": true }),
    );
    let chunks = events(&ask(CHAT, model, &streamed));
    let said = openai_whole(&one);
    prop_assert_eq!(&openai_stream(&chunks), &said);
    let usage = &one["usage"];
    prop_assert_eq!(&chunks.last().unwrap()["usage"], usage);
    prop_assert_eq!(
        usage["total_tokens"].as_u64(),
        Some(
            usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap()
        )
    );
    prop_assert_eq!(
        usage["completion_tokens"].as_u64(),
        Some(said_tokens(&said) + reasoning)
    );
    let silent = events(&ask(CHAT, model, &with(body, "stream", json!(true))));
    prop_assert!(silent.iter().all(|chunk| chunk.get("usage").is_none()));
    Ok(())
}

fn check_anthropic(model: &str, body: &Value, reasoning: u64) -> Result<(), TestCaseError> {
    let one = whole(&ask(MESSAGES, model, body));
    let stream = events(&ask(MESSAGES, model, &with(body, "stream", json!(true))));
    let said = anthropic_whole(&one);
    let mut streamed = anthropic_stream(&stream);
    if said[0].2 == "max_tokens" && !said[0].1.is_empty() {
        // Cut arguments are no JSON: a whole answer can't show them.
        streamed[0].1.last_mut().unwrap().1 = "{}".into();
    } else {
        prop_assert_eq!(
            one["usage"]["output_tokens"].as_u64(),
            Some(said_tokens(&said) + reasoning)
        );
    }
    prop_assert_eq!(&streamed, &said);
    let names: Vec<&str> = stream.iter().map(|e| e["type"].as_str().unwrap()).collect();
    prop_assert_eq!(
        (names.first(), names.last()),
        (Some(&"message_start"), Some(&"message_stop"))
    );
    prop_assert_eq!(&names[1..3], ["content_block_start", "ping"]);
    prop_assert_eq!(&stream[names.len() - 2]["usage"], &one["usage"]);
    Ok(())
}

proptest! {
    #[test]
    fn streams_say_what_whole_answers_say(
        said in ".{0,80}", mention in any::<bool>(), required in any::<bool>(), n in 1u64..4, max in proptest::option::of(1u64..40),
        stop in proptest::option::of("[a-z ]{1,3}"), reasoning in proptest::option::of(1u64..9), schema in any::<bool>(), tools in any::<bool>(),
    ) {
        let said = if mention { format!("{said} tool two") } else { said };
        let shape = json!({ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "integer" } }, "required": ["a", "b"] });
        let model = reasoning.map_or("sandbox".to_owned(), |n| format!("sandbox-reason{n}"));
        let mut body = json!({ "messages": [{ "role": "user", "content": said }] });
        let mut other = with(&body, "max_tokens", json!(max.unwrap_or(1000)));
        if let Some(stop) = stop {
            body = with(&body, "stop", json!(stop));
            other = with(&other, "stop_sequences", json!([stop]));
        }
        if tools {
            let function = |name: &str| json!({ "type": "function", "function": { "name": name, "parameters": shape } });
            body = with(&body, "tools", json!([function("one"), function("two")]));
            other = with(&other, "tools", json!([{ "name": "one", "input_schema": shape }, { "name": "two", "input_schema": shape }]));
            if required {
                body = with(&body, "tool_choice", json!("required"));
                other = with(&other, "tool_choice", json!({ "type": "any" }));
            }
        }
        if schema {
            body = with(&body, "response_format", json!({ "type": "json_schema", "json_schema": { "name": "s", "schema": shape } }));
            other = with(&other, "output_format", json!({ "type": "json_schema", "schema": shape }));
        }
        if let Some(max) = max {
            body = with(&body, "max_completion_tokens", json!(max));
        }
        check_openai(&model, &with(&body, "n", json!(n)), reasoning.unwrap_or(0))?;
        check_anthropic(&model, &other, reasoning.unwrap_or(0))?;
    }

    #[test]
    fn no_request_and_no_name_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..80), options in proptest::collection::vec(0..OPTIONS.len(), 0..4), n in 0u32..700, seed in any::<u64>()) {
        let name: String = options.iter().filter_map(|i| OPTIONS.get(*i)).map(|o| if o.number { format!("-{}{n}", o.word) } else { format!("-{}", o.word) }).collect();
        for surface in crate::surface::SURFACES.iter().map(|s| s.surface()).filter(|s| speaks(*s)) {
            let script = super::answer(surface, &Default::default(), &format!("sandbox{name}"), &body, seed);
            prop_assert!(matches!(script.steps.last(), Some(super::Step::End | super::Step::Tear | super::Step::Stall)));
        }
    }
}

#[test]
fn which_tools_are_called() {
    let tool = |name: &str| json!({ "type": "function", "function": { "name": name, "parameters": { "type": "object" } } });
    let check = |said: &str, extra: Value, want: &[&str]| {
        let mut body = json!({ "messages": [{ "role": "user", "content": said }], "tools": [tool("get_time"), tool("get_weather")] });
        body.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        let got = openai_whole(&whole(&ask(CHAT, "sandbox", &body)));
        let names: Vec<&str> = got[0].1.iter().map(|c| c.0.as_str()).collect();
        assert_eq!(names, want, "{said} {extra}");
    };
    check("hello", json!({}), &[]);
    check("use a Tool!", json!({}), &["get_time"]);
    check("toolbox", json!({}), &[]);
    check(
        "get_weather then get_time",
        json!({}),
        &["get_time", "get_weather"],
    );
    check(
        "get_weather then get_time",
        json!({ "parallel_tool_calls": false }),
        &["get_time"],
    );
    check("use a tool", json!({ "tool_choice": "none" }), &[]);
    check("hello", json!({ "tool_choice": "required" }), &["get_time"]);
    let named =
        json!({ "tool_choice": { "type": "function", "function": { "name": "get_weather" } } });
    check("hello", named, &["get_weather"]);
}
