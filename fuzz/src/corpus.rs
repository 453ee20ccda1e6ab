//! Where inputs come from: the recorded calls in `tests/golden/wire`, and `fuzz/corpus`, a folder a target.
//!
//! Recorded calls are read where they lie, so that no copy of them can grow stale. What is in `fuzz/corpus`
//! was found: inputs that reach something new, and every input that once broke a law.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::target::Target;

/// What of a recorded call is a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Nothing.
    None,
    /// What the client sent.
    Requests,
    /// Whole answers.
    Replies,
    /// Answers in server-sent events.
    SseStreams,
    /// Answers in AWS's event stream.
    AwsStreams,
    /// Both kinds of streams.
    Streams,
}

/// Longest seed; longer recordings say nothing that shorter ones don't.
const LONGEST: usize = 12 * 1024;

/// The folder of what was found for `name`.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name)
}

/// Every seed of `target`, in an order that never differs.
pub fn seeds(target: &Target) -> Vec<Vec<u8>> {
    let mut all = found(target.name);
    all.extend(recorded(target.seeds));
    if all.is_empty() {
        all.push(Vec::new());
    }
    all
}

/// What lies in the target's folder.
fn found(name: &str) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(folder(name)) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|p| std::fs::read(p).unwrap_or_else(|e| panic!("{}: {e}", p.display())))
        .collect()
}

fn recorded(part: Part) -> Vec<Vec<u8>> {
    if part == Part::None {
        return Vec::new();
    }
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/wire");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&dir)
        .unwrap_or_else(|e| panic!("{}: {e}", dir.display()))
        .flatten()
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "jsonl"))
        .collect();
    files.sort();
    let mut seeds = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let calls = text
            .lines()
            .filter_map(|l| serde_json::from_str::<Value>(l).ok());
        seeds.extend(
            calls
                .filter_map(|call| of(part, &call))
                .filter(|s| s.len() <= LONGEST),
        );
    }
    seeds
}

fn of(part: Part, call: &Value) -> Option<Vec<u8>> {
    if part == Part::Requests {
        return Some(call["request_text"].as_str()?.as_bytes().to_vec());
    }
    let kind = call["response_headers"]["content-type"].as_str()?;
    let answer = match call["response_text"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => STANDARD.decode(call["response_b64"].as_str()?).ok()?,
    };
    let wanted = match part {
        Part::Replies => kind.contains("json"),
        Part::SseStreams => kind.contains("event-stream"),
        Part::AwsStreams => kind.contains("amazon"),
        Part::Streams => kind.contains("stream"),
        Part::None | Part::Requests => false,
    };
    wanted.then_some(answer)
}
