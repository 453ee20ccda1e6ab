//! Our reader of JSON against `serde_json`: the same documents, the same values.

use lintel_wire::json::{self, Kind, Node, Problem};
use serde_json::Value;

use crate::corpus::Part;
use crate::laws::shown;
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "json",
    laws: "accepts what serde_json accepts, but for doubled keys; reads the same values; names a place inside the text",
    run,
    seeds: Part::Requests,
    words: &[
        "null",
        "true",
        "false",
        "\"\\u0000\"",
        "\\ud83d\\ude00",
        "\\ud800",
        "1e400",
        "-0",
        "1.5e-7",
        "{\"a\":1,\"a\":2}",
        "[[[[",
        "18446744073709551616",
    ],
};

fn run(data: &[u8]) {
    let theirs: Result<Value, _> = serde_json::from_slice(data);
    match (json::parse(data), theirs) {
        (Ok(ours), Ok(theirs)) => same(ours, &theirs),
        (Err(ours), theirs) => {
            assert!(ours.offset <= data.len(), "{ours:?} is past the end");
            let strictness = matches!(ours.problem, Problem::DuplicateKey(_) | Problem::TooDeep);
            assert!(
                theirs.is_err() || strictness,
                "only we refuse: {ours}: {}",
                shown(data)
            );
        }
        // A number that no f64 holds, and half of a surrogate pair, are JSON all the same: both pass through as written.
        (Ok(_), Err(e)) => {
            let text = e.to_string();
            let known = [
                "number out of range",
                "surrogate",
                "hex escape",
                "recursion limit",
            ];
            assert!(
                known.iter().any(|k| text.contains(k)),
                "only we accept: {text}: {}",
                shown(data)
            );
        }
    }
}

fn same(ours: Node<'_>, theirs: &Value) {
    match theirs {
        Value::Null => assert!(ours.is_null()),
        Value::Bool(b) => assert_eq!(ours.bool(), Some(*b)),
        Value::Number(n) => {
            assert_eq!(ours.kind(), Kind::Number);
            // serde_json rounds the last bit of long numbers otherwise; the standard library doesn't.
            assert_eq!(ours.f64(), ours.raw().parse().ok(), "{}", ours.raw());
            let (a, b) = (ours.f64().unwrap(), n.as_f64().unwrap());
            assert!((a - b).abs() <= a.abs() * 1e-15, "{a} or {b}");
            if let Some(n) = n.as_u64() {
                assert_eq!(ours.u64(), Some(n), "{}", ours.raw());
            }
        }
        Value::String(s) => assert_eq!(ours.text().as_deref(), Some(s.as_str())),
        Value::Array(items) => {
            let mut count = 0;
            for (ours, theirs) in ours.items().zip(items) {
                same(ours, theirs);
                count += 1;
            }
            assert_eq!((count, ours.items().count()), (items.len(), items.len()));
        }
        Value::Object(map) => {
            for (key, ours) in ours.members() {
                same(ours, &map[key.as_ref()]);
            }
            assert_eq!(ours.members().count(), map.len());
        }
    }
}
