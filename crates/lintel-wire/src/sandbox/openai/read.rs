//! Reads a chat completion request.

use serde_json::Value;

use crate::sandbox::ask::{self, Ask, Choice, Format, Refusal, Tool};

/// The most answers that one request may ask for, as at OpenAI.
const MAX_N: u64 = 128;

pub(super) fn ask(body: &[u8]) -> Result<Ask, Refusal> {
    let request = ask::object(body)?;
    let messages = ask::messages(&request)?;
    let (said, tool_result) = said(messages);
    let tools = tools(&request);
    let flag = |name: &str| request.get(name).and_then(Value::as_bool);
    let number = |name: &str| request.get(name).and_then(Value::as_u64);
    let n = number("n").unwrap_or(1);
    if !(1..=MAX_N).contains(&n) {
        return Err(Refusal::new(
            "n",
            format!("Invalid 'n': expected a value from 1 to {MAX_N}, but got {n} instead."),
        ));
    }
    Ok(Ask {
        stream: flag("stream").unwrap_or(false),
        include_usage: request
            .pointer("/stream_options/include_usage")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        said,
        tool_result,
        choice: choice(&request, &tools)?,
        tools,
        parallel: flag("parallel_tool_calls").unwrap_or(true),
        format: format(&request)?,
        n: n as usize,
        max_tokens: number("max_completion_tokens").or(number("max_tokens")),
        stop: ask::texts(request.get("stop")),
        input_tokens: ask::input_tokens(&[request.get("messages"), request.get("tools")]),
    })
}

/// The results of tools at the conversation's end, else the last user message.
fn said(messages: &[Value]) -> (String, bool) {
    let role = |m: &Value, is: &str| m.get("role").and_then(Value::as_str) == Some(is);
    let results = messages
        .iter()
        .rev()
        .take_while(|m| role(m, "tool"))
        .count();
    let texts: Vec<String> = messages
        .iter()
        .skip(messages.len() - results)
        .map(|m| ask::text_of(m.get("content")))
        .collect();
    if results > 0 {
        return (texts.join("; "), true);
    }
    let last = messages.iter().rev().find(|m| role(m, "user"));
    (
        last.map(|m| ask::text_of(m.get("content")))
            .unwrap_or_default(),
        false,
    )
}

fn tools(request: &Value) -> Vec<Tool> {
    let functions = request
        .get("tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|tool| tool.get("function"));
    functions
        .filter_map(|function| {
            let name = function.get("name")?.as_str()?.to_owned();
            let schema = function
                .get("parameters")
                .cloned()
                .unwrap_or(Value::Bool(true));
            Some(Tool { name, schema })
        })
        .collect()
}

fn choice(request: &Value, tools: &[Tool]) -> Result<Choice, Refusal> {
    let named = |name: &str| {
        if tools.iter().any(|tool| tool.name == name) {
            Ok(Choice::Named(name.to_owned()))
        } else {
            Err(Refusal::new(
                "tool_choice",
                format!("Invalid value for 'tool_choice': function '{name}' is not in 'tools'."),
            ))
        }
    };
    match request.get("tool_choice") {
        None | Some(Value::Null) => Ok(Choice::Auto),
        Some(_) if tools.is_empty() => Err(Refusal::new(
            "tool_choice",
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
        )),
        Some(Value::String(word)) => match word.as_str() {
            "none" => Ok(Choice::None),
            "auto" => Ok(Choice::Auto),
            "required" => Ok(Choice::Required),
            other => Err(Refusal::new(
                "tool_choice",
                format!(
                    "Invalid value: '{other}'. Supported values are: 'none', 'auto', and 'required'."
                ),
            )),
        },
        Some(object) => match object.pointer("/function/name").and_then(Value::as_str) {
            Some(name) => named(name),
            None => Err(Refusal::new(
                "tool_choice",
                "Missing required parameter: 'tool_choice.function'.",
            )),
        },
    }
}

fn format(request: &Value) -> Result<Format, Refusal> {
    let Some(format) = request.get("response_format").filter(|f| !f.is_null()) else {
        return Ok(Format::Text);
    };
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::JsonObject),
        Some("json_schema") => match format.pointer("/json_schema/schema") {
            Some(schema) => Ok(Format::Schema(schema.clone())),
            None => Err(Refusal::new(
                "response_format",
                "Missing required parameter: 'response_format.json_schema.schema'.",
            )),
        },
        _ => Err(Refusal::new(
            "response_format",
            "Invalid value for 'response_format.type': supported values are: 'text', 'json_object', and 'json_schema'.",
        )),
    }
}
