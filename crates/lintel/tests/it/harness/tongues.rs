//! What a provider of each protocol answers when all is well: whole, and as a stream.

use crate::harness::dialect::Face;
use crate::harness::provider::Seen;

/// An operation that a provider is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    Chat,
    Responses,
    Messages,
    Gemini,
    Converse,
}

impl Speech {
    /// The operation, the model and whether a stream is asked for.
    pub(crate) fn of(seen: &Seen) -> (Speech, String, bool) {
        let target = seen.head.start.split(' ').nth(1).unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default();
        let asked = || (seen.model(), seen.stream());
        let (speech, (model, stream)) = match path {
            "/v1/chat/completions" => (Speech::Chat, asked()),
            "/v1/responses" => (Speech::Responses, asked()),
            "/v1/messages" => (Speech::Messages, asked()),
            _ => {
                let rest = path
                    .rsplit_once("/models/")
                    .map(|(_, r)| r.split_once(':').unwrap());
                let converse = path
                    .strip_prefix("/model/")
                    .map(|r| r.split_once('/').unwrap());
                match (rest, converse) {
                    (Some((model, verb)), _) => (
                        Speech::Gemini,
                        (model.to_owned(), verb.starts_with("stream")),
                    ),
                    (_, Some((model, verb))) => (
                        Speech::Converse,
                        (model.to_owned(), verb.ends_with("stream")),
                    ),
                    _ => panic!("the provider was asked for {target}"),
                }
            }
        };
        (speech, model, stream)
    }

    /// The content type of its streams.
    pub(crate) fn stream_type(self) -> &'static str {
        if self == Speech::Converse {
            "application/vnd.amazon.eventstream"
        } else {
            "text/event-stream"
        }
    }

    /// A whole answer: 9 tokens in, 3 out.
    pub(crate) fn answer(self) -> &'static [u8] {
        match self {
            Speech::Chat => Face::Openai.answer(),
            Speech::Messages => Face::Anthropic.answer(),
            Speech::Responses => RESPONSE,
            Speech::Gemini => GEMINI,
            Speech::Converse => CONVERSE,
        }
    }

    /// A stream, event by event: 9 tokens in, 3 out. The first `begun` of them end with its first content.
    pub(crate) fn events(self) -> Vec<Vec<u8>> {
        let sse = |list: &[&str]| list.iter().map(|e| e.as_bytes().to_vec()).collect();
        match self {
            Speech::Chat => sse(Face::Openai.events()),
            Speech::Messages => sse(Face::Anthropic.events()),
            Speech::Responses => RESPONSE_EVENTS
                .iter()
                .map(|(name, data)| {
                    format!("event: {name}\ndata: {{\"type\":\"{name}\",{data}}}\n\n").into_bytes()
                })
                .collect(),
            Speech::Gemini => GEMINI_EVENTS
                .iter()
                .map(|d| format!("data: {d}\n\n").into_bytes())
                .collect(),
            Speech::Converse => CONVERSE_EVENTS
                .iter()
                .map(|(name, data)| frame(name, data.as_bytes()))
                .collect(),
        }
    }

    /// How many events there are up to the first content, and with it.
    pub(crate) fn begun(self) -> usize {
        let shows = |e: &Vec<u8>| e.windows(4).any(|w| w == b"\"hel");
        self.events().iter().position(shows).unwrap() + 1
    }

    /// One event that is no last one, with `data` as what it says: for what can't be read.
    pub(crate) fn event(self, data: &[u8]) -> Vec<u8> {
        match self {
            Speech::Converse => frame("contentBlockDelta", data),
            _ => [b"data: ", data, b"\n\n"].concat(),
        }
    }

    /// The event by which a stream fails.
    pub(crate) fn error_event(self) -> Vec<u8> {
        match self {
            Speech::Chat => b"data: {\"error\":{\"message\":\"full house\",\"type\":\"overloaded_error\",\"param\":null,\"code\":\"overloaded\"}}\n\n".to_vec(),
            Speech::Responses => b"event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"full house\",\"param\":null,\"sequence_number\":9}\n\n".to_vec(),
            Speech::Messages => b"event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"full house\"}}\n\n".to_vec(),
            Speech::Gemini => b"data: {\"error\":{\"code\":503,\"message\":\"full house\",\"status\":\"UNAVAILABLE\"}}\n\n".to_vec(),
            Speech::Converse => exception("serviceUnavailableException", br#"{"message":"full house"}"#),
        }
    }

    /// An error's body.
    pub(crate) fn error_body(self) -> &'static [u8] {
        match self {
            Speech::Messages => br#"{"type":"error","error":{"type":"api_error","message":"not today, please"}}"#,
            Speech::Gemini => br#"{"error":{"code":500,"message":"not today, please","status":"INTERNAL"}}"#,
            Speech::Converse => br#"{"message":"not today, please"}"#,
            _ => br#"{"error":{"message":"not today, please","type":"server_error","param":null,"code":null}}"#,
        }
    }
}

const RESPONSE: &[u8] = br#"{"id":"resp_1","object":"response","created_at":1,"status":"completed","error":null,"incomplete_details":null,"model":"m","output":[{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"hello","annotations":[]}]}],"store":false,"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":0},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":12}}"#;
const GEMINI: &[u8] = br#"{"candidates":[{"content":{"parts":[{"text":"hello"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":3,"totalTokenCount":12},"modelVersion":"m","responseId":"r"}"#;
const CONVERSE: &[u8] = br#"{"output":{"message":{"role":"assistant","content":[{"text":"hello"}]}},"stopReason":"end_turn","usage":{"inputTokens":9,"outputTokens":3,"totalTokens":12},"metrics":{"latencyMs":5}}"#;

const RESPONSE_EVENTS: &[(&str, &str)] = &[
    (
        "response.created",
        r#""sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","model":"m","output":[],"store":false}"#,
    ),
    (
        "response.output_item.added",
        r#""sequence_number":1,"output_index":0,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}"#,
    ),
    (
        "response.content_part.added",
        r#""sequence_number":2,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}"#,
    ),
    (
        "response.output_text.delta",
        r#""sequence_number":3,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"hel""#,
    ),
    (
        "response.output_text.delta",
        r#""sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"lo""#,
    ),
    (
        "response.output_text.done",
        r#""sequence_number":5,"item_id":"msg_1","output_index":0,"content_index":0,"text":"hello""#,
    ),
    (
        "response.content_part.done",
        r#""sequence_number":6,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":"hello","annotations":[]}"#,
    ),
    (
        "response.output_item.done",
        r#""sequence_number":7,"output_index":0,"item":{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"hello","annotations":[]}]}"#,
    ),
    (
        "response.completed",
        r#""sequence_number":8,"response":{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"m","output":[{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":"hello","annotations":[]}]}],"store":false,"usage":{"input_tokens":9,"output_tokens":3,"total_tokens":12}}"#,
    ),
];
const GEMINI_EVENTS: &[&str] = &[
    r#"{"candidates":[{"content":{"parts":[{"text":"hel"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9},"modelVersion":"m","responseId":"r"}"#,
    r#"{"candidates":[{"content":{"parts":[{"text":"lo"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":3,"totalTokenCount":12},"modelVersion":"m","responseId":"r"}"#,
];
const CONVERSE_EVENTS: &[(&str, &str)] = &[
    ("messageStart", r#"{"role":"assistant"}"#),
    (
        "contentBlockDelta",
        r#"{"contentBlockIndex":0,"delta":{"text":"hel"}}"#,
    ),
    (
        "contentBlockDelta",
        r#"{"contentBlockIndex":0,"delta":{"text":"lo"}}"#,
    ),
    ("contentBlockStop", r#"{"contentBlockIndex":0}"#),
    ("messageStop", r#"{"stopReason":"end_turn"}"#),
    (
        "metadata",
        r#"{"usage":{"inputTokens":9,"outputTokens":3,"totalTokens":12},"metrics":{"latencyMs":5}}"#,
    ),
];

fn frame(name: &str, payload: &[u8]) -> Vec<u8> {
    framed(
        &[
            (":event-type", name),
            (":content-type", "application/json"),
            (":message-type", "event"),
        ],
        payload,
    )
}

fn exception(name: &str, payload: &[u8]) -> Vec<u8> {
    framed(
        &[
            (":exception-type", name),
            (":content-type", "application/json"),
            (":message-type", "exception"),
        ],
        payload,
    )
}

/// One frame of an AWS event stream: <https://smithy.io/2.0/aws/amazon-eventstream.html>.
fn framed(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(name.len() as u8);
        block.extend_from_slice(name.as_bytes());
        block.push(7);
        block.extend_from_slice(&(value.len() as u16).to_be_bytes());
        block.extend_from_slice(value.as_bytes());
    }
    let total = (16 + block.len() + payload.len()) as u32;
    let mut out = [total.to_be_bytes(), (block.len() as u32).to_be_bytes()].concat();
    out.extend_from_slice(&crc(&out).to_be_bytes());
    out.extend_from_slice(&block);
    out.extend_from_slice(payload);
    let sum = crc(&out);
    out.extend_from_slice(&sum.to_be_bytes());
    out
}

/// CRC-32 (IEEE 802.3), bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), step)
    })
}
