//! Arguments that come in pieces: each names its place by a JSON path, and texts go on where they stopped.
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc>

use lintel_types::canon::ToolCall;
use serde_json::Value;

use crate::json::Node;
use crate::surface::gemini_generate::get;

/// Longest list that pieces may build: a place is a claim, and memory is not given for claims.
const LONGEST: usize = 10_000;

/// A call whose arguments are still coming.
pub(super) struct Partial {
    call: ToolCall,
    arguments: Value,
}

impl Partial {
    pub(super) fn new(call: ToolCall) -> Self {
        let arguments = serde_json::from_str(&call.arguments).unwrap_or_default();
        Self { call, arguments }
    }

    /// Takes the pieces of one chunk.
    pub(super) fn take(&mut self, function_call: Node<'_>) {
        let pieces = get(function_call, "partialArgs");
        for piece in pieces.iter().flat_map(Node::items) {
            let path = get(piece, "jsonPath").and_then(|p| p.text());
            let slot = path.and_then(|p| place(&mut self.arguments, &p));
            if let Some(slot) = slot {
                put(slot, piece);
            }
        }
    }

    /// The whole call.
    pub(super) fn whole(self) -> ToolCall {
        ToolCall {
            arguments: self.arguments.to_string(),
            ..self.call
        }
    }
}

fn put(slot: &mut Value, piece: Node<'_>) {
    for (key, value) in piece.members() {
        match &*key {
            "stringValue" | "string_value" => {
                let more = value.text().unwrap_or_default();
                if let Value::String(text) = slot {
                    text.push_str(&more);
                } else {
                    *slot = Value::String(more.into_owned());
                }
            }
            "numberValue" | "number_value" | "boolValue" | "bool_value" => {
                *slot = serde_json::from_str(value.raw()).unwrap_or_default();
            }
            "nullValue" | "null_value" => *slot = Value::Null,
            _ => {}
        }
    }
}

/// The value at `path`, made where there is none: `$.a.b[0]['c']`.
fn place<'v>(root: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    let mut rest = path.strip_prefix('$')?;
    let mut here = root;
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('.') {
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            let (key, after) = tail.split_at_checked(end)?;
            here = member(here, key)?;
            rest = after;
        } else {
            let (step, after) = rest.strip_prefix('[')?.split_once(']')?;
            let quoted = |q: char| step.strip_prefix(q).and_then(|s| s.strip_suffix(q));
            here = match quoted('\'').or_else(|| quoted('"')) {
                Some(key) => member(here, key)?,
                None => item(here, step.parse().ok()?)?,
            };
            rest = after;
        }
    }
    Some(here)
}

fn member<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    if value.is_null() {
        *value = Value::Object(serde_json::Map::new());
    }
    let object = value.as_object_mut()?;
    Some(object.entry(key).or_insert(Value::Null))
}

fn item(value: &mut Value, index: usize) -> Option<&mut Value> {
    if value.is_null() {
        *value = Value::Array(Vec::new());
    }
    let array = value.as_array_mut()?;
    if index >= LONGEST {
        return None;
    }
    if index >= array.len() {
        array.resize(index + 1, Value::Null);
    }
    array.get_mut(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    #[test]
    fn pieces_find_their_place() {
        let mut partial = Partial::new(ToolCall {
            id: "1".into(),
            name: "f".into(),
            arguments: "{}".into(),
            custom: false,
            seal: None,
        });
        for chunk in [
            r#"{"partialArgs":[{"jsonPath":"$.a[1].t","stringValue":"Bos","willContinue":true}]}"#,
            r#"{"partialArgs":[{"jsonPath":"$.a[1].t","stringValue":"ton"},{"jsonPath":"$.n","numberValue":0.5}]}"#,
            r#"{"partialArgs":[{"jsonPath":"$['b.c']","boolValue":true},{"jsonPath":"$.z","nullValue":null}]}"#,
            r#"{"partialArgs":[{"jsonPath":"$.a[99999999]","numberValue":1},{"jsonPath":"$.n.x","numberValue":1},{"jsonPath":"a["},{}]}"#,
        ] {
            partial.take(json::parse(chunk.as_bytes()).unwrap());
        }
        let arguments: Value = serde_json::from_str(&partial.whole().arguments).unwrap();
        assert_eq!(
            arguments,
            serde_json::json!({"a":[null,{"t":"Boston"}],"n":0.5,"b.c":true,"z":null})
        );
    }
}
