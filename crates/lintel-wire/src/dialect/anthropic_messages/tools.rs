//! Tools, the choice among them, and the shape of the answer: one decision, because a schema that the model
//! can't be given otherwise becomes a tool that it must call.

use std::borrow::Cow;

use lintel_types::canon::{
    Format, FunctionTool, JsonSchema, Request, Set, Tool, ToolChoice, ToolKind,
};

use super::super::{JSON_TOOL, Notes};
use super::models::Model;
use super::schema::{self, Enforced};
use super::write_block::cache;
use crate::json::write::Object;
use crate::provider::ANTHROPIC;

/// What is written of tools and formats.
#[derive(Debug, Default)]
pub(super) struct Toolbox<'r> {
    tools: Vec<&'r Tool>,
    answer: Option<Answer<'r>>,
    choice: Option<Choice<'r>>,
    serial: Option<bool>,
    /// The schema that the API itself enforces.
    pub(super) format: Option<Cow<'r, str>>,
    /// Tools that have `strict` written, by address in `tools`.
    strict: bool,
}

/// The tool that stands in for a format.
#[derive(Debug)]
struct Answer<'r> {
    schema: Cow<'r, str>,
    description: Option<&'r str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice<'r> {
    Auto,
    Any,
    None,
    Tool(&'r str),
}

impl Choice<'_> {
    fn forces(self) -> bool {
        matches!(self, Choice::Any | Choice::Tool(_))
    }
}

/// What is written of the tools of `request` for `model`.
pub(super) fn plan<'r>(request: &'r Request, model: &Model, notes: &mut Notes) -> Toolbox<'r> {
    let mut tools = Toolbox {
        tools: request.tools.iter().filter(|t| known(t, notes)).collect(),
        strict: model.schema,
        ..Toolbox::default()
    };
    if let Some(choice) = &request.tool_choice {
        tools.choose(choice, model, notes);
    }
    if let Some(format) = &request.settings.format {
        tools.shape(format, model, notes);
    }
    tools.name_lost_strictness(notes);
    if tools.tools.is_empty() && tools.answer.is_none() {
        if let (Some(choice), Some(set)) = (tools.choice, &request.tool_choice)
            && choice.forces()
        {
            notes.drop_path(set.at);
        }
        tools.choice = None;
    } else {
        tools.serial = request.settings.parallel_tools.as_ref().map(|p| !p.value);
    }
    tools
}

/// Whether this API knows the kind of `tool`.
fn known(tool: &Tool, notes: &mut Notes) -> bool {
    let known = match &tool.kind {
        ToolKind::Function(f) => schema::input(parameters(f)).is_some(),
        ToolKind::Opaque { protocol, .. } => *protocol == ANTHROPIC,
    };
    if !known {
        notes.drop(&tool.at);
    }
    known
}

fn parameters(function: &FunctionTool) -> Option<&str> {
    function.parameters.as_ref().map(|p| p.as_str())
}

fn called(tool: &Tool, names: &[String]) -> bool {
    matches!(&tool.kind, ToolKind::Function(f) if names.contains(&f.name))
}

impl<'r> Toolbox<'r> {
    fn choose(&mut self, set: &'r Set<ToolChoice>, model: &Model, notes: &mut Notes) {
        let choice = match &set.value {
            ToolChoice::Auto => Choice::Auto,
            ToolChoice::None => Choice::None,
            ToolChoice::Required => Choice::Any,
            ToolChoice::Named(name) => Choice::Tool(name),
            ToolChoice::Among { names, required } => {
                // There is no choice of several: only they are offered.
                notes.emulate(set.at);
                self.tools.retain(|t| called(t, names));
                if *required { Choice::Any } else { Choice::Auto }
            }
        };
        self.choice = Some(choice);
        if choice.forces() && !model.forced {
            notes.emulate(set.at);
            if let ToolChoice::Named(name) = &set.value {
                self.tools.retain(|t| called(t, std::slice::from_ref(name)));
            }
            self.choice = Some(Choice::Auto);
        }
    }

    fn shape(&mut self, set: &'r Set<Format>, model: &Model, notes: &mut Notes) {
        let schema = match &set.value {
            Format::Text => return,
            Format::JsonObject => None,
            Format::JsonSchema(schema) => Some(schema),
        };
        let enforced = match schema {
            Some(schema) if model.schema => schema::enforced(schema.schema.as_str()),
            _ => Enforced::Open,
        };
        let words = schema.map(|s: &JsonSchema| s.schema.as_str());
        let description = schema.and_then(|s| s.description.as_deref());
        match enforced {
            Enforced::AsItIs => {
                if description.is_some() {
                    notes.emulate(set.at);
                }
                self.format = words.map(Cow::Borrowed);
            }
            Enforced::Nearly(words) => {
                notes.emulate(set.at);
                self.format = Some(Cow::Owned(words));
            }
            Enforced::Open => {
                let input = schema::input(Some(words.unwrap_or(r#"{"type":"object"}"#)));
                let demanded = self.choice.is_some_and(Choice::forces);
                match input.filter(|_| model.forced && !demanded) {
                    Some(schema) => {
                        notes.emulate(set.at);
                        self.answer_by_tool(Answer {
                            schema,
                            description,
                        });
                    }
                    // Not an object, or tools can't be forced, or another tool is: then there is no way.
                    None => notes.drop_path(set.at),
                }
            }
        }
    }

    /// The answer comes as the call of a tool. Other tools may be called instead, unless the client said none.
    fn answer_by_tool(&mut self, answer: Answer<'r>) {
        let alone = self.tools.is_empty() || self.choice == Some(Choice::None);
        self.choice = Some(if alone {
            Choice::Tool(JSON_TOOL)
        } else {
            Choice::Any
        });
        self.answer = Some(answer);
    }

    fn name_lost_strictness(&self, notes: &mut Notes) {
        for tool in &self.tools {
            if let ToolKind::Function(f) = &tool.kind
                && f.strict == Some(true)
                && !self.writes_strict(f)
            {
                notes.drop(&tool.at.key("strict"));
            }
        }
    }

    /// The API refuses `strict` for schemas that aren't closed, older models refuse it altogether.
    fn writes_strict(&self, function: &FunctionTool) -> bool {
        let closed =
            || schema::enforced(parameters(function).unwrap_or_default()) == Enforced::AsItIs;
        self.strict
            && match function.strict {
                Some(true) => closed(),
                strict => strict.is_some(),
            }
    }

    /// Whether the model must call a tool.
    pub(super) fn forces(&self) -> bool {
        self.choice.is_some_and(Choice::forces)
    }

    /// Whether the answer comes as the call of [`JSON_TOOL`].
    pub(super) fn json_tool(&self) -> bool {
        self.answer.is_some()
    }

    /// Writes `tools` and `tool_choice`.
    pub(super) fn write(&self, o: &mut Object<'_>) {
        if self.tools.is_empty() && self.answer.is_none() {
            return;
        }
        o.array("tools", |a| {
            for tool in &self.tools {
                match &tool.kind {
                    ToolKind::Opaque { raw, .. } => {
                        a.raw(raw.as_str());
                    }
                    ToolKind::Function(function) => {
                        a.object(|o| {
                            self.function(function, o);
                            cache(tool.cache.as_ref(), o);
                        });
                    }
                }
            }
            if let Some(answer) = &self.answer {
                a.object(|o| {
                    o.str("name", JSON_TOOL)
                        .str_if("description", answer.description)
                        .raw("input_schema", &answer.schema);
                });
            }
        });
        self.write_choice(o);
    }

    fn function(&self, function: &FunctionTool, o: &mut Object<'_>) {
        let input = schema::input(parameters(function)).unwrap_or_default();
        o.str("name", &function.name)
            .str_if("description", function.description.as_deref())
            .raw("input_schema", &input);
        if let (Some(strict), true) = (function.strict, self.writes_strict(function)) {
            o.bool("strict", strict);
        }
    }

    fn write_choice(&self, o: &mut Object<'_>) {
        let serial = self.serial.filter(|_| self.choice != Some(Choice::None));
        let choice = match (self.choice, serial) {
            (None, Some(true)) => Choice::Auto,
            (None, _) => return,
            (Some(choice), _) => choice,
        };
        o.object("tool_choice", |o| {
            match choice {
                Choice::Auto => o.str("type", "auto"),
                Choice::Any => o.str("type", "any"),
                Choice::None => o.str("type", "none"),
                Choice::Tool(name) => o.str("type", "tool").str("name", name),
            };
            if let Some(serial) = serial {
                o.bool("disable_parallel_tool_use", serial);
            }
        });
    }
}
