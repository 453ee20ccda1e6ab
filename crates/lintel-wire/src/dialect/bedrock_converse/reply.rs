//! Whole answers, both ways.

use lintel_types::canon::{At, Choice, Part, PartKind, Reply};
use lintel_types::{Meter, Usage};

use super::part::{Blocks, cited, input, sealed};
use super::{block, citation, media, stop, usage};
use crate::dialect::{BadReply, Encoded, JSON_TOOL, Notes, Way};
use crate::json::{self, Kind, write};
use crate::provider::{BEDROCK, bedrock_usage};

/// Reads an answer.
pub(super) fn decode(body: &[u8], way: &Way) -> Result<Reply, BadReply> {
    let root = json::parse(body).map_err(|e| BadReply(e.to_string()))?;
    let message = root.at(&["output", "message"]);
    let content = message.and_then(|m| m.get("content"));
    let content = content
        .filter(|c| c.kind() == Kind::Array)
        .ok_or_else(|| BadReply("the answer has no `output.message.content`".to_owned()))?;
    let at = At::new("$.output.message.content");
    let mut parts = block::list(content, &at, true);
    let mut stop = stop::read(root);
    if way.json_tool {
        parts.iter_mut().for_each(untooled);
        let calls = parts.iter().any(is_call);
        stop.iter_mut()
            .for_each(|s| stop::without_json_tool(s, calls));
    }
    Ok(Reply {
        choices: vec![Choice {
            parts,
            stop,
            logprobs: None,
        }],
        usage: root.get("usage").and_then(bedrock_usage),
        ..Reply::default()
    })
}

fn is_call(part: &Part) -> bool {
    matches!(part.kind, PartKind::ToolCall(_))
}

/// The call of the tool that stands in for a schema is the answer's text.
fn untooled(part: &mut Part) {
    if let PartKind::ToolCall(call) = &mut part.kind
        && call.name == JSON_TOOL
    {
        part.kind = PartKind::text(std::mem::take(&mut call.arguments));
    }
}

/// Writes an answer. Bedrock knows one choice.
pub(super) fn encode(reply: &Reply) -> Encoded {
    let mut notes = Notes::default();
    let first = Choice::default();
    let choice = reply.choices.first().unwrap_or(&first);
    for index in 1..reply.choices.len() {
        notes.drop(&At::new("$.choices").index(index));
    }
    if choice.logprobs.is_some() {
        notes.drop_path("$.choices[0].logprobs");
    }
    // The dialect counts reasoning as any other output.
    let reasoned = |u: &Usage| u.get(Meter::Reasoning) > 0;
    if reply.usage.as_ref().is_some_and(reasoned) {
        notes.emulate("$.usage");
    }
    let mut blocks = Blocks::default();
    for part in &choice.parts {
        write_part(part, &mut blocks, &mut notes);
    }
    let calls = choice.parts.iter().any(is_call);
    let mut out = String::with_capacity(512);
    write::object(&mut out, |o| {
        o.object("output", |o| {
            o.object("message", |o| {
                o.str("role", "assistant").raw("content", &blocks.json());
            });
        });
        o.str("stopReason", stop::word(choice.stop.as_ref(), calls));
        usage::write(o, reply.usage.as_ref());
    });
    Encoded {
        body: out.into_bytes(),
        notes,
        json_tool: false,
    }
}

fn write_part(part: &Part, out: &mut Blocks, notes: &mut Notes) {
    match &part.kind {
        PartKind::Text { text, citations } => {
            let citations: Vec<String> = citations.iter().map(citation::json).collect();
            out.add(|o| cited(o, text, &citations));
        }
        PartKind::Refusal(text) => out.add(|o| cited(o, text, &[])),
        PartKind::Reasoning(reasoning) => {
            let own = reasoning.seal.as_ref().filter(|s| s.protocol == BEDROCK);
            if own.is_none() && reasoning.seal.is_some() {
                notes.drop(&part.at);
            }
            match own {
                Some(seal) => out.add(|o| sealed(o, &reasoning.text, seal)),
                None if reasoning.text.is_empty() => {}
                None => out.add(|o| {
                    o.object("reasoningContent", |o| {
                        o.object("reasoningText", |o| {
                            o.str("text", &reasoning.text);
                        });
                    });
                }),
            }
        }
        PartKind::ToolCall(call) => {
            if call.seal.as_ref().is_some_and(|s| s.protocol != BEDROCK) {
                notes.drop(&part.at);
            }
            let (input, same) = input(&call.arguments);
            if !same {
                notes.emulate(part.at.as_str());
            }
            out.add(|o| {
                o.object("toolUse", |o| {
                    o.str("toolUseId", &call.id)
                        .str("name", &call.name)
                        .raw("input", &input);
                });
            });
        }
        PartKind::Image { source, .. } => match media::IMAGES.place(source) {
            Some(placed) => out.add(|o| {
                o.object("image", |o| placed.write(o));
            }),
            None => notes.drop(&part.at),
        },
        PartKind::Opaque { protocol, raw, .. } if *protocol == BEDROCK => out.add_raw(raw.as_str()),
        _ => notes.drop(&part.at),
    }
}
