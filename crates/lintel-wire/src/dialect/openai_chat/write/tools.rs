//! Tools and which of them to call.

use lintel_types::canon::{FunctionTool, Request, Set, Tool, ToolChoice, ToolKind};

use super::super::super::{Notes, Target};
use super::super::terms;
use super::parts;
use crate::hosts::Host;
use crate::json;
use crate::json::write::{self, Array, Object};
use crate::provider::OPENAI;

/// Tools that OpenAI runs itself, in its other dialect only.
const HOSTED: &[&str] = &[
    "apply_patch",
    "code_interpreter",
    "computer",
    "computer_use_preview",
    "file_search",
    "image_generation",
    "local_shell",
    "mcp",
    "namespace",
    "shell",
    "tool_search",
    "web_search",
    "web_search_preview",
];

/// Writes `tools`, `tool_choice` and `parallel_tool_calls`. The latter two are refused without tools.
pub(super) fn write(o: &mut Object<'_>, request: &Request, target: &Target<'_>, notes: &mut Notes) {
    let host = target.host;
    let choice = request.tool_choice.as_ref();
    // Who can't be told which tools are allowed gets no others.
    let only = choice
        .and_then(|c| match &c.value {
            ToolChoice::Among { names, .. } => Some((names, c.at)),
            _ => None,
        })
        .filter(|_| !terms::is_openai(host));
    let mut list = String::new();
    write::array(&mut list, |a| {
        for tool in &request.tools {
            match only {
                Some((names, at)) if !name_of(tool).is_some_and(|n| names.contains(&n)) => {
                    notes.emulate(at);
                }
                _ => one(a, tool, host, notes),
            }
        }
    });
    let parallel = request.settings.parallel_tools.as_ref();
    if list == "[]" {
        let paths = [choice.map(|c| c.at), parallel.map(|p| p.at)];
        paths.iter().flatten().for_each(|at| notes.drop_path(at));
        return;
    }
    o.raw("tools", &list);
    if let Some(choice) = choice {
        self::choice(o, choice, request, host, notes);
    }
    if let Some(parallel) = parallel {
        o.bool("parallel_tool_calls", parallel.value);
    }
}

/// The name by which a tool is chosen.
fn name_of(tool: &Tool) -> Option<String> {
    match &tool.kind {
        ToolKind::Function(function) => Some(function.name.clone()),
        ToolKind::Opaque { raw, .. } => {
            let node = json::parse(raw.as_str().as_bytes()).ok()?;
            let name = node.at(&["custom", "name"]).or_else(|| node.get("name"));
            name?.text().map(|n| n.into_owned())
        }
    }
}

fn one(a: &mut Array<'_>, tool: &Tool, host: &Host, notes: &mut Notes) {
    match &tool.kind {
        ToolKind::Function(function) => {
            a.object(|o| {
                o.str("type", "function")
                    .object("function", |o| inside(o, function));
                parts::cache(o, tool.cache.as_ref(), &tool.at, host, notes);
            });
        }
        ToolKind::Opaque {
            kind,
            protocol,
            raw,
        } if *protocol == OPENAI && !HOSTED.contains(&kind.as_str()) => {
            match custom(kind, raw.as_str()) {
                Some(nested) => a.raw(&nested),
                None => a.raw(raw.as_str()),
            };
        }
        ToolKind::Opaque { .. } => notes.drop(&tool.at),
    }
}

fn inside(o: &mut Object<'_>, function: &FunctionTool) {
    o.str("name", &function.name)
        .str_if("description", function.description.as_deref());
    if let Some(parameters) = &function.parameters {
        o.raw("parameters", parameters.as_str());
    }
    if let Some(strict) = function.strict {
        o.bool("strict", strict);
    }
}

/// A custom tool as OpenAI's other dialect writes it, flat, in the nested form of this one.
fn custom(kind: &str, raw: &str) -> Option<String> {
    let node = json::parse(raw.as_bytes()).ok()?;
    if kind != "custom" || node.get("custom").is_some() {
        return None;
    }
    let mut out = String::new();
    write::object(&mut out, |o| {
        o.str("type", "custom").object("custom", |o| {
            for (key, value) in node.members().filter(|(k, _)| k != "type") {
                match (&*key, value.get("syntax")) {
                    // The grammar is nested once more.
                    ("format", Some(_)) => o.object("format", |o| grammar(o, value)),
                    _ => o.raw(&key, value.raw()),
                };
            }
        });
    });
    Some(out)
}

fn grammar(o: &mut Object<'_>, format: json::Node<'_>) {
    o.str("type", "grammar").object("grammar", |o| {
        for (key, value) in format.members().filter(|(k, _)| k != "type") {
            o.raw(&key, value.raw());
        }
    });
}

fn choice(
    o: &mut Object<'_>,
    choice: &Set<ToolChoice>,
    request: &Request,
    host: &Host,
    notes: &mut Notes,
) {
    match &choice.value {
        ToolChoice::Auto => o.str("tool_choice", "auto"),
        ToolChoice::None => o.str("tool_choice", "none"),
        ToolChoice::Required => o.str("tool_choice", "required"),
        ToolChoice::Named(name) => o.object("tool_choice", |o| named(o, name, request)),
        ToolChoice::Among { required, .. } if !terms::is_openai(host) => {
            notes.emulate(choice.at);
            o.str("tool_choice", if *required { "required" } else { "auto" })
        }
        ToolChoice::Among { names, required } => o.object("tool_choice", |o| {
            o.str("type", "allowed_tools").object("allowed_tools", |o| {
                o.str("mode", if *required { "required" } else { "auto" })
                    .array("tools", |a| {
                        for name in names {
                            a.object(|o| named(o, name, request));
                        }
                    });
            });
        }),
    };
}

fn named(o: &mut Object<'_>, name: &str, request: &Request) {
    let mut tools = request.tools.iter();
    let tool = tools.find(|t| name_of(t).as_deref() == Some(name));
    let custom = tool.is_some_and(|t| matches!(t.kind, ToolKind::Opaque { .. }));
    let kind = if custom { "custom" } else { "function" };
    o.str("type", kind).object(kind, |o| {
        o.str("name", name);
    });
}
