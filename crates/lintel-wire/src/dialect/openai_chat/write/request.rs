//! A request for a target.

use lintel_types::canon::Request;

use super::super::super::{Encoded, Notes, Target};
use super::super::terms;
use super::{messages, settings, tools};
use crate::hosts::Host;
use crate::json::write::{self, Object};
use crate::provider::OPENAI;

/// Members of OpenAI's other dialect, which hosts refuse here. Those that both have are not in the list.
const OF_RESPONSES: &[&str] = &[
    "background",
    "context_management",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "previous_response_id",
    "prompt",
    "text",
    "truncation",
];

/// Members that are written from what has a word in the canonical form.
const WRITTEN: &[&str] = &[
    "model",
    "messages",
    "stream",
    "stream_options",
    "tools",
    "reasoning",
    "max_tokens",
    "max_completion_tokens",
];

/// Writes a body.
pub(crate) fn write(request: &Request, target: &Target<'_>) -> Encoded {
    let mut notes = Notes::default();
    let mut body = String::with_capacity(1024);
    write::object(&mut body, |o| {
        o.str("model", target.model).array("messages", |a| {
            messages::write(a, request, target, &mut notes);
        });
        tools::write(o, request, target, &mut notes);
        settings::write(o, &request.settings, target, &mut notes);
        if request.stream {
            o.bool("stream", true);
            // Metering needs the usage, whether or not the client wants to see it.
            if !target.host.usage_unasked {
                o.object("stream_options", |o| {
                    o.bool("include_usage", true);
                });
            }
        }
        extras(o, request, target.host, &mut notes);
    });
    Encoded {
        body: body.into_bytes(),
        notes,
        json_tool: false,
    }
}

fn extras(o: &mut Object<'_>, request: &Request, host: &Host, notes: &mut Notes) {
    for extra in &request.extras {
        let key = extra.key.as_str();
        let taken = match key {
            "tool_choice" | "function_call" => request.tool_choice.is_some(),
            "response_format" => request.settings.format.is_some(),
            key => key.contains('.') || WRITTEN.contains(&key) || OF_RESPONSES.contains(&key),
        };
        if extra.protocol == OPENAI && !taken && terms::takes(host, key) && !o.has(key) {
            o.raw(key, extra.value.as_str());
        } else {
            notes.drop(&extra.at);
        }
    }
}
