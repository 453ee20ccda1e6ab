//! Tools and which of them must or may be called.

use lintel_types::Error;
use lintel_types::canon::{
    At, Extra, FunctionTool, RawJson, Request, Set, Tool, ToolChoice, ToolKind,
};

use super::request::extra;
use super::schema;
use crate::dialect::Notes;
use crate::json::Node;
use crate::json::write::{self, Array, Object};
use crate::provider::GEMINI;
use crate::surface::bad_field;
use crate::surface::gemini_generate::{get, is, list};

const CHOICE_AT: &str = "$.toolConfig.functionCallingConfig";

/// Reads `tools`. One of Google's tools may hold many functions, and a server-side tool beside them.
pub(super) fn read(tools: Node<'_>, request: &mut Request) -> Result<(), Error> {
    for (i, tool) in list(tools).enumerate() {
        let at = At::new("$.tools").index(i);
        for (key, value) in tool.members().filter(|(_, v)| !v.is_null()) {
            if is(&key, "functionDeclarations") {
                let place = at.key("functionDeclarations");
                for (j, node) in list(value).enumerate() {
                    request.tools.push(function(node, place.index(j))?);
                }
            } else {
                request.tools.push(opaque(&key, value, &at));
            }
        }
    }
    Ok(())
}

fn opaque(key: &str, value: Node<'_>, at: &At) -> Tool {
    let mut raw = String::new();
    write::object(&mut raw, |o| {
        o.raw(key, value.raw());
    });
    Tool {
        kind: ToolKind::Opaque {
            kind: key.to_owned(),
            protocol: GEMINI,
            raw: RawJson::new(raw),
        },
        cache: None,
        at: at.key(key),
    }
}

fn function(node: Node<'_>, at: At) -> Result<Tool, Error> {
    let text = |key| {
        get(node, key)
            .and_then(|n| n.text())
            .map(|t| t.into_owned())
    };
    // Without a name nobody could call it, and no other protocol takes it.
    let name = text("name").filter(|n| !n.is_empty());
    let name = name.ok_or_else(|| bad_field(at.key("name").as_str(), "the function's name"))?;
    let json_schema = get(node, "parametersJsonSchema").filter(|s| !s.is_null());
    let parameters = match json_schema {
        Some(schema) => Some(RawJson::new(schema.raw())),
        None => get(node, "parameters")
            .filter(|s| !s.is_null())
            .map(schema::of_openapi),
    };
    Ok(Tool {
        kind: ToolKind::Function(FunctionTool {
            name,
            description: text("description"),
            parameters,
            strict: None,
        }),
        cache: None,
        at,
    })
}

/// Reads `toolConfig`.
pub(super) fn read_config(config: Node<'_>, request: &mut Request) {
    for (key, value) in config.members().filter(|(_, v)| !v.is_null()) {
        if is(&key, "functionCallingConfig") {
            request.tool_choice = choice(value).map(|c| Set::new(c, CHOICE_AT));
        } else {
            request
                .extras
                .push(extra(&format!("toolConfig.{key}"), value));
        }
    }
}

fn choice(config: Node<'_>) -> Option<ToolChoice> {
    let names = get(config, "allowedFunctionNames");
    let mut names: Vec<String> = names
        .iter()
        .flat_map(Node::items)
        .filter_map(|n| n.text())
        .map(|n| n.into_owned())
        .collect();
    let mode = get(config, "mode").and_then(|m| m.text());
    let mode = mode.as_deref().map(str::to_ascii_uppercase);
    Some(match mode.as_deref() {
        Some("NONE") => ToolChoice::None,
        Some("ANY") if names.is_empty() => ToolChoice::Required,
        Some("ANY") if names.len() == 1 => ToolChoice::Named(names.swap_remove(0)),
        required if !names.is_empty() => ToolChoice::Among {
            names,
            required: required == Some("ANY"),
        },
        // `VALIDATED` leaves the choice to the model too; what it adds is how closely schemas are kept.
        Some(_) => ToolChoice::Auto,
        None => return None,
    })
}

/// Writes `tools`, functions that follow one another together.
pub(super) fn write(tools: &[Tool], o: &mut Object<'_>, notes: &mut Notes) {
    let mut out = String::new();
    let mut empty = true;
    write::array(&mut out, |a| {
        let mut rest = tools;
        while let Some((first, tail)) = rest.split_first() {
            match &first.kind {
                ToolKind::Opaque { protocol, raw, .. } if *protocol == GEMINI => {
                    a.raw(raw.as_str());
                    rest = tail;
                }
                ToolKind::Opaque { .. } => {
                    notes.drop(&first.at);
                    rest = tail;
                }
                ToolKind::Function(_) => {
                    let is_function = |t: &&Tool| matches!(t.kind, ToolKind::Function(_));
                    let many = rest.iter().take_while(is_function).count();
                    let (functions, others) = rest.split_at(many);
                    a.object(|o| {
                        o.array("functionDeclarations", |d| {
                            functions.iter().for_each(|f| declare(f, d, notes));
                        });
                    });
                    rest = others;
                }
            }
        }
        empty = a.is_empty();
    });
    if !empty {
        o.raw("tools", &out);
    }
}

fn declare(tool: &Tool, out: &mut Array<'_>, notes: &mut Notes) {
    let ToolKind::Function(function) = &tool.kind else {
        return;
    };
    if tool.cache.is_some() {
        notes.drop(&tool.at.key("cache_control"));
    }
    if function.strict == Some(true) {
        notes.drop(&tool.at.key("strict"));
    }
    out.object(|o| {
        o.str("name", &function.name)
            .str_if("description", function.description.as_deref());
        if let Some(schema) = &function.parameters {
            o.raw("parametersJsonSchema", schema.as_str());
        }
    });
}

/// Writes `toolConfig`.
pub(super) fn write_config(choice: Option<&ToolChoice>, extras: &[&Extra], o: &mut Object<'_>) {
    if choice.is_none() && extras.is_empty() {
        return;
    }
    o.object("toolConfig", |config| {
        if let Some(choice) = choice {
            config.object("functionCallingConfig", |c| write_choice(choice, c));
        }
        for extra in extras {
            let key = extra.key.rsplit('.').next().unwrap_or_default();
            config.raw(key, extra.value.as_str());
        }
    });
}

fn write_choice(choice: &ToolChoice, o: &mut Object<'_>) {
    let (mode, names): (_, &[String]) = match choice {
        ToolChoice::Auto => ("AUTO", &[]),
        ToolChoice::None => ("NONE", &[]),
        ToolChoice::Required => ("ANY", &[]),
        ToolChoice::Named(name) => ("ANY", std::slice::from_ref(name)),
        ToolChoice::Among {
            names,
            required: true,
        } => ("ANY", names),
        // Names are allowed in this mode and in `ANY` alone.
        ToolChoice::Among { names, .. } => ("VALIDATED", names),
    };
    o.str("mode", mode);
    if !names.is_empty() {
        o.array("allowedFunctionNames", |a| {
            names.iter().for_each(|n| {
                a.str(n);
            });
        });
    }
}
