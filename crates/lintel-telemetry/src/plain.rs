//! A line for a person at a terminal: the JSON line's fields in their order, without the JSON.
//!
//! `2026-11-24T07:32:13.000001Z INFO  call request_id=ex_… tenant=acme …`. It is made from the JSON line, so that the two
//! can't tell different stories. No byte of it moves a cursor: control characters stay escaped.

use std::fmt::Write as _;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A JSON value whose members keep their order.
enum Node {
    Leaf(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// The line for people of a JSON line. A line that is no JSON object stays as it is.
pub(crate) fn plain(json: &[u8]) -> Vec<u8> {
    let Ok(Node::Map(fields)) = serde_json::from_slice::<Node>(json) else {
        return json.to_vec();
    };
    let mut out = String::with_capacity(json.len());
    for (name, value) in &fields {
        match (name.as_str(), value) {
            ("time", Node::Text(time)) => out.push_str(time),
            ("level", Node::Text(level)) => {
                let _ = write!(out, " {:5}", level.to_ascii_uppercase());
            }
            ("msg", Node::Text(msg)) => {
                let _ = write!(out, " {msg}");
            }
            (name, value) => {
                let _ = write!(out, " {name}=");
                show(value, &mut out);
            }
        }
    }
    out.push('\n');
    out.into_bytes()
}

fn show(node: &Node, out: &mut String) {
    match node {
        Node::Leaf(text) => out.push_str(text),
        Node::Text(text) => word(text, out),
        Node::List(list) => {
            out.push('[');
            for (i, node) in list.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { ", " });
                show(node, out);
            }
            out.push(']');
        }
        Node::Map(map) => {
            out.push('{');
            for (i, (name, node)) in map.iter().enumerate() {
                let _ = write!(out, "{}{name}=", if i == 0 { "" } else { " " });
                show(node, out);
            }
            out.push('}');
        }
    }
}

/// A text: as it is when it is one visible word, else in quotes with what is not visible escaped.
fn word(text: &str, out: &mut String) {
    let simple = |c: char| !c.is_whitespace() && !c.is_control() && !"\"\\=[]{},".contains(c);
    if !text.is_empty() && text.chars().all(simple) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            // C1 controls and DEL too: JSON leaves them as they are, terminals obey them.
            c if c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Nodes)
    }
}

struct Nodes;

impl<'de> Visitor<'de> for Nodes {
    type Value = Node;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Leaf("null".to_owned()))
    }
    fn visit_bool<E>(self, v: bool) -> Result<Node, E> {
        Ok(Node::Leaf(v.to_string()))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Node, E> {
        Ok(Node::Leaf(v.to_string()))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Node, E> {
        Ok(Node::Leaf(v.to_string()))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Node, E> {
        Ok(Node::Leaf(v.to_string()))
    }
    fn visit_str<E>(self, v: &str) -> Result<Node, E> {
        Ok(Node::Text(v.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Node::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = map.next_entry()? {
            list.push(entry);
        }
        Ok(Node::Map(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expect: &str) {
        assert_eq!(String::from_utf8(plain(json.as_bytes())).unwrap(), expect);
    }

    #[test]
    fn reads_like_a_sentence() {
        check(
            r#"{"time":"2026-11-24T07:00:00.000000Z","level":"info","msg":"call","status":200,"cost_usd":"0.1","stream":true,"attempts":[{"provider":"openai","ms":1.5,"reason":"tier 1"}],"none":null}"#,
            "2026-11-24T07:00:00.000000Z INFO  call status=200 cost_usd=0.1 stream=true attempts=[{provider=openai ms=1.5 reason=\"tier 1\"}] none=null\n",
        );
    }

    #[test]
    fn nothing_moves_a_cursor_or_forges_a_field() {
        let json =
            serde_json::json!({"a": "x\n\u{1b}[2J\u{9b}1m\u{7f}\u{202e}", "b": "c=d", "e": ""});
        let line = String::from_utf8(plain(json.to_string().as_bytes())).unwrap();
        assert_eq!(
            line,
            " a=\"x\\u000a\\u001b[2J\\u009b1m\\u007f\\u202e\" b=\"c=d\" e=\"\"\n"
        );
        check("no json", "no json");
    }
}
