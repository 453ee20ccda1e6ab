//! Decides the bytes of an answer, in either protocol: plain bodies of an exact length, and the
//! pieces of a stream.
//!
//! Pure: shape in, bytes out. A plain body has exactly the asked number of bytes (if it is at
//! least as long as its fixed part), so that a reader can tell a short answer from a whole one.

use bytes::Bytes;

/// The protocol of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Dialect {
    /// OpenAI chat completions.
    Chat,
    /// Anthropic messages.
    Messages,
}

/// The pieces of a stream; each is one write.
#[derive(Debug)]
pub(crate) struct Script {
    /// The opening and the first content.
    pub(crate) first: Bytes,
    /// Every further content.
    pub(crate) next: Bytes,
    /// The end, terminator included.
    pub(crate) last: Bytes,
}

/// Tokens that every answer reports as its prompt's.
const PROMPT_TOKENS: u32 = 200;
const WORDS: &str = "lorem ipsum dolor sit amet ";
const CHAT_CHUNK: &str = r#"data: {"id":"chatcmpl-mock","object":"chat.completion.chunk","created":1760000000,"model":"mock","system_fingerprint":"fp_mock","choices":"#;

impl Dialect {
    /// A plain answer of `bytes` bytes.
    pub(crate) fn plain(self, bytes: usize) -> Bytes {
        let tokens = (bytes / 5).max(1) as u32;
        let (head, tail) = match self {
            Dialect::Chat => (
                r#"{"id":"chatcmpl-mock","object":"chat.completion","created":1760000000,"model":"mock","choices":[{"index":0,"message":{"role":"assistant","content":""#.to_owned(),
                format!(r#"","refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{},"system_fingerprint":"fp_mock"}}"#, chat_usage(tokens)),
            ),
            Dialect::Messages => (
                r#"{"id":"msg_mock","type":"message","role":"assistant","model":"mock","content":[{"type":"text","text":""#.to_owned(),
                format!(r#""}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":{PROMPT_TOKENS},"output_tokens":{tokens}}}}}"#),
            ),
        };
        let room = bytes.saturating_sub(head.len() + tail.len());
        let text: String = WORDS.chars().cycle().take(room).collect();
        Bytes::from(head + &text + &tail)
    }

    /// The pieces of a stream of `chunks` chunks. `usage` matters to chat only: messages always tell.
    pub(crate) fn script(self, chunks: u32, usage: bool) -> Script {
        match self {
            Dialect::Chat => chat_script(chunks, usage),
            Dialect::Messages => messages_script(chunks),
        }
    }
}

fn chat_usage(tokens: u32) -> String {
    format!(
        r#"{{"prompt_tokens":{PROMPT_TOKENS},"completion_tokens":{tokens},"total_tokens":{}}}"#,
        PROMPT_TOKENS + tokens
    )
}

fn chat_script(chunks: u32, usage: bool) -> Script {
    let chunk = |delta: &str, finish: &str| {
        format!(
            "{CHAT_CHUNK}[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let mut last = chunk("{}", "\"stop\"");
    if usage {
        last += &format!("{CHAT_CHUNK}[],\"usage\":{}}}\n\n", chat_usage(chunks));
    }
    last += "data: [DONE]\n\n";
    Script {
        first: chunk(r#"{"role":"assistant","content":"Hello "}"#, "null").into(),
        next: chunk(r#"{"content":"lorem "}"#, "null").into(),
        last: last.into(),
    }
}

fn messages_script(chunks: u32) -> Script {
    let event =
        |name: &str, rest: &str| format!("event: {name}\ndata: {{\"type\":\"{name}\"{rest}}}\n\n");
    let delta = event(
        "content_block_delta",
        r#","index":0,"delta":{"type":"text_delta","text":"lorem "}"#,
    );
    let first = [
        event(
            "message_start",
            &format!(
                r#","message":{{"id":"msg_mock","type":"message","role":"assistant","model":"mock","content":[],"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":{PROMPT_TOKENS},"output_tokens":1}}}}"#
            ),
        ),
        event(
            "content_block_start",
            r#","index":0,"content_block":{"type":"text","text":""}"#,
        ),
        delta.clone(),
    ];
    let last = [
        event("content_block_stop", r#","index":0"#),
        event(
            "message_delta",
            &format!(
                r#","delta":{{"stop_reason":"end_turn","stop_sequence":null}},"usage":{{"output_tokens":{chunks}}}"#
            ),
        ),
        event("message_stop", ""),
    ];
    Script {
        first: first.concat().into(),
        next: delta.into(),
        last: last.concat().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_answer_has_exactly_the_asked_length() {
        for dialect in [Dialect::Chat, Dialect::Messages] {
            for bytes in [512, 1024, 4097] {
                assert_eq!(dialect.plain(bytes).len(), bytes, "{dialect:?}");
            }
            assert!(dialect.plain(0).ends_with(b"}"));
        }
    }

    #[test]
    fn usage_is_told_only_when_asked() {
        assert!(
            !Dialect::Chat
                .script(3, false)
                .last
                .windows(5)
                .any(|w| w == b"usage")
        );
        let told = Dialect::Chat.script(3, true).last;
        let text = std::str::from_utf8(&told).unwrap();
        assert!(text.contains(
            r#""choices":[],"usage":{"prompt_tokens":200,"completion_tokens":3,"total_tokens":203}"#
        ));
        assert!(text.ends_with("data: [DONE]\n\n"));
    }

    #[test]
    fn messages_end_with_their_own_terminator() {
        let last = Dialect::Messages.script(3, false).last;
        assert!(last.ends_with(b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"));
    }
}
