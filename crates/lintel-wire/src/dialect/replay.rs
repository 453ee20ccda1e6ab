//! A whole answer as a stream: for clients that asked for one and targets that answered at once.

use lintel_types::canon::{Delta, Event, Opening, Part, PartKind, Reply, Seal};

/// The events that tell `reply`, in the order of [`Event`]'s grammar.
pub fn events(reply: &Reply) -> Vec<Event> {
    let mut out = vec![Event::Start {
        id: reply.id.clone(),
        model: reply.model.clone(),
        created: reply.created,
    }];
    for (choice, answer) in (0..).zip(&reply.choices) {
        answer.parts.iter().for_each(|p| part(choice, p, &mut out));
        if let Some(stop) = answer.stop.clone() {
            out.push(Event::Stop { choice, stop });
        }
    }
    out.extend(reply.usage.clone().map(Event::Usage));
    out.push(Event::End);
    out
}

fn part(choice: u32, part: &Part, out: &mut Vec<Event>) {
    let (opening, deltas) = opened(part);
    out.push(Event::PartStart {
        choice,
        part: opening,
    });
    out.extend(
        deltas
            .into_iter()
            .map(|delta| Event::Delta { choice, delta }),
    );
    out.push(Event::PartEnd { choice });
}

fn opened(part: &Part) -> (Opening, Vec<Delta>) {
    let text = |text: &str| Some(Delta::Text(text.to_owned())).filter(|_| !text.is_empty());
    let seal = |seal: &Option<Seal>| seal.clone().map(Delta::Seal);
    match &part.kind {
        PartKind::Text {
            text: said,
            citations,
        } => {
            let cited = citations.iter().cloned().map(Delta::Citation);
            (Opening::Text, text(said).into_iter().chain(cited).collect())
        }
        PartKind::Refusal(said) => (Opening::Refusal, text(said).into_iter().collect()),
        PartKind::Reasoning(reasoning) => {
            let opening = Opening::Reasoning {
                summary: reasoning.summary,
                id: reasoning.id.clone(),
            };
            let deltas = text(&reasoning.text)
                .into_iter()
                .chain(seal(&reasoning.seal));
            (opening, deltas.collect())
        }
        PartKind::ToolCall(call) => {
            let opening = Opening::ToolCall {
                id: call.id.clone(),
                name: call.name.clone(),
                custom: call.custom,
            };
            let deltas = text(&call.arguments).into_iter().chain(seal(&call.seal));
            (opening, deltas.collect())
        }
        _ => (Opening::Whole(part.clone()), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::grammar::fold;
    use lintel_types::canon::{At, Choice, Reasoning, Source, Stop, StopReason, ToolCall};

    #[test]
    fn the_stream_tells_the_same_answer() {
        let kinds = [
            PartKind::Reasoning(Reasoning {
                text: "hm".into(),
                seal: Some(Seal {
                    protocol: crate::provider::ANTHROPIC,
                    data: "s".into(),
                }),
                ..Reasoning::default()
            }),
            PartKind::text("hello"),
            PartKind::Image {
                source: Source::Url("https://example.com/a.png".into()),
                detail: None,
            },
            PartKind::ToolCall(ToolCall {
                id: "c".into(),
                name: "f".into(),
                arguments: "{}".into(),
                custom: false,
                seal: None,
            }),
        ];
        let reply = Reply {
            id: Some("r".into()),
            choices: vec![Choice {
                parts: kinds.map(|k| Part::new(k, At::default())).into(),
                stop: Some(Stop {
                    reason: StopReason::ToolUse,
                    word: "w".into(),
                    sequence: None,
                }),
                logprobs: None,
            }],
            ..Reply::default()
        };
        assert_eq!(fold(&events(&reply), false), reply);
        let empty = Reply::default();
        assert_eq!(fold(&events(&empty), false), empty);
    }
}
