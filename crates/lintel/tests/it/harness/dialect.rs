//! The two surfaces as a test sees them: a request, the answers a provider gives, and what an error looks like.

use serde_json::{Value, json};

use crate::harness::client::{Reply, Request};
use crate::harness::provider::Seen;
use crate::harness::script::Script;

/// A surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Face {
    /// `POST /v1/chat/completions`
    Openai,
    /// `POST /v1/messages`
    Anthropic,
}

/// Both.
pub(crate) const FACES: [Face; 2] = [Face::Openai, Face::Anthropic];

impl Face {
    /// The surface's name in logs and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Face::Openai => "openai.chat",
            Face::Anthropic => "anthropic.messages",
        }
    }

    /// Its path.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Face::Openai => "/v1/chat/completions",
            Face::Anthropic => "/v1/messages",
        }
    }

    /// The provider of the tests' configuration that speaks it.
    pub(crate) fn provider(self) -> &'static str {
        match self {
            Face::Openai => "up",
            Face::Anthropic => "claude",
        }
    }

    /// `provider/model`, the name by which a direct key calls `model`.
    pub(crate) fn direct(self, model: &str) -> String {
        format!("{}/{model}", self.provider())
    }

    /// A small body for `model`.
    pub(crate) fn body(self, model: &str, stream: bool) -> String {
        let stream = if stream { ",\"stream\":true" } else { "" };
        let limit = if self == Face::Anthropic {
            ",\"max_tokens\":64"
        } else {
            ""
        };
        format!(
            r#"{{"model":"{model}"{limit},"messages":[{{"role":"user","content":"hello"}}]{stream}}}"#
        )
    }

    /// A request without a body: path, type and key in the surface's own way.
    pub(crate) fn head(self, key: &str) -> Request {
        let request = Request::new("POST", self.path()).header("content-type", "application/json");
        match self {
            Face::Openai => request.header("authorization", &format!("Bearer {key}")),
            Face::Anthropic => request
                .header("x-api-key", key)
                .header("anthropic-version", "2023-06-01"),
        }
    }

    /// A whole request for `model`.
    pub(crate) fn request(self, key: &str, model: &str, stream: bool) -> Request {
        self.head(key).body(self.body(model, stream))
    }

    /// The provider's whole answer.
    pub(crate) fn answer(self) -> &'static [u8] {
        match self {
            Face::Openai => OPENAI_ANSWER,
            Face::Anthropic => ANTHROPIC_ANSWER,
        }
    }

    /// The provider's stream, in pieces: events as hosts send them.
    pub(crate) fn events(self) -> &'static [&'static str] {
        match self {
            Face::Openai => OPENAI_EVENTS,
            Face::Anthropic => ANTHROPIC_EVENTS,
        }
    }

    /// The stream as the client must get it: without the usage event that it didn't ask for.
    pub(crate) fn client_stream(self) -> String {
        match self {
            Face::Openai => self
                .events()
                .iter()
                .filter(|e| !e.contains("\"usage\":{"))
                .copied()
                .collect(),
            Face::Anthropic => self.events().concat(),
        }
    }

    /// The bytes that end a whole stream.
    pub(crate) fn terminal(self) -> &'static str {
        match self {
            Face::Openai => "data: [DONE]\n\n",
            Face::Anthropic => "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        }
    }

    /// Tokens that both the answer and the stream report: input and output.
    pub(crate) const USAGE: (u64, u64) = (9, 3);

    /// A provider's error in this dialect.
    pub(crate) fn provider_error(self, kind: &str, message: &str) -> String {
        match self {
            Face::Openai => json!({"error": {"message": message, "type": kind, "param": "messages", "code": kind}}).to_string(),
            Face::Anthropic => json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011abc"}).to_string(),
        }
    }

    /// Reads an answer as an error in this dialect: its type, its code where the dialect has one, its message.
    pub(crate) fn error(self, reply: &Reply) -> Fault {
        assert!(reply.ended.is_ok(), "an error answer is whole: {reply:?}");
        assert_eq!(
            reply.header("content-type"),
            Some("application/json"),
            "{}",
            reply.text()
        );
        self.fault(&reply.json())
    }

    /// Reads JSON as an error in this dialect.
    pub(crate) fn fault(self, json: &Value) -> Fault {
        let error = &json["error"];
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        if self == Face::Anthropic {
            assert_eq!(json["type"], "error", "{json}");
        } else {
            assert!(
                error
                    .as_object()
                    .is_some_and(|e| e.contains_key("param") && e.contains_key("code")),
                "{json}"
            );
        }
        assert!(
            error["type"].is_string() && error["message"].is_string(),
            "not an error of {self:?}: {json}"
        );
        Fault {
            kind: text(&error["type"]),
            code: text(&error["code"]),
            message: text(&error["message"]),
        }
    }
}

/// An error as a client reads it.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The dialect's type.
    pub(crate) kind: String,
    /// The code; empty where the dialect has none.
    pub(crate) code: String,
    /// The sentence.
    pub(crate) message: String,
}

/// The good answer to whatever was asked.
pub(crate) fn answer(seen: &Seen) -> Script {
    let face = face_of(seen);
    if !seen.stream() {
        return Script::json("200 OK", face.answer());
    }
    // As hosts do: the usage event comes only when it was asked for.
    let asked = seen.json()["stream_options"]["include_usage"] == true;
    let events: Vec<&str> = face
        .events()
        .iter()
        .filter(|e| asked || face == Face::Anthropic || !e.contains("\"usage\":{"))
        .copied()
        .collect();
    Script::stream(&events)
}

/// The surface that a request to the provider belongs to.
pub(crate) fn face_of(seen: &Seen) -> Face {
    let target = seen.head.start.split(' ').nth(1).unwrap_or_default();
    // What of a query crosses says nothing of the surface.
    match target.split('?').next().unwrap_or_default() {
        "/v1/chat/completions" => Face::Openai,
        "/v1/messages" => Face::Anthropic,
        other => panic!("the provider was asked for {other}"),
    }
}

const OPENAI_ANSWER: &[u8] = br#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m-2026","choices":[{"index":0,"message":{"role":"assistant","content":"h\u00ebllo \ud83d\ude00","x_unknown":[1.50,6.240930669504435e-7]},"finish_reason":"stop"}],  "usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}"#;

const ANTHROPIC_ANSWER: &[u8] = br#"{"id":"msg_1","type":"message","role":"assistant","model":"m-2026","content":[{"type":"text","text":"h\u00ebllo"}],  "stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":3}}"#;

const OPENAI_EVENTS: &[&str] = &[
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n",
    ": a comment that stays\n\n",
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hel\"},\"finish_reason\":null}]}\n\n",
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3,\"total_tokens\":12}}\n\n",
    "data: [DONE]\n\n",
];

const ANTHROPIC_EVENTS: &[&str] = &[
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,\"output_tokens\":1}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
    "event: ping\ndata: {\"type\": \"ping\"}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hel\"}}\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"lo\"}}\n\n",
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":3}}\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
];
