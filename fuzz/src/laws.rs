//! Laws that several targets hold.

use std::sync::Arc;

use lintel_types::canon::{Event, Opening, Request};
use lintel_wire::dialect::Way;
use lintel_wire::hosts::Host;
use lintel_wire::json;
use serde_json::Value;

/// `text` is one JSON document that every parser reads alike.
#[track_caller]
pub(crate) fn is_json(what: &str, bytes: &[u8]) -> Value {
    if let Err(e) = json::parse(bytes) {
        panic!("{what}: {e}: {}", shown(bytes));
    }
    serde_json::from_slice(bytes).unwrap_or_else(|e| panic!("{what}: {e}: {}", shown(bytes)))
}

/// An output of bounded size: what is written may be longer than what was read, never out of all proportion.
#[track_caller]
pub(crate) fn bounded(what: &str, read: usize, written: usize) {
    // The most that one byte can become: an array element that gets an object with ids and types around it, in three events.
    let most = 16 * 1024 + read * 640;
    assert!(written <= most, "{what}: {written} bytes of {read}");
}

/// The order of canonical events: one start, parts that don't overlap, nothing after the end.
#[track_caller]
pub(crate) fn grammar(events: &[Event]) {
    let mut open: Vec<(u32, bool)> = Vec::new();
    let mut stopped: Vec<u32> = Vec::new();
    let mut over = false;
    for (i, event) in events.iter().enumerate() {
        assert!(!over, "event {i} after the end: {event:?}");
        assert_eq!(
            i == 0,
            matches!(event, Event::Start { .. }),
            "event {i}: {event:?}"
        );
        match event {
            Event::PartStart { choice, part } => {
                assert!(
                    !open.iter().any(|(c, _)| c == choice),
                    "event {i}: parts overlap"
                );
                assert!(
                    !stopped.contains(choice),
                    "event {i}: a part after the stop"
                );
                open.push((*choice, matches!(part, Opening::Whole(_))));
            }
            Event::Delta { choice, .. } => {
                let of = open.iter().find(|(c, _)| c == choice);
                assert!(
                    of.is_some_and(|(_, whole)| !whole),
                    "event {i}: {event:?} of {of:?}"
                );
            }
            Event::PartEnd { choice } => {
                let at = open.iter().position(|(c, _)| c == choice);
                open.remove(at.unwrap_or_else(|| panic!("event {i}: no part is open")));
            }
            Event::Stop { choice, .. } => {
                assert!(
                    !open.iter().any(|(c, _)| c == choice),
                    "event {i}: a stop inside a part"
                );
                assert!(
                    !stopped.contains(choice),
                    "event {i}: choice {choice} stops twice"
                );
                stopped.push(*choice);
            }
            Event::Error(_) => over = true,
            Event::End => {
                assert!(open.is_empty(), "event {i}: the end inside a part");
                over = true;
            }
            Event::Start { .. } | Event::Usage(_) => {}
        }
    }
}

/// The way of an answer at `host`.
pub(crate) fn way(host: &'static Host, request: Arc<Request>) -> Way {
    Way {
        host,
        model: "model".into(),
        id: "ex_1".into(),
        now: 1_700_000_000,
        include_usage: true,
        json_tool: false,
        request,
    }
}

/// The beginning of some bytes, for a message.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(2_000).collect()
}
