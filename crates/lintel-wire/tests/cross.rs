//! Golden cases of translation, in `tests/golden/cross`: a client's request, what the target gets, what is named,
//! the target's answer, what the client gets. Pure: two dialects and nothing between them.
//!
//! `UPDATE_GOLDEN=1 cargo test -p lintel-wire --test cross` writes what the dialects say; each change is to be read.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use lintel_types::canon::Request;
use lintel_wire::dialect::{self, Dialect, Target, Way};
use lintel_wire::hosts::{self, Host};
use lintel_wire::sse::{Framer, events};
use lintel_wire::surface::{Place, SURFACES};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/cross")
}

fn speaks(name: &str) -> &'static dyn Dialect {
    let mut all = dialect::DIALECTS.iter().copied();
    all.find(|d| d.surface().name() == name)
        .unwrap_or_else(|| panic!("no dialect is called {name}"))
}

/// One case: sections, each under a line `=== name`, after a head of `name: value` lines.
struct Case {
    path: PathBuf,
    text: String,
}

impl Case {
    fn all() -> Vec<Case> {
        let mut found = Vec::new();
        for pair in std::fs::read_dir(folder()).unwrap() {
            let pair = pair.unwrap().path();
            if !pair.is_dir() {
                continue;
            }
            for file in std::fs::read_dir(pair).unwrap() {
                let path = file.unwrap().path();
                let text = std::fs::read_to_string(&path).unwrap();
                found.push(Case { path, text });
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    fn head(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\n=== ").next().unwrap_or_default();
        let line = head
            .lines()
            .find(|l| l.split(": ").next() == Some(name.trim()))?;
        line.split_once(": ").map(|(_, value)| value)
    }

    fn must(&self, name: &str) -> &str {
        self.head(name)
            .unwrap_or_else(|| panic!("{}: no `{name}:`", self.path.display()))
    }

    fn section(&self, name: &str) -> Option<&str> {
        let mark = format!("\n=== {name}\n");
        let from = self.text.find(&mark)? + mark.len();
        let rest = &self.text[from..];
        Some(match rest.find("\n=== ") {
            Some(end) => &rest[..=end],
            None => rest,
        })
    }

    fn host(&self) -> &'static Host {
        hosts::by_name(self.must("host")).unwrap()
    }
}

/// What the dialects make of a case.
struct Made {
    target: String,
    dropped: Vec<String>,
    emulated: Vec<String>,
    answer: Option<String>,
    lost: Vec<String>,
}

struct Pair {
    client: &'static dyn Dialect,
    target: &'static dyn Dialect,
    way: Way,
}

fn translate(case: &Case) -> (Made, Pair) {
    let (client, target) = (speaks(case.must("client")), speaks(case.must("target")));
    let body = case.section("client").unwrap().trim();
    let place = Place {
        model: case.head("asked").map(str::to_owned),
        stream: case.head("asked").is_some() && case.section("stream").is_some(),
        ..Place::default()
    };
    let spec = SURFACES.iter().find(|s| s.surface() == client.surface());
    let head = spec.unwrap().head(body.as_bytes(), &place).unwrap();
    let request = client.decode_request(body.as_bytes(), &head);
    let request: Arc<Request> = Arc::new(request.unwrap_or_else(|e| panic!("{e}")));
    let to = Target {
        model: case.must("model"),
        host: case.host(),
    };
    let encoded = target.encode_request(&request, &to);
    let way = Way {
        host: case.host(),
        model: request.model.clone(),
        id: "0192ab".into(),
        now: 1_700_000_000,
        include_usage: request.include_usage,
        json_tool: encoded.json_tool,
        request,
    };
    let mut made = Made {
        target: pretty(std::str::from_utf8(&encoded.body).unwrap()),
        dropped: encoded.notes.dropped,
        emulated: encoded.notes.emulated,
        answer: None,
        lost: Vec::new(),
    };
    let pair = Pair {
        client,
        target,
        way,
    };
    if let Some(reply) = case.section("reply") {
        let reply = target.decode_reply(reply.as_bytes(), &pair.way).unwrap();
        let answer = client.encode_reply(&reply, &pair.way);
        made.answer = Some(pretty(std::str::from_utf8(&answer.body).unwrap()));
        made.lost = answer.notes.dropped;
    } else if let Some(stream) = case.section("stream") {
        made.answer = Some(pair.stream(&[stream.as_bytes()]));
    }
    (made, pair)
}

impl Pair {
    /// What the client gets of a stream that comes in these pieces.
    fn stream(&self, pieces: &[&[u8]]) -> String {
        let mut decoder = self.target.decoder(&self.way);
        let mut encoder = self.client.encoder(&self.way);
        let mut framer = Framer::new(1 << 24);
        let (mut read, mut out) = (Vec::new(), Vec::new());
        let mut take = |block: Bytes, out: &mut Vec<u8>| {
            for event in events(block) {
                if let Some(data) = event.data.filter(|d| &d[..] != b"[DONE]") {
                    decoder.event(&data, &mut read);
                    read.drain(..).for_each(|event| encoder.event(&event, out));
                }
            }
        };
        for piece in pieces {
            let block = framer.push(Bytes::copy_from_slice(piece)).unwrap();
            take(block, &mut out);
        }
        take(framer.finish(), &mut out);
        decoder.finish(&mut read);
        read.drain(..)
            .for_each(|event| encoder.event(&event, &mut out));
        String::from_utf8(out).unwrap()
    }
}

/// JSON, indented; keys, numbers and strings are as they were.
fn pretty(text: &str) -> String {
    let (mut out, mut depth, mut inside, mut escaped) = (String::new(), 0usize, false, false);
    let mut chars = text.chars().peekable();
    let newline = |out: &mut String, depth: usize| {
        let _ = write!(out, "\n{:1$}", "", depth * 2);
    };
    while let Some(c) = chars.next() {
        if inside {
            out.push(c);
            inside = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '"' => {
                inside = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|c| c.is_whitespace()).is_some() {}
                if let Some(end) = chars.next_if(|c| matches!(c, '}' | ']')) {
                    out.push(end);
                    continue;
                }
                depth += 1;
                newline(&mut out, depth);
            }
            '}' | ']' => {
                depth -= 1;
                newline(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                newline(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out.push('\n');
    out
}

fn rendered(case: &Case, made: &Made) -> String {
    let head = case.text.split("\n=== ").next().unwrap().trim_end();
    let mut out = format!(
        "{head}\n\n=== client\n{}",
        pretty(case.section("client").unwrap())
    );
    let _ = write!(out, "\n=== target gets\n{}", made.target);
    let named = |out: &mut String, word: &str, paths: &[String]| {
        for path in paths {
            let _ = writeln!(out, "{word} {path}");
        }
    };
    out.push_str("\n=== named\n");
    named(&mut out, "dropped", &made.dropped);
    named(&mut out, "emulated", &made.emulated);
    named(&mut out, "dropped of the answer", &made.lost);
    if let Some(reply) = case.section("reply") {
        let _ = write!(out, "\n=== reply\n{}", pretty(reply));
    }
    if let Some(stream) = case.section("stream") {
        let _ = write!(out, "\n=== stream\n{}\n\n", stream.trim());
    }
    if let Some(answer) = &made.answer {
        let _ = write!(out, "\n=== client gets\n{answer}");
    }
    format!("{}\n", out.trim_end())
}

#[test]
fn every_case_is_as_written() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    let cases = Case::all();
    for case in &cases {
        let (made, _) = translate(case);
        let now = rendered(case, &made);
        if update {
            std::fs::write(&case.path, now).unwrap();
        } else if now != case.text {
            let differs = now.lines().zip(case.text.lines()).find(|(a, b)| a != b);
            wrong.push(format!("{}: {differs:?}", case.path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases.len() >= 60, "{}", cases.len());
}

#[test]
fn every_case_says_what_it_shows() {
    let readme = std::fs::read_to_string(folder().join("README.md")).unwrap();
    for case in Case::all() {
        let name = case.path.file_stem().unwrap().to_str().unwrap();
        let pair = case.path.parent().unwrap().file_name().unwrap();
        assert!(!case.must("shows").is_empty());
        let row = format!("`{}/{name}`", pair.to_str().unwrap());
        assert!(readme.contains(&row), "{row} is not in README.md");
    }
}

#[test]
fn a_stream_reads_the_same_however_it_is_cut() {
    let mut streams = 0;
    for case in Case::all() {
        let Some(stream) = case.section("stream").map(str::as_bytes) else {
            continue;
        };
        let (made, pair) = translate(&case);
        let whole = made.answer.unwrap();
        for at in 0..=stream.len() {
            let (one, two) = stream.split_at(at);
            assert_eq!(
                pair.stream(&[one, two]),
                whole,
                "{} at {at}",
                case.path.display()
            );
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(pair.stream(&bytes), whole, "{}", case.path.display());
        streams += 1;
    }
    assert!(streams >= 10, "{streams}");
}

/// Every recorded stream of a protocol with server-sent events, to a client of every other dialect.
#[test]
fn a_recorded_stream_reads_the_same_for_every_client_however_it_is_cut() {
    let (mut streams, wire) = (0, folder().join("../wire"));
    for target in [
        "openai.chat",
        "openai.responses",
        "anthropic.messages",
        "gemini.stream",
    ] {
        let rows = std::fs::read_to_string(wire.join(format!("{target}.jsonl"))).unwrap();
        for row in rows.lines() {
            let row: serde_json::Value = serde_json::from_str(row).unwrap();
            let Some(body) = row["response_text"]
                .as_str()
                .filter(|_| row["stream"] == true)
            else {
                continue;
            };
            for client in dialect::DIALECTS {
                let target = speaks(&target.replace("gemini.stream", "gemini.generate"));
                if client.surface() == target.surface()
                    || client.stream_type() != "text/event-stream"
                {
                    continue;
                }
                let pair = Pair {
                    client: *client,
                    target,
                    way: Way {
                        host: hosts::by_name("openai").unwrap(),
                        model: "asked".into(),
                        id: "0192ab".into(),
                        now: 1_700_000_000,
                        include_usage: true,
                        json_tool: false,
                        request: Arc::default(),
                    },
                };
                let whole = pair.stream(&[body.as_bytes()]);
                assert!(!whole.is_empty(), "{}", row["id"]);
                for size in [1, 7, 4096] {
                    let pieces: Vec<&[u8]> = body.as_bytes().chunks(size).collect();
                    assert_eq!(pair.stream(&pieces), whole, "{} by {size}", row["id"]);
                }
                streams += 1;
            }
        }
    }
    assert!(streams > 60, "{streams}");
}
