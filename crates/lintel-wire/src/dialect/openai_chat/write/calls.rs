//! Calls of tools, in messages of requests and of replies.

use std::borrow::Cow;

use lintel_types::canon::{At, ToolCall};

use super::super::super::Notes;
use super::super::{terms, thought};
use super::ids;
use crate::hosts::Host;
use crate::json::write::Object;

/// Writes `tool_calls`, when there are any: for `host`, or else for the client.
pub(super) fn write(
    o: &mut Object<'_>,
    calls: &[(&ToolCall, &At)],
    host: Option<&Host>,
    notes: &mut Notes,
) {
    if calls.is_empty() {
        return;
    }
    o.array("tool_calls", |a| {
        for (call, at) in calls {
            a.object(|o| one(o, call, at, host, notes));
        }
    });
}

fn one(o: &mut Object<'_>, call: &ToolCall, at: &At, host: Option<&Host>, notes: &mut Notes) {
    let id = host.map_or(Cow::Borrowed(call.id.as_str()), |h| {
        ids::fitted(&call.id, h)
    });
    o.str("id", &id);
    if call.custom {
        o.str("type", "custom").object("custom", |o| {
            o.str("name", &call.name).str("input", &call.arguments);
        });
    } else {
        // Hosts parse the arguments of earlier calls and refuse what is no JSON.
        let arguments = if call.arguments.trim().is_empty() {
            "{}"
        } else {
            &call.arguments
        };
        o.str("type", "function").object("function", |o| {
            o.str("name", &call.name).str("arguments", arguments);
        });
    }
    let Some(seal) = &call.seal else { return };
    match thought::extra_of(seal).filter(|_| host.is_none_or(terms::takes_seals)) {
        Some(extra) => {
            o.raw("extra_content", extra);
        }
        None => notes.drop(at),
    }
}
