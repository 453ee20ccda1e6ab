//! Calls of tools, in messages of requests and of replies.

use lintel_types::canon::{At, ToolCall};

use super::super::super::Notes;
use super::super::thought;
use crate::json::write::Object;

/// Writes `tool_calls`, when there are any.
pub(super) fn write(
    o: &mut Object<'_>,
    calls: &[(&ToolCall, &At)],
    seals: bool,
    notes: &mut Notes,
) {
    if calls.is_empty() {
        return;
    }
    o.array("tool_calls", |a| {
        for (call, at) in calls {
            a.object(|o| one(o, call, at, seals, notes));
        }
    });
}

fn one(o: &mut Object<'_>, call: &ToolCall, at: &At, seals: bool, notes: &mut Notes) {
    o.str("id", &call.id);
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
    match thought::extra_of(seal).filter(|_| seals) {
        Some(extra) => {
            o.raw("extra_content", extra);
        }
        None => notes.drop(at),
    }
}
