//! Reads a messages request.

use serde_json::Value;

use crate::sandbox::ask::{self, Ask, Choice, Format, Refusal, Tool};

pub(super) fn ask(body: &[u8]) -> Result<Ask, Refusal> {
    let request = ask::object(body)?;
    let messages = ask::messages(&request)?;
    let Some(max_tokens) = request.get("max_tokens").and_then(Value::as_u64) else {
        return Err(Refusal::new("max_tokens", "max_tokens: Field required"));
    };
    let (said, tool_result) = said(messages);
    let tools = tools(&request);
    let serial = request
        .pointer("/tool_choice/disable_parallel_tool_use")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    Ok(Ask {
        stream: request
            .get("stream")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        include_usage: true,
        said,
        tool_result,
        choice: choice(&request, &tools)?,
        tools,
        parallel: !serial,
        format: format(&request),
        n: 1,
        max_tokens: Some(max_tokens),
        stop: ask::texts(request.get("stop_sequences")),
        input_tokens: input_tokens(&request),
    })
}

/// What the request weighs by the sandbox's rule.
pub(super) fn input_tokens(request: &Value) -> u64 {
    ask::input_tokens(&[
        request.get("messages"),
        request.get("system"),
        request.get("tools"),
    ])
}

/// The results of tools in the last message, else the last user message's text.
fn said(messages: &[Value]) -> (String, bool) {
    let last = messages
        .iter()
        .rev()
        .find(|m| m.get("role").and_then(Value::as_str) == Some("user"));
    let content = last.and_then(|m| m.get("content"));
    let blocks = content
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let is_result =
        |block: &&Value| block.get("type").and_then(Value::as_str) == Some("tool_result");
    let results: Vec<String> = blocks
        .iter()
        .filter(is_result)
        .map(|block| ask::text_of(block.get("content")))
        .collect();
    if results.is_empty() {
        (ask::text_of(content), false)
    } else {
        (results.join("; "), true)
    }
}

/// Tools with a schema; those that the provider runs itself have none and are never called.
fn tools(request: &Value) -> Vec<Tool> {
    let list = request
        .get("tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    list.filter_map(|tool| {
        let name = tool.get("name")?.as_str()?.to_owned();
        let schema = tool.get("input_schema")?.clone();
        Some(Tool { name, schema })
    })
    .collect()
}

fn choice(request: &Value, tools: &[Tool]) -> Result<Choice, Refusal> {
    let Some(choice) = request.get("tool_choice").filter(|c| !c.is_null()) else {
        return Ok(Choice::Auto);
    };
    match choice.get("type").and_then(Value::as_str) {
        Some("auto") => Ok(Choice::Auto),
        Some("none") => Ok(Choice::None),
        Some("any") => Ok(Choice::Required),
        Some("tool") => {
            let name = choice
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if tools.iter().any(|tool| tool.name == name) {
                Ok(Choice::Named(name.to_owned()))
            } else {
                Err(Refusal::new(
                    "tool_choice",
                    format!("tool_choice: Tool '{name}' not found in provided tools"),
                ))
            }
        }
        _ => Err(Refusal::new(
            "tool_choice",
            "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'",
        )),
    }
}

/// `output_config.format`, or `output_format` as it was called before.
fn format(request: &Value) -> Format {
    let format = request
        .pointer("/output_config/format")
        .or(request.get("output_format"));
    match format.and_then(|f| f.get("schema")) {
        Some(schema) => Format::Schema(schema.clone()),
        None => Format::Text,
    }
}
