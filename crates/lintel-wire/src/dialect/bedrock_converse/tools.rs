//! Tools and the choice among them, both ways.

use lintel_types::Error;
use lintel_types::canon::{
    At, FunctionTool, JsonSchema, PartKind, RawJson, Request, Set, Tool, ToolChoice, ToolKind,
};

use super::block::cache_point;
use super::model::Model;
use super::part::Blocks;
use super::request::keep;
use crate::dialect::{JSON_TOOL, Notes};
use crate::json::write::Object;
use crate::json::{Kind, Node};
use crate::provider::BEDROCK;
use crate::surface::bad_field;

/// A function without arguments.
const NO_ARGUMENTS: &str = r#"{"type":"object","properties":{}}"#;

/// Reads `toolConfig`.
pub(super) fn decode(value: Node<'_>, request: &mut Request) -> Result<(), Error> {
    let list = value.get("tools").filter(|t| !t.is_null());
    if list.is_some_and(|t| t.kind() != Kind::Array) {
        return Err(bad_field("$.toolConfig.tools", "an array of tools"));
    }
    for (index, tool) in list.iter().flat_map(Node::items).enumerate() {
        match (cache_point(tool), request.tools.last_mut()) {
            (Some(mark), Some(before)) if before.cache.is_none() => before.cache = Some(mark),
            _ => request.tools.push(read(tool, index)),
        }
    }
    let choice = value.get("toolChoice").and_then(choice);
    request.tool_choice = choice.map(|c| Set::new(c, "$.toolConfig.toolChoice"));
    keep(request, "toolConfig", value, &["tools", "toolChoice"]);
    Ok(())
}

fn read(tool: Node<'_>, index: usize) -> Tool {
    let function = tool.get("toolSpec").and_then(|spec| {
        let text = |key: &str| spec.get(key).and_then(|t| t.text());
        Some(FunctionTool {
            name: text("name")?.into_owned(),
            description: text("description").map(|t| t.into_owned()),
            parameters: spec
                .at(&["inputSchema", "json"])
                .map(|s| RawJson::new(s.raw())),
            strict: spec.get("strict").and_then(|s| s.bool()),
        })
    });
    let kind = function.map_or_else(
        || {
            let key = tool.members().next().map(|(key, _)| key.into_owned());
            ToolKind::Opaque {
                kind: key.unwrap_or_default(),
                protocol: BEDROCK,
                raw: RawJson::new(tool.raw()),
            }
        },
        ToolKind::Function,
    );
    Tool {
        kind,
        cache: None,
        at: At::new("$.toolConfig.tools").index(index),
    }
}

fn choice(value: Node<'_>) -> Option<ToolChoice> {
    let (key, inner) = value.members().next()?;
    match &*key {
        "auto" => Some(ToolChoice::Auto),
        "any" => Some(ToolChoice::Required),
        "tool" => Some(ToolChoice::Named(inner.get("name")?.text()?.into_owned())),
        _ => None,
    }
}

/// What of the tools is to be written.
pub(super) struct Plan<'r> {
    /// Tools that are offered.
    tools: Vec<&'r Tool>,
    /// Names of tools that are only in the conversation so far: it is refused where they aren't declared.
    declared: Vec<&'r str>,
    /// The schema of the answer, where a tool stands in for it.
    pub(super) json: Option<&'r JsonSchema>,
    choice: Choice<'r>,
}

enum Choice<'r> {
    /// Left to the default, which is `auto`.
    Unsaid,
    Auto,
    Any,
    Tool(&'r str),
}

impl<'r> Plan<'r> {
    /// Decides which tools are written. `json` is a schema that only a tool can ask for.
    pub(super) fn of(
        request: &'r Request,
        json: Option<&'r JsonSchema>,
        notes: &mut Notes,
    ) -> Self {
        let called = called(request);
        let mut tools: Vec<&Tool> = request.tools.iter().collect();
        let mut choice = Choice::Unsaid;
        if let Some(set) = &request.tool_choice {
            match &set.value {
                ToolChoice::Auto => choice = Choice::Auto,
                ToolChoice::Required => choice = Choice::Any,
                ToolChoice::Named(name) => choice = Choice::Tool(name),
                // There is no such word. Without tools nothing can be called; but a conversation that has
                // calls in it must declare them.
                ToolChoice::None if called.is_empty() => {
                    tools.clear();
                    notes.emulate(set.at);
                }
                ToolChoice::None => notes.drop_path(set.at),
                ToolChoice::Among { names, required } => {
                    tools.retain(
                        |t| !matches!(&t.kind, ToolKind::Function(f) if !names.contains(&f.name)),
                    );
                    choice = if *required { Choice::Any } else { Choice::Auto };
                    notes.emulate(set.at);
                }
            }
        }
        // A call that must be made anyway leaves no room for a text with a schema.
        let json = json.filter(|_| !matches!(choice, Choice::Tool(_)));
        if json.is_some() {
            choice = match tools.is_empty() {
                true => Choice::Tool(JSON_TOOL),
                false => Choice::Any,
            };
        }
        let offered = |name: &str| {
            let mut all = tools.iter();
            all.any(|t| matches!(&t.kind, ToolKind::Function(f) if f.name == name))
        };
        let mut declared = Vec::new();
        if tools.is_empty() && json.is_none() {
            for (name, at) in called.into_iter().filter(|(name, _)| !offered(name)) {
                notes.emulate(at);
                declared.push(name);
            }
        }
        Self {
            tools,
            declared,
            json,
            choice,
        }
    }

    /// Whether a call is demanded.
    pub(super) fn forces(&self) -> bool {
        matches!(self.choice, Choice::Any | Choice::Tool(_)) && !self.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.tools.is_empty() && self.declared.is_empty() && self.json.is_none()
    }

    /// Writes the members of `toolConfig`.
    pub(super) fn write(&self, o: &mut Object<'_>, model: Model<'_>, notes: &mut Notes) {
        let mut list = Blocks::default();
        for tool in &self.tools {
            write_tool(tool, &mut list, model, notes);
        }
        for name in &self.declared {
            list.add(|o| {
                spec(o, name, None, NO_ARGUMENTS, false);
            });
        }
        if let Some(json) = self.json {
            list.add(|o| {
                let about = json.description.as_deref();
                spec(o, JSON_TOOL, about, json.schema.as_str(), false);
            });
        }
        if list.is_empty() {
            return;
        }
        o.raw("tools", &list.json());
        let (key, name) = match self.choice {
            Choice::Unsaid => return,
            Choice::Auto => ("auto", None),
            Choice::Any => ("any", None),
            Choice::Tool(name) => ("tool", Some(name)),
        };
        o.object("toolChoice", |o| {
            o.object(key, |o| {
                o.str_if("name", name);
            });
        });
    }
}

/// Names of the tools that the conversation has called, each once, with the place of its first call.
fn called(request: &Request) -> Vec<(&str, &str)> {
    let mut called: Vec<(&str, &str)> = Vec::new();
    for part in request.messages.iter().flat_map(|m| &m.parts) {
        if let PartKind::ToolCall(call) = &part.kind
            && !called.iter().any(|(name, _)| *name == call.name)
        {
            called.push((&call.name, part.at.as_str()));
        }
    }
    called
}

fn write_tool(tool: &Tool, list: &mut Blocks, model: Model<'_>, notes: &mut Notes) {
    match &tool.kind {
        ToolKind::Function(f) => {
            let about = f.description.as_deref().filter(|d| !d.is_empty());
            let schema = f.parameters.as_ref().map_or(NO_ARGUMENTS, RawJson::as_str);
            let strict = f.strict == Some(true);
            if strict && !model.takes_schema() {
                notes.drop(&tool.at.key("strict"));
            }
            list.add(|o| spec(o, &f.name, about, schema, strict && model.takes_schema()));
        }
        ToolKind::Opaque { protocol, raw, .. } if *protocol == BEDROCK => {
            list.add_raw(raw.as_str())
        }
        ToolKind::Opaque { .. } => return notes.drop(&tool.at),
    }
    list.mark(tool.cache.as_ref(), &tool.at, model, notes);
}

fn spec(o: &mut Object<'_>, name: &str, about: Option<&str>, schema: &str, strict: bool) {
    o.object("toolSpec", |o| {
        o.str("name", name).str_if("description", about);
        o.object("inputSchema", |o| {
            o.raw("json", schema);
        });
        if strict {
            o.bool("strict", true);
        }
    });
}
