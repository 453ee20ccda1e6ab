//! The canonical form to a request for Bedrock.

use lintel_types::canon::{Message, PartKind, Request, Role};

use super::media::Names;
use super::model::Model;
use super::part::{Blocks, Writer};
use super::plan::{Shape, Thinking};
use super::{rest, tools, write_settings};
use crate::dialect::{Encoded, Notes, Target};
use crate::json::write;
use crate::provider::BEDROCK;

/// Members of which a part has a word in the canonical form: what was kept of them is put back where they are written.
const SHARED: [&str; 4] = [
    "inferenceConfig",
    "toolConfig",
    "additionalModelRequestFields",
    "outputConfig",
];

/// Writes a request.
pub(super) fn encode(request: &Request, target: &Target<'_>) -> Encoded {
    let model = Model(target.model);
    let mut notes = Notes::default();
    let shape = Shape::of(request, model, &mut notes);
    let by_tool = match shape {
        Shape::Tool(schema) => Some(schema),
        _ => None,
    };
    let plan = tools::Plan::of(request, by_tool, &mut notes);
    let thinking = Thinking::of(request, model, plan.forces(), &mut notes);
    let (system, turns) = conversation(&request.messages, model, &mut notes);

    let mut out = String::with_capacity(1_024);
    write::object(&mut out, |o| {
        if !turns.is_empty() {
            o.array("messages", |a| {
                for turn in &turns {
                    a.object(|o| {
                        o.str("role", turn.role).raw("content", &turn.blocks.json());
                    });
                }
            });
        }
        if !system.is_empty() {
            o.raw("system", &system.json());
        }
        rest::member(o, request, "inferenceConfig", |o| {
            write_settings::inference(o, request, &thinking, &mut notes);
        });
        rest::member(o, request, "toolConfig", |o| {
            plan.write(o, model, &mut notes)
        });
        rest::member(o, request, "additionalModelRequestFields", |o| {
            write_settings::additional(o, request, model, &thinking, &mut notes);
        });
        rest::member(o, request, "outputConfig", |o| {
            write_settings::output(o, &shape);
        });
        write_settings::others(o, request, &mut notes);
        for extra in rest::own(request) {
            if !SHARED.contains(&&*extra.key) {
                o.raw(&extra.key, extra.value.as_str());
            }
        }
    });
    for extra in request.extras.iter().filter(|e| e.protocol != BEDROCK) {
        notes.drop(&extra.at);
    }
    Encoded {
        body: out.into_bytes(),
        notes,
        json_tool: plan.json.is_some(),
    }
}

/// One turn: neighbours of one role are joined.
struct Turn {
    role: &'static str,
    blocks: Blocks,
}

/// The instructions, and the turns.
fn conversation(messages: &[Message], model: Model<'_>, notes: &mut Notes) -> (Blocks, Vec<Turn>) {
    let mut writer = Writer {
        model,
        notes,
        names: Names::default(),
    };
    let (mut system, mut turns) = (Blocks::default(), Vec::<Turn>::new());
    for message in messages {
        if message.name.is_some() {
            writer.notes.drop(&message.at.key("name"));
        }
        let role = match message.role {
            Role::System | Role::Developer => {
                if !turns.is_empty() {
                    writer.notes.emulate(message.at.as_str());
                }
                instructions(message, &mut writer, &mut system);
                continue;
            }
            Role::User | Role::Tool => "user",
            Role::Assistant => "assistant",
        };
        let mut blocks = Blocks::default();
        match turns.last_mut().filter(|t| t.role == role) {
            // A cache point may stand first in a message that is joined to another.
            Some(turn) => message
                .parts
                .iter()
                .for_each(|p| writer.part(p, &mut turn.blocks)),
            None => {
                message
                    .parts
                    .iter()
                    .for_each(|p| writer.part(p, &mut blocks));
                if !blocks.is_empty() {
                    turns.push(Turn { role, blocks });
                }
            }
        }
    }
    (system, turns)
}

fn instructions(message: &Message, writer: &mut Writer<'_, '_>, system: &mut Blocks) {
    for part in &message.parts {
        let said = match &part.kind {
            PartKind::Text { .. } | PartKind::Refusal(_) => true,
            PartKind::Opaque { protocol, .. } => *protocol == BEDROCK,
            _ => false,
        };
        match said {
            true => writer.part(part, system),
            false => writer.notes.drop(&part.at),
        }
    }
}
