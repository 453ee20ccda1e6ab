//! The OpenAI protocol and every host compatible with it.

use std::fmt::Write as _;

use lintel_types::{FailureClass, Protocol, Surface};

use super::{Call, EventFacts, ProviderError, ProviderSpec, ReplyFacts, StreamMeter};
use crate::hosts::{Host, Paths, openai_compatible};
use crate::json::{self, Member, Node, Problem};
use crate::surface::{
    OPENAI_CHAT, OPENAI_COMPLETIONS, OPENAI_EMBEDDINGS, OPENAI_RESPONSE, OPENAI_RESPONSES,
};

mod azure;
mod embeddings;
mod failure;
mod responses;
pub(crate) mod usage;

/// The protocol's name.
pub const OPENAI: Protocol = Protocol::new("openai");

/// What is assumed of a compatible host that is no row.
static GENERIC: Host = openai_compatible("openai-compatible", "", &[]);

/// Where each operation lives.
const OPERATIONS: &[(Surface, &str)] = &[
    (OPENAI_CHAT, "/chat/completions"),
    (OPENAI_RESPONSES, "/responses"),
    (OPENAI_RESPONSE, "/responses"),
    (OPENAI_EMBEDDINGS, "/embeddings"),
    (OPENAI_COMPLETIONS, "/completions"),
];

/// The protocol.
pub(super) struct Openai;

impl ProviderSpec for Openai {
    fn protocol(&self) -> Protocol {
        OPENAI
    }

    fn generic_host(&self) -> &'static Host {
        &GENERIC
    }

    fn request_headers(&self) -> &'static [&'static str] {
        &["openai-beta"]
    }

    fn endpoint(&self, surface: Surface) -> Option<&'static str> {
        OPERATIONS
            .iter()
            .find(|(s, _)| *s == surface)
            .map(|(_, path)| *path)
    }

    fn conversation(&self) -> Surface {
        OPENAI_CHAT
    }

    fn path(&self, call: &Call<'_>) -> String {
        let mut endpoint = self.endpoint(call.surface).unwrap_or_default().to_owned();
        if let Some(object) = call.object {
            let _ = write!(endpoint, "/{}{}", object.id, object.tail);
        }
        match call.host.paths {
            Paths::Plain => format!("{}{endpoint}{}", call.prefix, call.query_text()),
            Paths::Azure => azure::path(call, &endpoint),
        }
    }

    fn reply(&self, host: &'static Host, surface: Surface, body: &[u8]) -> ReplyFacts {
        match surface {
            OPENAI_RESPONSES => return responses::reply(host, body),
            OPENAI_RESPONSE => return responses::about_one(host, body),
            _ => {}
        }
        if surface == OPENAI_EMBEDDINGS {
            return embeddings::reply(body);
        }
        let content = if surface == OPENAI_COMPLETIONS {
            "text"
        } else {
            "message"
        };
        let mut facts = ReplyFacts::default();
        // What is no object has no choices either.
        match json::parse_object(body) {
            Ok(members) => {
                look(host, body, &members, content, &mut facts);
                facts.malformed = choices(&members).is_none() && facts.error.is_none();
            }
            Err(_) => facts.malformed = true,
        }
        facts
    }

    fn meter(&self, host: &'static Host, surface: Surface) -> Box<dyn StreamMeter> {
        if matches!(surface, OPENAI_RESPONSES | OPENAI_RESPONSE) {
            return Box::new(responses::ResponsesMeter::new(host));
        }
        let content = if surface == OPENAI_COMPLETIONS {
            "text"
        } else {
            "delta"
        };
        Box::new(ChatMeter {
            host,
            content,
            facts: ReplyFacts::default(),
        })
    }

    fn failure(&self, status: u16, error: &ProviderError) -> FailureClass {
        failure::class(status, error)
    }
}

/// Watches a stream of `chat.completion.chunk`s, or of `text_completion`s.
struct ChatMeter {
    host: &'static Host,
    /// The member of a choice that holds what was produced.
    content: &'static str,
    facts: ReplyFacts,
}

impl StreamMeter for ChatMeter {
    fn event(&mut self, data: &[u8]) -> EventFacts {
        if data == b"[DONE]" {
            return EventFacts {
                terminal: true,
                ..EventFacts::default()
            };
        }
        let members = match json::parse_object(data) {
            Ok(members) => members,
            // JSON all the same, which says nothing.
            Err(e) if e.problem == Problem::NotAnObject => return EventFacts::default(),
            Err(_) => {
                self.facts.malformed = true;
                return EventFacts::default();
            }
        };
        let before = self.facts.content_bytes;
        let error_before = self.facts.error.is_some();
        let reported = look(self.host, data, &members, self.content, &mut self.facts);
        let no_choices = choices(&members).is_some_and(|c| c.items().next().is_none());
        EventFacts {
            content: self.facts.content_bytes > before,
            terminal: false,
            usage_only: reported && no_choices,
            error: self.facts.error.is_some() && !error_before,
        }
    }

    fn facts(&self) -> &ReplyFacts {
        &self.facts
    }
}

/// The choices, where there are any or none of them.
fn choices<'a>(members: &[Member<'a>]) -> Option<Node<'a>> {
    let named = members.iter().find(|m| m.key == "choices");
    named.map(|m| m.value)
}

/// Reads one chunk or one whole answer into `facts`; says whether it reported usage.
///
/// Usage may come in any chunk, also in several, also in one with non-empty `choices`, also
/// followed by chunks with `"usage":null`: the last one that can be read counts.
fn look(
    host: &Host,
    doc: &[u8],
    members: &[Member<'_>],
    content: &str,
    facts: &mut ReplyFacts,
) -> bool {
    let mut reported = false;
    let mut usage = None;
    for Member { key, value, .. } in members {
        match &**key {
            "choices" => value
                .items()
                .for_each(|choice| look_at_choice(choice, content, facts)),
            "usage" => usage = Some(*value).filter(|v| v.kind() == json::Kind::Object),
            // Groq without include_usage reports it here, and only here.
            "x_groq" => {
                usage = usage.or_else(|| {
                    value
                        .get("usage")
                        .filter(|v| v.kind() == json::Kind::Object)
                })
            }
            "error" if !value.is_null() => {
                facts.error = Some(failure::class(200, &super::read_error(doc)));
            }
            _ => {}
        }
    }
    if let Some(node) = usage {
        let raw = || node.raw().to_owned();
        match usage::read(node, host.hidden_reasoning) {
            Some(usage) => {
                facts.usage = Some(usage);
                facts.raw_usage = Some(raw());
            }
            // What can't be read takes no place from what could.
            None => {
                facts.raw_usage.get_or_insert_with(raw);
            }
        }
        reported = true;
    }
    reported
}

fn look_at_choice(choice: Node<'_>, content: &str, facts: &mut ReplyFacts) {
    for (key, value) in choice.members() {
        match &*key {
            // Some hosts write "" for null.
            "finish_reason" => {
                if let Some(reason) = value.text().filter(|r| !r.is_empty()) {
                    facts.finish_reason = Some(reason.into_owned());
                }
            }
            // The older surface has a text where the others have a message.
            key if key == content && value.kind() == json::Kind::String => {
                facts.content_bytes += content_bytes(value);
            }
            key if key == content => {
                for (key, value) in value.members() {
                    if !matches!(&*key, "role" | "refusal" | "annotations") {
                        facts.content_bytes += content_bytes(value);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Bytes of the strings in `node`, whatever its shape: hosts spell content and reasoning in many ways.
fn content_bytes(node: Node<'_>) -> u64 {
    match node.kind() {
        json::Kind::String => node.raw().len().saturating_sub(2) as u64,
        json::Kind::Array => node.items().map(content_bytes).sum(),
        json::Kind::Object => node
            .members()
            .filter(|(k, _)| !matches!(&**k, "type" | "id"))
            .map(|(_, v)| content_bytes(v))
            .sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::generic;

    fn run(events: &[&str]) -> (Vec<EventFacts>, ReplyFacts) {
        let mut meter = Openai.meter(generic(OPENAI), OPENAI_CHAT);
        let facts = events.iter().map(|e| meter.event(e.as_bytes())).collect();
        (facts, meter.facts().clone())
    }

    #[test]
    fn the_last_usage_that_is_not_null_counts() {
        let (events, facts) = run(&[
            r#"{"choices":[{"delta":{"role":"assistant","content":""},"index":0}],"usage":null}"#,
            r#"{"choices":[{"delta":{"content":"hi"},"index":0,"finish_reason":null}]}"#,
            r#"{"choices":[{"delta":{},"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#,
            r#"{"choices":[],"moderation":{},"usage":null}"#,
            "[DONE]",
        ]);
        let flags: Vec<_> = events
            .iter()
            .map(|e| (e.content, e.usage_only, e.terminal))
            .collect();
        let (no, yes) = (false, true);
        assert_eq!(
            flags,
            [
                (no, no, no),
                (yes, no, no),
                (no, no, no),
                (no, yes, no),
                (no, no, no),
                (no, no, yes)
            ]
        );
        assert_eq!(facts.usage.unwrap().input_tokens(), 7);
        assert_eq!(facts.finish_reason.as_deref(), Some("stop"));
        assert_eq!(facts.content_bytes, 2);
    }

    #[test]
    fn unreadable_usage_is_kept_and_is_no_usage() {
        let unreadable = r#"{"prompt_tokens":"many","completion_tokens":-1}"#;
        let chunk = format!(r#"{{"choices":[],"usage":{unreadable}}}"#);
        let (events, facts) = run(&[&chunk]);
        assert!(
            events[0].usage_only,
            "Lintel asked for it, the client didn't"
        );
        assert_eq!(facts.usage, None);
        assert_eq!(facts.raw_usage.as_deref(), Some(unreadable));
        let (_, facts) = run(&[
            r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#,
            &chunk,
        ]);
        assert_eq!(facts.usage.unwrap().input_tokens(), 7);
        assert!(facts.raw_usage.unwrap().contains("\"total_tokens\":10"));
    }

    #[test]
    fn the_older_surface_has_texts_for_messages() {
        let mut meter = Openai.meter(generic(OPENAI), OPENAI_COMPLETIONS);
        let mut seen = |event: &str| {
            let facts = meter.event(event.as_bytes());
            (facts.content, facts.usage_only, facts.terminal)
        };
        let (no, yes) = (false, true);
        assert_eq!(
            seen(
                r#"{"choices":[{"text":"Hey","index":0,"logprobs":null,"finish_reason":null}],"usage":null}"#
            ),
            (yes, no, no)
        );
        assert_eq!(
            seen(r#"{"choices":[{"text":"","index":0,"finish_reason":"length"}]}"#),
            (no, no, no)
        );
        assert_eq!(
            seen(
                r#"{"choices":[],"usage":{"prompt_tokens":14,"completion_tokens":16,"total_tokens":30}}"#
            ),
            (no, yes, no)
        );
        assert_eq!(seen("[DONE]"), (no, no, yes));
        let facts = meter.facts();
        assert_eq!(facts.usage.as_ref().unwrap().output_tokens(), 16);
        assert_eq!(facts.finish_reason.as_deref(), Some("length"));
        assert_eq!(facts.content_bytes, 3);
        let whole = br#"{"choices":[{"text":"Hey!","index":0,"finish_reason":"stop"}]}"#;
        let facts = Openai.reply(generic(OPENAI), OPENAI_COMPLETIONS, whole);
        assert_eq!((facts.content_bytes, facts.malformed), (4, false));
    }

    #[test]
    fn groq_reports_in_a_place_of_its_own() {
        let (_, facts) = run(&[
            r#"{"choices":[],"x_groq":{"id":"r"}}"#,
            r#"{"choices":[{"delta":{}}],"x_groq":{"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}}"#,
        ]);
        assert_eq!(facts.usage.unwrap().input_tokens(), 5);
    }

    #[test]
    fn an_error_inside_a_200_is_seen() {
        let (events, facts) = run(&[r#"{"error":{"message":"upstream died","code":502}}"#]);
        assert!(events[0].error && facts.error.is_some());
        let facts = Openai.reply(
            generic(OPENAI),
            OPENAI_CHAT,
            br#"{"error":{"message":"Rate limit","code":429}}"#,
        );
        assert_eq!(facts.error, Some(FailureClass::RateLimited));
    }

    #[test]
    fn nonsense_is_marked_and_never_fatal() {
        let (_, facts) = run(&[
            "{",
            "[]",
            "\"x\"",
            r#"{"choices":null}"#,
            r#"{"choices":[7]}"#,
            "[DONE]",
        ]);
        assert!(facts.malformed && facts.usage.is_none());
        assert!(
            Openai
                .reply(generic(OPENAI), OPENAI_CHAT, b"method=POST")
                .malformed
        );
    }
}
