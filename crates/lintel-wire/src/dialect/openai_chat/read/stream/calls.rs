//! Which call a delta belongs to, and when its arguments are whole.
//!
//! Hosts leave out the index, count from 1, give every call index 0, repeat the id as `""` or never give one.

use lintel_types::canon::{Opening, Seal};

use super::super::super::thought;
use super::super::{call, said};
use crate::json::Node;

/// One call under way.
pub(super) struct Call {
    index: Option<u64>,
    id: String,
    name: String,
    custom: bool,
    seal: Option<Seal>,
    begun: bool,
    arguments: Whole,
}

/// The calls of one choice, in order of appearance.
pub(super) struct Calls {
    prefix: String,
    list: Vec<Call>,
}

impl Calls {
    pub(super) fn new(prefix: String) -> Self {
        Self {
            prefix,
            list: Vec::new(),
        }
    }

    /// Reads one entry of a delta's `tool_calls`: which call, and more of its arguments.
    pub(super) fn read(&mut self, entry: Node<'_>) -> (usize, String) {
        let id = said(entry, "id").unwrap_or_default();
        let function = entry.get("function");
        let custom = entry.get("custom");
        let is_custom = custom.is_some_and(|c| said(c, "name").is_some())
            || function.is_none() && custom.is_some();
        let inside = if is_custom { custom } else { function };
        let name = inside.and_then(|i| said(i, "name")).unwrap_or_default();
        let at = self.find(entry.get("index").and_then(|i| i.u64()), &id, &name);
        let key = if is_custom { "input" } else { "arguments" };
        let more = inside.and_then(|i| i.get(key)).map(call::words);
        if let Some(call) = self.list.get_mut(at) {
            call.custom |= is_custom;
            if call.name.is_empty() {
                call.name = name.into_owned();
            }
            if call.id.is_empty() {
                call.id = id.into_owned();
            }
            if let Some(seal) = thought::signature(entry) {
                call.seal = Some(seal);
            }
        }
        (at, more.unwrap_or_default())
    }

    /// Reads an older `function_call`.
    pub(super) fn legacy(&mut self, node: Node<'_>) -> Option<(usize, String)> {
        let name = said(node, "name").unwrap_or_default();
        let more = node.get("arguments").map(call::words).unwrap_or_default();
        // Snowflake fills it with empty strings.
        if name.is_empty() && more.is_empty() {
            return None;
        }
        let at = self.find(Some(0), "", "");
        if let Some(call) = self.list.get_mut(at)
            && call.name.is_empty()
        {
            call.name = name.into_owned();
        }
        Some((at, more))
    }

    fn find(&mut self, index: Option<u64>, id: &str, name: &str) -> usize {
        let by_id = || self.list.iter().rposition(|c| !id.is_empty() && c.id == id);
        let by_index = || {
            let fits = |c: &Call| id.is_empty() || c.id.is_empty() || c.id == id;
            let at = self.list.iter().rposition(|c| c.index == index)?;
            self.list.get(at).filter(|c| fits(c)).map(|_| at)
        };
        let found = match index {
            Some(_) => by_index().or_else(by_id),
            None if !id.is_empty() => by_id(),
            // Neither index nor id: a name begins a call, anything else goes on with the last one.
            None if !name.is_empty() => None,
            None => self.list.len().checked_sub(1),
        };
        found.unwrap_or_else(|| {
            self.list.push(Call {
                index,
                id: id.to_owned(),
                name: String::new(),
                custom: false,
                seal: None,
                begun: false,
                arguments: Whole::default(),
            });
            self.list.len() - 1
        })
    }

    /// Its name has come.
    pub(super) fn is_named(&self, at: usize) -> bool {
        self.list.get(at).is_some_and(|c| !c.name.is_empty())
    }

    /// It has been told.
    pub(super) fn is_begun(&self, at: usize) -> bool {
        self.list.get(at).is_some_and(|c| c.begun)
    }

    /// Some call has been told.
    pub(super) fn any_begun(&self) -> bool {
        self.list.iter().any(|c| c.begun)
    }

    /// Its arguments are whole, as far as one can see. Free text never is.
    pub(super) fn is_whole(&self, at: usize) -> bool {
        self.list
            .get(at)
            .is_none_or(|c| !c.custom && c.arguments.done())
    }

    pub(super) fn grow(&mut self, at: usize, more: &str) {
        if let Some(call) = self.list.get_mut(at) {
            call.arguments.feed(more);
        }
    }

    /// How the call begins: as text where `is_text` says so of its name.
    pub(super) fn begin(
        &mut self,
        at: usize,
        is_text: impl Fn(&str) -> bool,
    ) -> (Opening, Option<Seal>) {
        let Some(call) = self.list.get_mut(at) else {
            return (Opening::Text, None);
        };
        call.begun = true;
        if call.id.is_empty() {
            call.id = format!("{}{}", self.prefix, at + 1);
        }
        if is_text(&call.name) {
            return (Opening::Text, None);
        }
        let opening = Opening::ToolCall {
            id: call.id.clone(),
            name: call.name.clone(),
            custom: call.custom,
        };
        (opening, call.seal.take())
    }
}

/// Whether an object of JSON that comes in pieces has come to its end.
#[derive(Default)]
struct Whole {
    depth: u32,
    begun: bool,
    in_string: bool,
    escaped: bool,
}

impl Whole {
    fn done(&self) -> bool {
        self.begun && self.depth == 0
    }

    fn feed(&mut self, text: &str) {
        for byte in text.bytes() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.begun = true;
                    self.depth = self.depth.saturating_add(1);
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_whole_when_its_last_bracket_has_come() {
        let mut whole = Whole::default();
        for piece in ["", "{\"a\":\"}", "\\\"", "}\",\"b\":[", "{}]"] {
            whole.feed(piece);
            assert!(!whole.done(), "{piece}");
        }
        whole.feed("}");
        assert!(whole.done());
    }
}
