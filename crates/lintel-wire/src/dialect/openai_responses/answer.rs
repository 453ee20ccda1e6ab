//! Writes answers: the response object, with everything that strict clients demand of it, and a whole answer as one.
//!
//! The object repeats the request's settings, each of them or its default. What is translated is stored nowhere, so it
//! always says `"store":false`.

use lintel_types::canon::{
    Citation, Delta, Depth, Opening, Part, PartKind, Reply, Request, Stop, StopReason, ToolKind,
};
use lintel_types::{Meter, Usage};

use super::encode::{choice, format};
use super::encode_items::annotation;
use super::item::{Content, Item, Items, tail};
use crate::dialect::{Encoded, Notes, Way};
use crate::json::write::{self, Object};
use crate::json::{self, Node};
use crate::provider::OPENAI;

/// How an answer stands.
pub(super) enum Standing {
    /// Under way.
    InProgress,
    /// Whole.
    Completed,
    /// Cut, and why.
    Incomplete(&'static str),
    /// Broken off: the code and the sentence.
    Failed(String, String),
}

impl Standing {
    /// How an answer that stopped so stands.
    pub(super) fn of(stop: Option<&Stop>, items: &[Item]) -> Self {
        let refusal = |c: &Content| matches!(c, Content::Refusal(_));
        let refused = items.iter().any(
            |item| matches!(item, Item::Message { contents, .. } if contents.iter().any(refusal)),
        );
        match stop.map(|s| s.reason) {
            Some(StopReason::MaxTokens) => Standing::Incomplete("max_output_tokens"),
            Some(StopReason::ContentFilter) => Standing::Incomplete("content_filter"),
            // A refusal without words has no other form.
            Some(StopReason::Refusal) if !refused => Standing::Incomplete("content_filter"),
            _ => Standing::Completed,
        }
    }

    pub(super) fn word(&self) -> &'static str {
        match self {
            Standing::InProgress => "in_progress",
            Standing::Completed => "completed",
            Standing::Incomplete(_) => "incomplete",
            Standing::Failed(..) => "failed",
        }
    }

    /// The status of item `i` of `count`: only the last one can be cut.
    pub(super) fn of_item(&self, i: usize, count: usize) -> &'static str {
        match self {
            Standing::Incomplete(_) if i + 1 == count => "incomplete",
            _ => "completed",
        }
    }
}

/// Who answered, and when.
pub(super) struct Head {
    pub(super) id: String,
    pub(super) model: String,
    pub(super) created: u64,
}

impl Head {
    pub(super) fn new(
        id: Option<&str>,
        model: Option<&str>,
        created: Option<u64>,
        way: &Way,
    ) -> Self {
        let said = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
        Self {
            id: said(id).unwrap_or_else(|| format!("resp_{}", tail(way))),
            model: said(model).unwrap_or_else(|| way.model.clone()),
            created: created.filter(|c| *c > 0).unwrap_or(way.now),
        }
    }
}

/// Writes the members of a response object.
pub(super) fn response(
    o: &mut Object<'_>,
    head: &Head,
    standing: &Standing,
    items: &Items,
    usage: Option<&Usage>,
    way: &Way,
) {
    o.str("id", &head.id).str("object", "response");
    o.int("created_at", head.created);
    o.str("status", standing.word()).bool("background", false);
    match standing {
        Standing::Completed => o.int("completed_at", way.now.max(head.created)),
        _ => o.null("completed_at"),
    };
    match standing {
        Standing::Failed(code, message) => o.object("error", |o| {
            o.str("code", code).str("message", message);
        }),
        _ => o.null("error"),
    };
    match standing {
        Standing::Incomplete(reason) => o.object("incomplete_details", |o| {
            o.str("reason", reason);
        }),
        _ => o.null("incomplete_details"),
    };
    o.str("model", &head.model);
    o.array("output", |a| {
        let list = items.list();
        for (i, item) in list.iter().enumerate() {
            item.write_to(standing.of_item(i, list.len()), a);
        }
    });
    match usage {
        Some(counts) => o.object("usage", |o| used(counts, o)),
        None => o.null("usage"),
    };
    echo(&way.request, o);
}

/// The usage object: cached tokens are inside the input, reasoning inside the output.
fn used(usage: &Usage, o: &mut Object<'_>) {
    let (input, output) = (usage.input_tokens(), usage.output_tokens());
    o.int("input_tokens", input);
    o.object("input_tokens_details", |o| {
        o.int("cached_tokens", usage.get(Meter::CacheRead));
        let written = usage.get(Meter::CacheWrite5m) + usage.get(Meter::CacheWrite1h);
        o.int("cache_write_tokens", written);
    });
    o.int("output_tokens", output);
    o.object("output_tokens_details", |o| {
        o.int("reasoning_tokens", usage.get(Meter::Reasoning));
    });
    o.int("total_tokens", input.saturating_add(output));
}

/// Repeats the request's settings.
fn echo(request: &Request, o: &mut Object<'_>) {
    let s = &request.settings;
    let kept = |key: &str| {
        let mut own = request.extras.iter().filter(|e| e.protocol == OPENAI);
        own.find(|e| e.key == key).map(|e| e.value.as_str())
    };
    let kept_or = |key: &str, or: &'static str| kept(key).unwrap_or(or).to_owned();
    let first = request.messages.first();
    let told = first.filter(|m| m.at.as_str() == "$.instructions");
    let instructions = told.and_then(|m| match m.parts.first().map(|p| &p.kind) {
        Some(PartKind::Text { text, .. }) => Some(text.as_str()),
        _ => None,
    });
    o.str_or_null("instructions", instructions);
    match &s.max_output {
        Some(set) => o.int("max_output_tokens", set.value),
        None => o.null("max_output_tokens"),
    };
    o.raw("max_tool_calls", &kept_or("max_tool_calls", "null"));
    let parallel = s.parallel_tools.as_ref().is_none_or(|p| p.value);
    o.bool("parallel_tool_calls", parallel);
    o.null("previous_response_id");
    o.raw("prompt_cache_key", &kept_or("prompt_cache_key", "null"));
    o.object("reasoning", |o| reasoning(request, o));
    let user = s.user.as_ref();
    let newer = user.filter(|u| u.at.ends_with("safety_identifier"));
    o.str_or_null("safety_identifier", newer.map(|u| u.value.as_str()));
    let older = user.filter(|_| newer.is_none());
    match older {
        Some(user) => o.str("user", &user.value),
        None => o.raw("user", &kept_or("user", "null")),
    };
    o.str("service_tier", "default").bool("store", false);
    o.num(
        "temperature",
        s.temperature.as_ref().map_or(1.0, |t| t.value),
    );
    o.num("top_p", s.top_p.as_ref().map_or(1.0, |t| t.value));
    let penalty =
        |set: &Option<lintel_types::canon::Set<f64>>| set.as_ref().map_or(0.0, |p| p.value);
    o.num("presence_penalty", penalty(&s.presence_penalty));
    o.num("frequency_penalty", penalty(&s.frequency_penalty));
    o.int(
        "top_logprobs",
        s.top_logprobs.as_ref().map_or(0, |t| t.value),
    );
    o.object("text", |o| {
        o.object("format", |o| match &s.format {
            Some(set) => echo_format(&set.value, o),
            None => {
                o.str("type", "text");
            }
        });
        o.str_if("verbosity", s.verbosity.as_ref().map(|v| v.value.as_str()));
    });
    match &request.tool_choice {
        Some(set) => choice("tool_choice", &set.value, o),
        None => {
            o.raw("tool_choice", &kept_or("tool_choice", "\"auto\""));
        }
    }
    o.array("tools", |a| {
        request.tools.iter().for_each(|t| tool(&t.kind, a))
    });
    o.raw("truncation", &kept_or("truncation", "\"disabled\""));
    o.raw(
        "metadata",
        s.metadata.as_ref().map_or("{}", |m| m.value.as_str()),
    );
}

fn echo_format(set: &lintel_types::canon::Format, o: &mut Object<'_>) {
    format(set, o);
    if let lintel_types::canon::Format::JsonSchema(schema) = set {
        if schema.description.is_none() {
            o.null("description");
        }
        if schema.strict.is_none() {
            o.bool("strict", false);
        }
    }
}

fn reasoning(request: &Request, o: &mut Object<'_>) {
    let ask = request.settings.reasoning.as_ref().map(|r| &r.value);
    let effort = ask.and_then(|a| match &a.depth {
        Some(Depth::Off) => Some("none"),
        Some(Depth::Effort(word)) => Some(word.as_str()),
        _ => None,
    });
    o.str_or_null("effort", effort);
    o.str_or_null("summary", ask.and_then(|a| a.summary.as_deref()));
}

fn tool(kind: &ToolKind, a: &mut write::Array<'_>) {
    match kind {
        ToolKind::Function(f) => {
            a.object(|o| {
                o.str("type", "function").str("name", &f.name);
                o.str_or_null("description", f.description.as_deref());
                o.raw(
                    "parameters",
                    f.parameters.as_ref().map_or("null", |p| p.as_str()),
                );
                match f.strict {
                    Some(strict) => o.bool("strict", strict),
                    None => o.null("strict"),
                };
            });
        }
        ToolKind::Opaque { raw, .. } => {
            a.raw(raw.as_str());
        }
    }
}

/// Writes a whole answer.
pub(super) fn write(reply: &Reply, way: &Way) -> Encoded {
    let mut notes = Notes::default();
    let mut items = Items::new(way);
    let choice = reply.choices.first();
    for part in choice.iter().flat_map(|c| &c.parts) {
        add(part, &mut items, &mut notes);
    }
    for i in 1..reply.choices.len() {
        notes.drop_path(&format!("$.choices[{i}]"));
    }
    if let Some(logprobs) = choice.and_then(|c| c.logprobs.as_ref()) {
        let parsed = json::parse(logprobs.as_str().as_bytes()).ok();
        if let Some(list) = parsed.and_then(|l| l.get("content")).filter(is_list) {
            items.logprobs(list.raw());
        }
    }
    let standing = Standing::of(choice.and_then(|c| c.stop.as_ref()), items.list());
    let head = Head::new(
        reply.id.as_deref(),
        reply.model.as_deref(),
        reply.created,
        way,
    );
    let mut body = String::with_capacity(2048);
    write::object(&mut body, |o| {
        response(o, &head, &standing, &items, reply.usage.as_ref(), way);
    });
    Encoded {
        body: body.into_bytes(),
        notes,
        json_tool: false,
    }
}

fn is_list(node: &Node<'_>) -> bool {
    node.kind() == json::Kind::Array
}

/// Adds one part of an answer, as a stream of it would.
fn add(part: &Part, items: &mut Items, notes: &mut Notes) {
    let mut deltas = Vec::new();
    let mut unsaid = false;
    let opening = match &part.kind {
        PartKind::Text { text, citations } => {
            let sayable = |c: &&Citation| annotation(c).is_some();
            unsaid = citations.iter().any(|c| !sayable(&c));
            deltas.push(Delta::Text(text.clone()));
            deltas.extend(citations.iter().cloned().map(Delta::Citation));
            Opening::Text
        }
        PartKind::Refusal(text) => {
            deltas.push(Delta::Text(text.clone()));
            Opening::Refusal
        }
        PartKind::Reasoning(r) => {
            let own = r.seal.iter().filter(|s| s.protocol == OPENAI);
            unsaid = r.seal.as_ref().is_some_and(|s| s.protocol != OPENAI);
            if r.text.is_empty() && own.clone().next().is_none() {
                if unsaid {
                    notes.drop(&part.at);
                }
                return;
            }
            deltas.push(Delta::Text(r.text.clone()));
            deltas.extend(own.cloned().map(Delta::Seal));
            Opening::Reasoning {
                summary: r.summary,
                id: r.id.clone(),
            }
        }
        PartKind::ToolCall(call) => {
            unsaid = call.seal.is_some();
            deltas.push(Delta::Text(call.arguments.clone()));
            Opening::ToolCall {
                id: call.id.clone(),
                name: call.name.clone(),
                custom: call.custom,
            }
        }
        _ => Opening::Whole(part.clone()),
    };
    if unsaid {
        notes.drop(&part.at);
    }
    if !items.continues(&opening) && !items.push(&opening) {
        notes.drop(&part.at);
        return;
    }
    let silent = matches!(deltas.first(), Some(Delta::Text(text)) if text.is_empty());
    let sealed = silent && matches!(opening, Opening::Reasoning { .. });
    if !matches!(opening, Opening::Whole(_)) {
        if !sealed {
            items.part(&opening);
        }
        deltas.iter().for_each(|d| {
            items.grow(d);
        });
    }
}
