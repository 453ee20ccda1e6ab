//! For tests: whether a stream of canonical events keeps the grammar, and the reply that it amounts to.

use std::collections::BTreeMap;

use lintel_types::canon::{
    At, Choice, Delta, Event, Opening, Part, PartKind, Reasoning, Reply, Seal, ToolCall,
};

/// Panics with the place where `events` break the grammar of [`Event`]; gives the whole answer that they tell.
/// An answer without `End` or `Error` at its end is only allowed where `cut` says so.
pub(crate) fn fold(events: &[Event], cut: bool) -> Reply {
    let mut reply = Reply::default();
    let mut open: BTreeMap<u32, Part> = BTreeMap::new();
    let mut choices: BTreeMap<u32, Choice> = BTreeMap::new();
    let mut over = false;
    for (i, event) in events.iter().enumerate() {
        assert!(!over, "event {i} after the end: {event:?}");
        assert_eq!(
            i == 0,
            matches!(event, Event::Start { .. }),
            "event {i}: {event:?}"
        );
        match event {
            Event::Start { id, model, created } => {
                (reply.id, reply.model, reply.created) = (id.clone(), model.clone(), *created);
            }
            Event::PartStart { choice, part } => {
                let stopped = choices.get(choice).is_some_and(|c| c.stop.is_some());
                assert!(!stopped, "event {i}: a part after the stop");
                let before = open.insert(*choice, opened(part));
                assert!(
                    before.is_none(),
                    "event {i}: parts of choice {choice} overlap"
                );
            }
            Event::Delta { choice, delta } => {
                let part = open
                    .get_mut(choice)
                    .unwrap_or_else(|| panic!("event {i}: no part is open"));
                grow(part, delta);
            }
            Event::PartEnd { choice } => {
                let part = open
                    .remove(choice)
                    .unwrap_or_else(|| panic!("event {i}: no part is open"));
                choices.entry(*choice).or_default().parts.push(part);
            }
            Event::Stop { choice, stop } => {
                assert!(
                    !open.contains_key(choice),
                    "event {i}: a stop inside a part"
                );
                let before = choices
                    .entry(*choice)
                    .or_default()
                    .stop
                    .replace(stop.clone());
                assert!(before.is_none(), "event {i}: choice {choice} stops twice");
            }
            Event::Usage(usage) => reply.usage = Some(usage.clone()),
            Event::Error(_) => over = true,
            Event::End => {
                assert!(open.is_empty(), "event {i}: the end inside a part");
                over = true;
            }
        }
    }
    assert!(over || cut, "the stream has no end");
    reply.choices = choices.into_values().collect();
    reply
}

fn opened(part: &Opening) -> Part {
    let kind = match part {
        Opening::Text => PartKind::text(""),
        Opening::Refusal => PartKind::Refusal(String::new()),
        Opening::Reasoning { summary, id } => PartKind::Reasoning(Reasoning {
            summary: *summary,
            id: id.clone(),
            ..Reasoning::default()
        }),
        Opening::ToolCall { id, name, custom } => PartKind::ToolCall(ToolCall {
            id: id.clone(),
            name: name.clone(),
            arguments: String::new(),
            custom: *custom,
            seal: None,
        }),
        Opening::Whole(part) => return part.clone(),
    };
    Part::new(kind, At::default())
}

fn grow(part: &mut Part, delta: &Delta) {
    let seal_of = |slot: &mut Option<Seal>, seal: &Seal| *slot = Some(seal.clone());
    match (&mut part.kind, delta) {
        (PartKind::Text { text, .. }, Delta::Text(more)) => text.push_str(more),
        (PartKind::Text { citations, .. }, Delta::Citation(citation)) => {
            citations.push(citation.clone())
        }
        (PartKind::Refusal(text), Delta::Text(more)) => text.push_str(more),
        (PartKind::Reasoning(reasoning), Delta::Text(more)) => reasoning.text.push_str(more),
        (PartKind::Reasoning(reasoning), Delta::Seal(seal)) => seal_of(&mut reasoning.seal, seal),
        (PartKind::ToolCall(call), Delta::Text(more)) => call.arguments.push_str(more),
        (PartKind::ToolCall(call), Delta::Seal(seal)) => seal_of(&mut call.seal, seal),
        (kind, delta) => panic!("{delta:?} in {kind:?}"),
    }
}
