//! A call of a tool, in requests and in replies, and the ids of calls that came without one.

use std::borrow::Cow;
use std::collections::VecDeque;

use lintel_types::canon::{At, Part, PartKind, ToolCall};

use super::super::thought;
use super::{full, said};
use crate::json::{Kind, Node};

/// Ids for calls without one, and which of them has been answered.
pub(super) struct Ids {
    prefix: String,
    made: usize,
    unanswered: VecDeque<(String, String)>,
}

impl Ids {
    /// Ids that begin with `prefix`.
    pub(super) fn new(prefix: String) -> Self {
        Self {
            prefix,
            made: 0,
            unanswered: VecDeque::new(),
        }
    }

    /// The id of a call of `name` that came with `given`.
    pub(super) fn of_call(&mut self, given: Option<Cow<'_, str>>, name: &str) -> String {
        if let Some(id) = given {
            return id.into_owned();
        }
        self.made += 1;
        let id = format!("{}{}", self.prefix, self.made);
        self.unanswered.push_back((id.clone(), name.to_owned()));
        id
    }

    /// The call that a result answers: the one it names, else the first one of that name that waits.
    pub(super) fn of_result(&mut self, given: Option<Cow<'_, str>>, name: Option<&str>) -> String {
        if let Some(id) = given {
            return id.into_owned();
        }
        let fits = |(_, of): &(String, String)| name.is_none_or(|name| of == name);
        let at = self.unanswered.iter().position(fits).unwrap_or_default();
        self.unanswered
            .remove(at)
            .map(|(id, _)| id)
            .unwrap_or_default()
    }
}

/// One entry of `tool_calls`; none for an entry that names no tool.
pub(super) fn read(node: Node<'_>, at: At, ids: &mut Ids) -> Option<Part> {
    let function = node.get("function");
    let custom = node.get("custom");
    // Snowflake fills in both, one of them with empty strings.
    let named = |n: &Node<'_>| said(*n, "name").is_some();
    let (inside, custom) = match (function.filter(named), custom.filter(named)) {
        (Some(inside), _) => (inside, false),
        (None, Some(inside)) => (inside, true),
        (None, None) => return None,
    };
    let mut call = legacy(inside, said(node, "id"), ids)?;
    if custom {
        call.arguments = inside.get("input").map(words).unwrap_or_default();
        call.custom = true;
    }
    call.seal = thought::signature(node);
    Some(Part::new(PartKind::ToolCall(call), at))
}

/// A `function_call`, or the inside of a call.
pub(super) fn legacy(node: Node<'_>, id: Option<Cow<'_, str>>, ids: &mut Ids) -> Option<ToolCall> {
    let name = said(node, "name")?.into_owned();
    Some(ToolCall {
        id: ids.of_call(id, &name),
        arguments: node.get("arguments").map(words).unwrap_or_default(),
        name,
        custom: false,
        seal: None,
    })
}

/// Arguments are a string of JSON; some hosts and clients write the JSON itself.
pub(super) fn words(node: Node<'_>) -> String {
    match node.kind() {
        Kind::String => full(node).unwrap_or_default().into_owned(),
        Kind::Null => String::new(),
        _ => node.raw().to_owned(),
    }
}
