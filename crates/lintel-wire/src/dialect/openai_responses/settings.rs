//! Reads the members of a request that have a form of their own: tools and their choice, the text's format, how much
//! to reason, what to include.

use lintel_types::Error;
use lintel_types::canon::{
    At, Depth, Format, FunctionTool, JsonSchema, RawJson, ReasoningAsk, Request, Set, Tool,
    ToolChoice, ToolKind,
};

use super::request::extra;
use crate::dialect::unsaid;
use crate::json::{Kind, Node, write};
use crate::provider::OPENAI;
use crate::surface::bad_field;

/// The value of `include` that asks for log probabilities, which have a canonical word.
pub(super) const LOGPROBS: &str = "message.output_text.logprobs";

fn text_of(node: Node<'_>, key: &str) -> Option<String> {
    node.get(key)?.text().map(|t| t.into_owned())
}

fn raw_of(node: Node<'_>, key: &str) -> Option<RawJson> {
    let value = node.get(key).filter(|v| !v.is_null())?;
    Some(RawJson::new(value.raw()))
}

pub(super) fn tools(value: Node<'_>) -> Result<Vec<Tool>, Error> {
    if value.kind() != Kind::Array {
        return Err(bad_field("$.tools", "an array"));
    }
    let read = |(i, tool): (usize, Node<'_>)| {
        let at = At::new("$.tools").index(i);
        Ok(Tool {
            kind: tool_kind(tool, &at)?,
            cache: None,
            at,
        })
    };
    value.items().enumerate().map(read).collect()
}

/// What functions have beyond what the canonical form has words for.
pub(super) fn unsaid_of_tools(value: Node<'_>, request: &mut Request) {
    const KNOWN: &[&str] = &["type", "name", "description", "parameters", "strict"];
    for (node, tool) in value.items().zip(&request.tools) {
        if matches!(tool.kind, ToolKind::Function(_)) {
            unsaid::members(node, &tool.at, KNOWN, OPENAI, &mut request.extras);
        }
    }
}

fn tool_kind(tool: Node<'_>, at: &At) -> Result<ToolKind, Error> {
    let kind = text_of(tool, "type")
        .ok_or_else(|| bad_field(at.key("type").as_str(), "present: the kind of tool"))?;
    if kind != "function" {
        return Ok(ToolKind::Opaque {
            kind,
            protocol: OPENAI,
            raw: RawJson::new(tool.raw()),
        });
    }
    let name = text_of(tool, "name")
        .ok_or_else(|| bad_field(at.key("name").as_str(), "present: the function's name"))?;
    Ok(ToolKind::Function(FunctionTool {
        name,
        description: text_of(tool, "description"),
        parameters: raw_of(tool, "parameters"),
        strict: tool.get("strict").and_then(|s| s.bool()),
    }))
}

pub(super) fn choice(value: Node<'_>, request: &mut Request) -> Result<(), Error> {
    let choice = match value.kind() {
        Kind::String => word_choice(value),
        Kind::Object => match text_of(value, "type").as_deref() {
            Some("function") => text_of(value, "name").map(ToolChoice::Named),
            Some("allowed_tools") => among(value),
            Some(_) => None,
            None => return Err(bad_field("$.tool_choice.type", "present")),
        },
        _ => return Err(bad_field("$.tool_choice", "a string or an object")),
    };
    match choice {
        Some(choice) => request.tool_choice = Some(Set::new(choice, "$.tool_choice")),
        // A tool of the provider's own.
        None => extra(request, "tool_choice", value),
    }
    Ok(())
}

fn word_choice(value: Node<'_>) -> Option<ToolChoice> {
    match value.text().as_deref() {
        Some("auto") => Some(ToolChoice::Auto),
        Some("none") => Some(ToolChoice::None),
        Some("required") => Some(ToolChoice::Required),
        _ => None,
    }
}

/// Some functions of many; none when other kinds of tools are among them.
fn among(value: Node<'_>) -> Option<ToolChoice> {
    let tools = value.get("tools")?;
    let name = |tool: Node<'_>| {
        let function = text_of(tool, "type").as_deref() == Some("function");
        function.then(|| text_of(tool, "name")).flatten()
    };
    Some(ToolChoice::Among {
        names: tools.items().map(name).collect::<Option<_>>()?,
        required: text_of(value, "mode").as_deref() == Some("required"),
    })
}

pub(super) fn text(value: Node<'_>, request: &mut Request) -> Result<(), Error> {
    for (key, value) in value.members().filter(|(_, v)| !v.is_null()) {
        match &*key {
            "format" => {
                request.settings.format = Some(Set::new(format(value)?, "$.text.format"));
            }
            "verbosity" => {
                let word = value
                    .text()
                    .ok_or_else(|| bad_field("$.text.verbosity", "a string"))?;
                request.settings.verbosity = Some(Set::new(word.into_owned(), "$.text.verbosity"));
            }
            _ => extra(request, &format!("text.{key}"), value),
        }
    }
    Ok(())
}

fn format(value: Node<'_>) -> Result<Format, Error> {
    match text_of(value, "type").as_deref() {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::JsonObject),
        Some("json_schema") => Ok(Format::JsonSchema(JsonSchema {
            name: text_of(value, "name"),
            description: text_of(value, "description"),
            schema: raw_of(value, "schema")
                .ok_or_else(|| bad_field("$.text.format.schema", "present: a JSON schema"))?,
            strict: value.get("strict").and_then(|s| s.bool()),
        })),
        _ => Err(bad_field(
            "$.text.format.type",
            "`text`, `json_object` or `json_schema`",
        )),
    }
}

pub(super) fn reasoning(value: Node<'_>, request: &mut Request) -> Result<(), Error> {
    if value.kind() != Kind::Object {
        return Err(bad_field("$.reasoning", "an object"));
    }
    let mut ask = ReasoningAsk {
        depth: None,
        show: None,
        summary: None,
    };
    let mut said = false;
    for (key, value) in value.members().filter(|(_, v)| !v.is_null()) {
        match (&*key, value.text()) {
            ("effort", Some(word)) => ask.depth = Some(depth(&word)),
            // The older word for it is `generate_summary`.
            ("summary" | "generate_summary", Some(word)) => {
                ask.show = Some(true);
                ask.summary = Some(word.into_owned());
            }
            _ => {
                extra(request, &format!("reasoning.{key}"), value);
                continue;
            }
        }
        said = true;
    }
    if said {
        request.settings.reasoning = Some(Set::new(ask, "$.reasoning"));
    }
    Ok(())
}

fn depth(word: &str) -> Depth {
    match word {
        "none" => Depth::Off,
        word => Depth::Effort(word.to_owned()),
    }
}

pub(super) fn include(value: Node<'_>, request: &mut Request) -> Result<(), Error> {
    if value.kind() != Kind::Array {
        return Err(bad_field("$.include", "an array of strings"));
    }
    let mut rest = String::new();
    let mut left = false;
    write::array(&mut rest, |a| {
        for item in value.items() {
            if item.text().as_deref() == Some(LOGPROBS) {
                request.settings.logprobs = Some(Set::new(true, "$.include"));
            } else {
                a.raw(item.raw());
                left = true;
            }
        }
    });
    if left {
        request.extras.push(lintel_types::canon::Extra {
            key: "include".into(),
            at: At::new("$.include"),
            protocol: OPENAI,
            value: RawJson::new(rest),
        });
    }
    Ok(())
}
