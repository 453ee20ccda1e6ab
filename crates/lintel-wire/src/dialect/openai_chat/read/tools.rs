//! Tools and which of them to call, in today's words and in the older `functions`.

use lintel_types::Error;
use lintel_types::canon::{At, FunctionTool, RawJson, Tool, ToolChoice, ToolKind};

use super::{parts, said};
use crate::json::{Kind, Node};
use crate::provider::OPENAI;
use crate::surface::bad_field;

/// Reads `tools`.
pub(super) fn tools(list: Node<'_>) -> Result<Vec<Tool>, Error> {
    read(list, &At::new("$.tools"), tool)
}

/// Reads the older `functions`.
pub(super) fn functions(list: Node<'_>) -> Result<Vec<Tool>, Error> {
    read(list, &At::new("$.functions"), |node, at| {
        let kind = ToolKind::Function(function(node, &at)?);
        Ok(Tool {
            kind,
            cache: None,
            at,
        })
    })
}

fn read(
    list: Node<'_>,
    at: &At,
    one: impl Fn(Node<'_>, At) -> Result<Tool, Error>,
) -> Result<Vec<Tool>, Error> {
    if list.kind() != Kind::Array {
        return Err(bad_field(at.as_str(), "an array"));
    }
    let nodes = list.items().enumerate();
    nodes.map(|(i, node)| one(node, at.index(i))).collect()
}

fn tool(node: Node<'_>, at: At) -> Result<Tool, Error> {
    let kind = said(node, "type").unwrap_or_else(|| "function".into());
    let kind = if kind == "function" {
        let key = at.key("function");
        let inside = node.get("function").filter(|f| f.kind() == Kind::Object);
        let inside = inside.ok_or_else(|| bad_field(key.as_str(), "an object"))?;
        ToolKind::Function(function(inside, &key)?)
    } else {
        ToolKind::Opaque {
            kind: kind.into_owned(),
            protocol: OPENAI,
            raw: RawJson::new(node.raw()),
        }
    };
    Ok(Tool {
        kind,
        cache: parts::cache(node),
        at,
    })
}

fn function(node: Node<'_>, at: &At) -> Result<FunctionTool, Error> {
    let name = said(node, "name");
    let name = name.ok_or_else(|| bad_field(at.key("name").as_str(), "the function's name"))?;
    let parameters = node.get("parameters").filter(|p| !p.is_null());
    Ok(FunctionTool {
        name: name.into_owned(),
        description: node
            .get("description")
            .and_then(|d| d.text())
            .map(|d| d.into_owned()),
        parameters: parameters.map(|p| RawJson::new(p.raw())),
        strict: node.get("strict").and_then(|s| s.bool()),
    })
}

/// Reads `tool_choice`; none when it is of a kind that isn't known.
pub(super) fn choice(node: Node<'_>) -> Option<ToolChoice> {
    if let Some(word) = node.text() {
        return Some(match &*word {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            // `any` is Mistral's word.
            "required" | "any" => ToolChoice::Required,
            _ => return None,
        });
    }
    if let Some(name) = named(node) {
        return Some(ToolChoice::Named(name));
    }
    let allowed = node.get("allowed_tools")?;
    let tools = allowed.get("tools")?;
    Some(ToolChoice::Among {
        names: tools.items().filter_map(named).collect(),
        required: said(allowed, "mode").as_deref() == Some("required"),
    })
}

/// `{"type":"function","function":{"name":…}}`, the same for custom tools, without the type, or only the name.
fn named(node: Node<'_>) -> Option<String> {
    let inside = node.get("function").or_else(|| node.get("custom"));
    let name = said(inside.unwrap_or(node), "name");
    name.map(|n| n.into_owned())
}
