//! The sandbox from outside: goldens, streams against whole answers, usage, every fault.

mod faults;
mod golden;
mod plain;
mod same;

use lintel_types::Surface;
use serde_json::Value;

use super::{SandboxConfig, Script, Step, answer};

const CHAT: Surface = crate::surface::OPENAI_CHAT;
const MESSAGES: Surface = crate::surface::ANTHROPIC_MESSAGES;

fn ask(surface: Surface, model: &str, body: &Value) -> Script {
    answer(
        surface,
        &SandboxConfig::default(),
        model,
        body.to_string().as_bytes(),
        1,
    )
}

/// Everything that is sent.
fn sent(script: &Script) -> Vec<u8> {
    let pieces = script.steps.iter().filter_map(|step| match step {
        Step::Send(bytes) => Some(bytes.as_ref()),
        _ => None,
    });
    pieces.collect::<Vec<_>>().concat()
}

/// The same as text, with every model's name without its options.
fn plain(script: &Script) -> String {
    let text = String::from_utf8(sent(script)).unwrap();
    let mut parts = text.split("\"model\":\"sandbox");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        out + "\"model\":\"sandbox" + part.get(part.find('"').unwrap_or(0)..).unwrap_or_default()
    })
}

fn json(script: &Script) -> Value {
    serde_json::from_slice(&sent(script)).unwrap()
}

/// The `data:` of every event that is JSON.
fn events(script: &Script) -> Vec<Value> {
    let text = String::from_utf8(sent(script)).unwrap();
    let data = text
        .split("\n\n")
        .filter_map(|block| block.lines().find_map(|line| line.strip_prefix("data: ")));
    data.filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap())
        .collect()
}
