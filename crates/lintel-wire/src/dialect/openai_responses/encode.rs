//! Writes a request for a target that speaks the Responses dialect: the members of its body. Messages are written in
//! `encode_items`.
//!
//! Always says `"store":false`: what is translated is kept nowhere, also where the client's dialect leaves it open and
//! this one would keep it. Extras of chat completions, whose protocol has the same name, are left out by their keys.

use lintel_types::canon::{
    Depth, Extra, Format, JsonSchema, PartKind, Request, Role, Set, Settings, Tool, ToolChoice,
    ToolKind,
};

use super::encode_items;
use super::settings::LOGPROBS;
use crate::dialect::depth::effort_of;
use crate::dialect::unsaid::is_inner;
use crate::dialect::{Encoded, Notes, Target};
use crate::json::{self, write};
use crate::provider::OPENAI;

/// Members of chat completions that mean nothing, or something else, here.
const CHAT_ONLY: [&str; 17] = [
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "modalities",
    "n",
    "prediction",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "stop",
    "web_search_options",
];

pub(super) fn write(request: &Request, target: &Target<'_>) -> Encoded {
    let mut notes = Notes::default();
    let mut body = String::with_capacity(1024);
    write::object(&mut body, |o| {
        o.str("model", target.model);
        let instructions = instructions(request);
        o.str_if("instructions", instructions);
        let from = usize::from(instructions.is_some());
        let rest = request.messages.get(from..).unwrap_or_default();
        o.array("input", |a| encode_items::write(rest, a, &mut notes));
        if request.stream {
            o.bool("stream", true);
        }
        o.bool("store", false);
        sampling(&request.settings, o, &mut notes);
        text(request, o, &mut notes);
        reasoning(request, o, &mut notes);
        tools(request, o, &mut notes);
        include(request, o);
        extras(&request.extras, o, &mut notes);
    });
    unsayable(&request.settings, &mut notes);
    Encoded {
        body: body.into_bytes(),
        notes,
        json_tool: false,
    }
}

/// The text of a first message that is the application's instructions and nothing else.
pub(super) fn instructions(request: &Request) -> Option<&str> {
    let first = request.messages.first()?;
    match first.parts.as_slice() {
        [part] if first.role == Role::System && first.name.is_none() && part.cache.is_none() => {
            match &part.kind {
                PartKind::Text { text, citations } if citations.is_empty() => Some(text),
                _ => None,
            }
        }
        _ => None,
    }
}

fn sampling(s: &Settings, o: &mut write::Object<'_>, notes: &mut Notes) {
    if let Some(set) = &s.max_output {
        o.int("max_output_tokens", set.value);
    }
    for (key, set) in [("temperature", &s.temperature), ("top_p", &s.top_p)] {
        if let Some(set) = set {
            o.num(key, set.value);
        }
    }
    if let Some(set) = &s.top_logprobs {
        o.int("top_logprobs", set.value);
    }
    if let Some(set) = &s.parallel_tools {
        o.bool("parallel_tool_calls", set.value);
    }
    if let Some(set) = &s.metadata {
        o.raw("metadata", set.value.as_str());
    }
    if let Some(set) = &s.user {
        let newer = set.at.ends_with("safety_identifier");
        o.str(if newer { "safety_identifier" } else { "user" }, &set.value);
    }
    if let Some(set) = &s.service_tier {
        let known = ["auto", "default", "flex", "priority", "scale"];
        if known.contains(&set.value.as_str()) {
            o.str("service_tier", &set.value);
        } else {
            notes.drop_path(set.at);
        }
    }
    if let Some(set) = s.store.as_ref().filter(|set| set.value) {
        notes.drop_path(set.at);
    }
}

/// Names the settings that this dialect has no word for.
fn unsayable(s: &Settings, notes: &mut Notes) {
    let at = |set: Option<&'static str>, notes: &mut Notes| {
        if let Some(at) = set {
            notes.drop_path(at);
        }
    };
    at(s.top_k.as_ref().map(|s| s.at), notes);
    at(s.stop.as_ref().map(|s| s.at), notes);
    at(s.seed.as_ref().map(|s| s.at), notes);
    at(s.presence_penalty.as_ref().map(|s| s.at), notes);
    at(s.frequency_penalty.as_ref().map(|s| s.at), notes);
    at(s.logit_bias.as_ref().map(|s| s.at), notes);
    let several = s.choices.as_ref().filter(|s| s.value != 1);
    at(several.map(|s| s.at), notes);
}

/// Extras inside the member `of`, without its name.
fn inner<'r>(request: &'r Request, of: &'static str) -> impl Iterator<Item = (&'r str, &'r Extra)> {
    let own = request.extras.iter().filter(|e| e.protocol == OPENAI);
    own.filter_map(move |e| Some((e.key.strip_prefix(of)?.strip_prefix('.')?, e)))
}

fn text(request: &Request, o: &mut write::Object<'_>, _notes: &mut Notes) {
    let s = &request.settings;
    if s.format.is_none() && s.verbosity.is_none() && inner(request, "text").next().is_none() {
        return;
    }
    o.object("text", |o| {
        if let Some(set) = &s.format {
            o.object("format", |o| format(&set.value, o));
        }
        o.str_if("verbosity", s.verbosity.as_ref().map(|v| v.value.as_str()));
        for (key, extra) in inner(request, "text") {
            o.raw(key, extra.value.as_str());
        }
    });
}

/// The members of a text format.
pub(super) fn format(format: &Format, o: &mut write::Object<'_>) {
    match format {
        Format::Text => {
            o.str("type", "text");
        }
        Format::JsonObject => {
            o.str("type", "json_object");
        }
        Format::JsonSchema(JsonSchema {
            name,
            description,
            schema,
            strict,
        }) => {
            o.str("type", "json_schema");
            // A name is demanded; it reaches no prompt.
            o.str("name", name.as_deref().unwrap_or("answer"));
            o.str_if("description", description.as_deref());
            o.raw("schema", schema.as_str());
            if let Some(strict) = strict {
                o.bool("strict", *strict);
            }
        }
    }
}

fn reasoning(request: &Request, o: &mut write::Object<'_>, notes: &mut Notes) {
    let ask = request.settings.reasoning.as_ref();
    let (mut effort, mut summary) = (None, None);
    if let Some(Set { value: ask, at }) = ask {
        effort = match &ask.depth {
            None | Some(Depth::Auto) => None,
            Some(Depth::Off) => Some("none"),
            Some(Depth::Effort(word)) => Some(word.as_str()),
            Some(Depth::Budget(budget)) => {
                notes.emulate(at);
                Some(effort_of(*budget))
            }
        };
        let shown = ask.show == Some(true);
        summary = ask.summary.as_deref().or(shown.then_some("auto"));
    }
    let mut extras = inner(request, "reasoning").peekable();
    if effort.is_none() && summary.is_none() && extras.peek().is_none() {
        return;
    }
    o.object("reasoning", |o| {
        o.str_if("effort", effort).str_if("summary", summary);
        for (key, extra) in extras {
            o.raw(key, extra.value.as_str());
        }
    });
}

fn tools(request: &Request, o: &mut write::Object<'_>, notes: &mut Notes) {
    let mut written = String::new();
    let mut any = false;
    write::array(&mut written, |a| {
        request.tools.iter().for_each(|t| tool(t, a, notes));
        any = !a.is_empty();
    });
    if any {
        o.raw("tools", &written);
    }
    if let Some(set) = &request.tool_choice {
        // A choice without tools is refused.
        if any {
            choice("tool_choice", &set.value, o);
        } else {
            notes.drop_path(set.at);
        }
    }
}

fn tool(tool: &Tool, a: &mut write::Array<'_>, notes: &mut Notes) {
    if tool.cache.is_some() {
        notes.drop(&tool.at.key("cache_control"));
    }
    match &tool.kind {
        ToolKind::Function(f) => {
            a.object(|o| {
                o.str("type", "function").str("name", &f.name);
                o.str_if("description", f.description.as_deref());
                o.raw(
                    "parameters",
                    f.parameters.as_ref().map_or("null", |p| p.as_str()),
                );
                // Strict unless told otherwise, which no other dialect is.
                o.bool("strict", f.strict.unwrap_or(false));
            });
        }
        ToolKind::Opaque { protocol, raw, .. } if *protocol == OPENAI => {
            match custom_of_chat(raw.as_str()) {
                Some(flat) => a.raw(&flat),
                None => a.raw(raw.as_str()),
            };
        }
        ToolKind::Opaque { .. } => notes.drop(&tool.at),
    }
}

/// A custom tool as chat completions nests it, in this dialect's flat form.
fn custom_of_chat(raw: &str) -> Option<String> {
    let root = json::parse(raw.as_bytes()).ok()?;
    let inner = root.get("custom")?;
    let mut out = String::new();
    write::object(&mut out, |o| {
        o.str("type", "custom");
        for (key, value) in inner.members() {
            let grammar = value.get("grammar").filter(|_| key == "format");
            match grammar {
                Some(grammar) => o.object("format", |o| {
                    o.str("type", "grammar");
                    for (key, value) in grammar.members() {
                        o.raw(&key, value.raw());
                    }
                }),
                None => o.raw(&key, value.raw()),
            };
        }
    });
    Some(out)
}

/// The member `key`, a tool choice.
pub(super) fn choice(key: &str, choice: &ToolChoice, o: &mut write::Object<'_>) {
    match choice {
        ToolChoice::Auto => o.str(key, "auto"),
        ToolChoice::None => o.str(key, "none"),
        ToolChoice::Required => o.str(key, "required"),
        ToolChoice::Named(name) => o.object(key, |o| {
            o.str("type", "function").str("name", name);
        }),
        ToolChoice::Among { names, required } => o.object(key, |o| {
            o.str("type", "allowed_tools");
            o.str("mode", if *required { "required" } else { "auto" });
            o.array("tools", |a| {
                for name in names {
                    a.object(|o| {
                        o.str("type", "function").str("name", name);
                    });
                }
            });
        }),
    };
}

fn include(request: &Request, o: &mut write::Object<'_>) {
    let logprobs = request.settings.logprobs.as_ref().is_some_and(|l| l.value);
    let own = request.extras.iter().filter(|e| e.protocol == OPENAI);
    let rest = own.rev().find(|e| e.key == "include");
    if !logprobs && rest.is_none() {
        return;
    }
    o.array("include", |a| {
        let parsed = rest.and_then(|e| json::parse(e.value.as_str().as_bytes()).ok());
        for item in parsed.iter().flat_map(json::Node::items) {
            a.raw(item.raw());
        }
        if logprobs {
            a.str(LOGPROBS);
        }
    });
}

fn extras(extras: &[Extra], o: &mut write::Object<'_>, notes: &mut Notes) {
    for extra in extras {
        let key = extra.key.as_str();
        if extra.protocol != OPENAI || CHAT_ONLY.contains(&key) || is_inner(extra) {
            notes.drop(&extra.at);
        } else if key != "include" && !key.starts_with("text.") && !key.starts_with("reasoning.") {
            if o.has(key) {
                notes.drop(&extra.at);
            } else {
                o.raw(key, extra.value.as_str());
            }
        }
    }
}
