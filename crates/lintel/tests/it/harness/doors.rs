//! Every door of the data listener: a surface's method, path, good body and dialect, as rows of one table.

use serde_json::Value;

use crate::harness::client::{Reply, Request};

/// How a surface writes its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tongue {
    /// `{"error":{"message","type","param","code"}}`
    Openai,
    /// `{"type":"error","error":{"type","message","code"}}`
    Anthropic,
    /// `{"error":{"code","message","status","details":[{"reason"}]}}`
    Gemini,
    /// `{"message","code"}` with `x-amzn-errortype`
    Bedrock,
}

/// One surface's operation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Door {
    /// Its name in tables.
    pub(crate) name: &'static str,
    /// `POST`, or `GET` where there is no body.
    pub(crate) method: &'static str,
    /// The path; `{model}` is where the model stands, if it does.
    pub(crate) path: &'static str,
    /// A good body; `{model}` is where the model stands, if it does.
    pub(crate) body: &'static str,
    /// Its dialect.
    pub(crate) tongue: Tongue,
    /// Whether its answer is a stream.
    pub(crate) stream: bool,
    /// The field that must be an array, or present: what the surface is about.
    pub(crate) content: &'static str,
}

const CHAT: &str = r#"{"model":"{model}","messages":[{"role":"user","content":"hello"}]}"#;
const CHAT_STREAM: &str =
    r#"{"model":"{model}","messages":[{"role":"user","content":"hello"}],"stream":true}"#;
const RESPONSES: &str = r#"{"model":"{model}","input":"hello","store":false}"#;
const RESPONSES_STREAM: &str = r#"{"model":"{model}","input":"hello","store":false,"stream":true}"#;
const MESSAGES: &str =
    r#"{"model":"{model}","max_tokens":64,"messages":[{"role":"user","content":"hello"}]}"#;
const MESSAGES_STREAM: &str = r#"{"model":"{model}","max_tokens":64,"messages":[{"role":"user","content":"hello"}],"stream":true}"#;
const GEMINI: &str = r#"{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}"#;
const CONVERSE: &str = r#"{"messages":[{"role":"user","content":[{"text":"hello"}]}]}"#;

const fn door(
    name: &'static str,
    path: &'static str,
    body: &'static str,
    tongue: Tongue,
    content: &'static str,
) -> Door {
    Door {
        name,
        method: "POST",
        path,
        body,
        tongue,
        stream: false,
        content,
    }
}

const fn stream(
    name: &'static str,
    path: &'static str,
    body: &'static str,
    tongue: Tongue,
    content: &'static str,
) -> Door {
    Door {
        stream: true,
        ..door(name, path, body, tongue, content)
    }
}

const fn look(name: &'static str, path: &'static str, tongue: Tongue) -> Door {
    Door {
        method: "GET",
        ..door(name, path, "", tongue, "")
    }
}

/// Every door.
pub(crate) const DOORS: &[Door] = &[
    door(
        "chat",
        "/v1/chat/completions",
        CHAT,
        Tongue::Openai,
        "messages",
    ),
    stream(
        "chat, streamed",
        "/v1/chat/completions",
        CHAT_STREAM,
        Tongue::Openai,
        "messages",
    ),
    door("responses", "/v1/responses", RESPONSES, Tongue::Openai, ""),
    stream(
        "responses, streamed",
        "/v1/responses",
        RESPONSES_STREAM,
        Tongue::Openai,
        "",
    ),
    door(
        "messages",
        "/v1/messages",
        MESSAGES,
        Tongue::Anthropic,
        "messages",
    ),
    stream(
        "messages, streamed",
        "/v1/messages",
        MESSAGES_STREAM,
        Tongue::Anthropic,
        "messages",
    ),
    door(
        "gemini",
        "/v1beta/models/{model}:generateContent",
        GEMINI,
        Tongue::Gemini,
        "contents",
    ),
    stream(
        "gemini, streamed",
        "/v1beta/models/{model}:streamGenerateContent?alt=sse",
        GEMINI,
        Tongue::Gemini,
        "contents",
    ),
    door(
        "converse",
        "/model/{model}/converse",
        CONVERSE,
        Tongue::Bedrock,
        "messages",
    ),
    stream(
        "converse, streamed",
        "/model/{model}/converse-stream",
        CONVERSE,
        Tongue::Bedrock,
        "messages",
    ),
    door(
        "embeddings",
        "/v1/embeddings",
        r#"{"model":"{model}","input":"hello"}"#,
        Tongue::Openai,
        "",
    ),
    door(
        "completions",
        "/v1/completions",
        r#"{"model":"{model}","prompt":"hello"}"#,
        Tongue::Openai,
        "",
    ),
    door(
        "count_tokens",
        "/v1/messages/count_tokens",
        r#"{"model":"{model}","messages":[{"role":"user","content":"hello"}]}"#,
        Tongue::Anthropic,
        "messages",
    ),
    look("models", "/v1/models", Tongue::Openai),
    look("response", "/v1/responses/resp_1", Tongue::Openai),
];

impl Door {
    /// The door called `name`.
    pub(crate) fn called(name: &str) -> Door {
        *DOORS.iter().find(|d| d.name == name).unwrap()
    }

    /// The path for `model`; a slash in it is encoded.
    pub(crate) fn path_for(&self, model: &str) -> String {
        self.path.replace("{model}", &model.replace('/', "%2F"))
    }

    /// The body for `model`.
    pub(crate) fn body_for(&self, model: &str) -> String {
        self.body.replace("{model}", model)
    }

    /// Whether a body is read.
    pub(crate) fn has_body(&self) -> bool {
        self.method == "POST"
    }

    /// Whether the model stands in the body.
    pub(crate) fn names_model_in_body(&self) -> bool {
        self.body.contains("{model}")
    }

    /// A request without body and key.
    pub(crate) fn bare(&self, model: &str) -> Request {
        let request = Request::new(self.method, &self.path_for(model));
        if self.has_body() {
            request.header("content-type", "application/json")
        } else {
            request
        }
    }

    /// A whole request.
    pub(crate) fn request(&self, key: &str, model: &str) -> Request {
        let request = self
            .bare(model)
            .header("authorization", &format!("Bearer {key}"));
        if self.has_body() {
            request.body(self.body_for(model))
        } else {
            request
        }
    }

    /// The code of an error in this door's dialect; panics when the answer is none in it.
    pub(crate) fn code_of(&self, reply: &Reply) -> String {
        assert!(
            reply.ended.is_ok(),
            "{}: an error's answer is whole: {reply:?}",
            self.name
        );
        assert_eq!(
            reply.header("content-type"),
            Some("application/json"),
            "{}: {}",
            self.name,
            reply.text()
        );
        let json = reply.json();
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let error = &json["error"];
        let (message, code) = match self.tongue {
            Tongue::Openai => {
                assert!(
                    error["type"].is_string() && error.get("param").is_some(),
                    "{}: {json}",
                    self.name
                );
                (&error["message"], text(&error["code"]))
            }
            Tongue::Anthropic => {
                assert!(
                    json["type"] == "error" && error["type"].is_string(),
                    "{}: {json}",
                    self.name
                );
                (&error["message"], text(&error["code"]))
            }
            Tongue::Gemini => {
                assert!(
                    error["code"] == reply.status && error["status"].is_string(),
                    "{}: {json}",
                    self.name
                );
                (&error["message"], text(&error["details"][0]["reason"]))
            }
            Tongue::Bedrock => {
                assert!(
                    reply.header("x-amzn-errortype").is_some(),
                    "{}: {:?}",
                    self.name,
                    reply.head
                );
                (&json["message"], text(&json["code"]))
            }
        };
        assert!(
            message.as_str().is_some_and(|m| m.len() > 5),
            "{}: {json}",
            self.name
        );
        code
    }
}
