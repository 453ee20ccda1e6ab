//! How to answer, read from the members of a request: each becomes the canonical setting that means the same.

use lintel_types::canon::{
    At, Depth, Extra, Format, JsonSchema, RawJson, ReasoningAsk, Request, Set, ToolChoice,
};

use super::read_block::{raw, text_of};
use super::read_request::extra;
use crate::json::{self, Kind, Node};
use crate::provider::ANTHROPIC;

/// Takes over the member `key`, if it has a canonical word and a value that can be read.
pub(super) fn member(key: &str, value: Node<'_>, request: &mut Request) -> bool {
    let settings = &mut request.settings;
    match key {
        "max_tokens" => keep(&mut settings.max_output, value.u64(), "$.max_tokens"),
        "temperature" => keep(&mut settings.temperature, value.f64(), "$.temperature"),
        "top_p" => keep(&mut settings.top_p, value.f64(), "$.top_p"),
        "top_k" => keep(&mut settings.top_k, value.u64(), "$.top_k"),
        "stop_sequences" => keep(&mut settings.stop, texts(value), "$.stop_sequences"),
        "service_tier" => {
            let word = value.text().map(|t| t.into_owned());
            keep(&mut settings.service_tier, word, "$.service_tier")
        }
        "metadata" => {
            let user = text_of(value, "user_id");
            keep(&mut settings.user, user, "$.metadata.user_id")
        }
        "thinking" => thinking(value, request),
        "output_config" => {
            output_config(value, request);
            true
        }
        // How the schema of the answer was given before `output_config`.
        "output_format" => format(value, "$.output_format", request),
        "tool_choice" => tool_choice(value, request),
        _ => false,
    }
}

fn keep<T>(slot: &mut Option<Set<T>>, value: Option<T>, at: &'static str) -> bool {
    let known = value.is_some();
    *slot = value.map(|v| Set::new(v, at));
    known
}

fn texts(node: Node<'_>) -> Option<Vec<String>> {
    let all = node.items().map(|n| n.text().map(|t| t.into_owned()));
    (node.kind() == Kind::Array).then(|| all.collect())?
}

fn thinking(value: Node<'_>, request: &mut Request) -> bool {
    let depth = match text_of(value, "type").as_deref() {
        Some("enabled") => Depth::Budget(
            value
                .get("budget_tokens")
                .and_then(|b| b.u64())
                .unwrap_or(0),
        ),
        Some("adaptive") => Depth::Auto,
        Some("disabled") => Depth::Off,
        _ => return false,
    };
    let show = match text_of(value, "display").as_deref() {
        Some("omitted") => Some(false),
        Some(_) => Some(true),
        // With a budget, a summary is in the answer unless it is declined.
        None => matches!(depth, Depth::Budget(_)).then_some(true),
    };
    let effort = request.settings.reasoning.take();
    request.settings.reasoning = Some(match (depth, effort) {
        // An effort says more than "as you see fit".
        (Depth::Auto, Some(mut ask)) => {
            ask.value.show = show;
            ask
        }
        (depth, effort) => {
            if let Some(Depth::Effort(word)) = effort.and_then(|e| e.value.depth) {
                request.extras.push(effort_extra(&word));
            }
            let ask = ReasoningAsk {
                depth: Some(depth),
                show,
                summary: None,
            };
            Set::new(ask, "$.thinking")
        }
    });
    true
}

fn output_config(value: Node<'_>, request: &mut Request) {
    for (key, member) in value.members() {
        match &*key {
            _ if member.is_null() => {}
            "effort" => effort(&member.text().unwrap_or_default(), request),
            "format" if format(member, "$.output_config.format", request) => {}
            key => {
                let mut object = String::new();
                json::write::object(&mut object, |o| {
                    o.raw(key, member.raw());
                });
                let at = format!("$.output_config.{key}");
                request.extras.push(Extra {
                    value: RawJson::new(object),
                    ..extra("output_config", at, member)
                });
            }
        }
    }
}

/// The canonical scale ends at `xhigh`.
fn effort(word: &str, request: &mut Request) {
    let word = if word == "max" { "xhigh" } else { word };
    let at = "$.output_config.effort";
    match &mut request.settings.reasoning {
        None => {
            let ask = ReasoningAsk {
                depth: Some(Depth::Effort(word.to_owned())),
                show: None,
                summary: None,
            };
            request.settings.reasoning = Some(Set::new(ask, at));
        }
        Some(ask) if ask.value.depth == Some(Depth::Auto) => {
            ask.value.depth = Some(Depth::Effort(word.to_owned()));
            ask.at = at;
        }
        // A budget, or no thinking at all: the effort is said beside it.
        Some(_) => request.extras.push(effort_extra(word)),
    }
}

/// An effort that stands beside a budget, which has the canonical word.
fn effort_extra(word: &str) -> Extra {
    let mut object = String::new();
    json::write::object(&mut object, |o| {
        o.str("effort", word);
    });
    Extra {
        key: "output_config".into(),
        at: At::new("$.output_config.effort"),
        protocol: ANTHROPIC,
        value: RawJson::new(object),
    }
}

fn format(value: Node<'_>, at: &'static str, request: &mut Request) -> bool {
    let Some(schema) = value.get("schema") else {
        return false;
    };
    let format = Format::JsonSchema(JsonSchema {
        name: None,
        description: None,
        schema: raw(schema),
        strict: None,
    });
    request.settings.format = Some(Set::new(format, at));
    true
}

fn tool_choice(value: Node<'_>, request: &mut Request) -> bool {
    let choice = match text_of(value, "type").as_deref() {
        Some("auto") => ToolChoice::Auto,
        Some("any") => ToolChoice::Required,
        Some("none") => ToolChoice::None,
        Some("tool") => ToolChoice::Named(text_of(value, "name").unwrap_or_default()),
        _ => return false,
    };
    request.tool_choice = Some(Set::new(choice, "$.tool_choice"));
    let disabled = value
        .get("disable_parallel_tool_use")
        .and_then(|b| b.bool());
    if let Some(disabled) = disabled {
        let at = "$.tool_choice.disable_parallel_tool_use";
        request.settings.parallel_tools = Some(Set::new(!disabled, at));
    }
    true
}
