//! `POST /model/{modelId}/converse` and `/converse-stream`, the Bedrock dialect.
//! <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>
//!
//! The model stands in the path, and so does the wish for a stream.

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use lintel_types::{ContentPart, ContentSource, Error, Kind, Label, Modality, Surface};

use super::{ErrorBody, Head, Place, SurfaceSpec, bad_field, bad_json, member, strip};
use crate::aws_events;
use crate::json::{self, Node, write};
use crate::percent;
use crate::provider::BEDROCK;

/// The surface's name.
pub const BEDROCK_CONVERSE: Surface = Surface::new("bedrock.converse", BEDROCK);

/// The longest model id that AWS takes.
const LONGEST_MODEL: usize = 2_048;

/// The surface.
pub(super) struct BedrockConverse;

impl SurfaceSpec for BedrockConverse {
    fn surface(&self) -> Surface {
        BEDROCK_CONVERSE
    }

    fn path(&self) -> &'static str {
        "/model/{modelId}/converse"
    }

    fn place(&self, path: &str) -> Option<Place> {
        let (model, operation) = path.strip_prefix("/model/")?.rsplit_once('/')?;
        let stream = match operation {
            "converse" => false,
            "converse-stream" => true,
            _ => return None,
        };
        let model = percent::decode(model)
            .map(std::borrow::Cow::into_owned)
            .filter(|m| !m.is_empty())?;
        Some(Place {
            model: Some(model),
            stream,
            object: None,
        })
    }

    fn head(&self, body: &[u8], place: &Place) -> Result<Head, Error> {
        let members = json::parse_object(body).map_err(bad_json)?;
        let model = place.model.clone().unwrap_or_default();
        if model.is_empty() || model.len() > LONGEST_MODEL {
            return Err(bad_field("modelId", "a name of 1 to 2048 bytes"));
        }
        let messages = member(&members, "messages").map(|m| m.value);
        if messages.is_some_and(|m| m.kind() != json::Kind::Array) {
            return Err(bad_field("$.messages", "an array"));
        }
        let config = member(&members, "inferenceConfig").map(|m| m.value);
        Ok(Head {
            model,
            model_span: None,
            stream: place.stream,
            max_output: config
                .and_then(|c| c.get("maxTokens"))
                .and_then(|n| n.u64()),
            choices: 1,
            ask_usage: None,
            strip_ours: strip(&members, "lintel"),
            may_name_objects: true,
        })
    }

    fn parts(&self, body: &[u8]) -> Result<Vec<ContentPart>, Error> {
        let members = json::parse_object(body).map_err(bad_json)?;
        let value = |key: &str| member(&members, key).map(|m| m.value);
        let mut parts = Vec::new();
        let system = value("system");
        for block in system.iter().flat_map(Node::items) {
            block_parts(block, Label::System, &mut parts);
        }
        let messages = value("messages");
        for message in messages.iter().flat_map(Node::items) {
            let label = match message.get("role").and_then(|r| r.text()).as_deref() {
                Some("assistant") => Label::Assistant,
                Some("system") => Label::System,
                _ => Label::User,
            };
            let content = message.get("content");
            for block in content.iter().flat_map(Node::items) {
                block_parts(block, label, &mut parts);
            }
        }
        Ok(parts)
    }

    fn error(&self, error: &ErrorBody<'_>) -> Bytes {
        let mut out = String::with_capacity(error.message.len() + 64);
        write::object(&mut out, |o| {
            o.str("message", &error.message);
            if let Some(code) = &error.code {
                o.raw("code", code);
            }
            if let Some(id) = error.request_id {
                o.str("requestId", id);
            }
        });
        Bytes::from(out)
    }

    /// SDKs take an error's name from this header, and retry by it.
    fn error_headers(&self, error: &ErrorBody<'_>) -> Vec<(HeaderName, HeaderValue)> {
        let name = match error.kind_name.as_deref() {
            Some(name) if name.ends_with("Exception") => name,
            _ => type_name(error.kind),
        };
        let value = HeaderValue::from_str(name).ok();
        let header = HeaderName::from_static("x-amzn-errortype");
        value.map(|v| (header, v)).into_iter().collect()
    }

    fn stream_error(&self, error: &ErrorBody<'_>) -> Bytes {
        Bytes::from(exception(error))
    }
}

/// An error as the last frame of a stream. Streams have five exceptions and no more.
fn exception(error: &ErrorBody<'_>) -> Vec<u8> {
    let name = match error.kind {
        Kind::RateLimited | Kind::BudgetExceeded => "throttlingException",
        Kind::Overloaded | Kind::Deadline => "serviceUnavailableException",
        Kind::Upstream | Kind::UpstreamCredential => "modelStreamErrorException",
        Kind::Internal | Kind::RequestTimeout => "internalServerException",
        _ => "validationException",
    };
    aws_events::exception(name, &error.message)
}

/// A block's parts: a tool's result is looked into, for what it brings in are parts like any other.
fn block_parts(block: Node<'_>, label: Label, parts: &mut Vec<ContentPart>) {
    for (key, value) in block.members() {
        let (modality, label) = match &*key {
            "text" if label == Label::Tool => (Modality::ToolResult, label),
            "text" | "guardContent" | "citationsContent" => (Modality::Text, label),
            "image" => (Modality::Image, label),
            "audio" => (Modality::Audio, label),
            "video" => (Modality::Video, label),
            "document" => (Modality::Document, label),
            "reasoningContent" => (Modality::Reasoning, label),
            "toolUse" => (Modality::ToolCall, label),
            "json" | "searchResult" => (Modality::ToolResult, Label::Tool),
            "toolResult" => {
                let content = value.get("content");
                for inner in content.iter().flat_map(Node::items) {
                    block_parts(inner, Label::Tool, parts);
                }
                continue;
            }
            "cachePoint" | "type" => continue,
            _ => (Modality::Unknown, label),
        };
        let (node, source) = sourced(value);
        parts.push(ContentPart {
            modality,
            size: node.span().len(),
            source,
            label,
        });
    }
}

/// Where a value's bytes are: behind an address, or here.
fn sourced(value: Node<'_>) -> (Node<'_>, ContentSource) {
    if let Some(uri) = value.at(&["source", "s3Location", "uri"]) {
        return (uri, ContentSource::Url(uri.span()));
    }
    let bytes = value.at(&["source", "bytes"]);
    let node = bytes
        .or_else(|| value.at(&["source", "text"]))
        .unwrap_or(value);
    (node, ContentSource::Inline(node.span()))
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::InvalidRequest
        | Kind::MethodNotAllowed
        | Kind::UnsupportedMedia
        | Kind::ExpectationFailed
        | Kind::TooLarge
        | Kind::RequestTimeout => "ValidationException",
        Kind::Authentication => "UnrecognizedClientException",
        Kind::Permission => "AccessDeniedException",
        Kind::NotFound => "ResourceNotFoundException",
        Kind::RateLimited => "ThrottlingException",
        // Throttling is tried again by SDKs; a spent budget must not be.
        Kind::BudgetExceeded => "ServiceQuotaExceededException",
        Kind::Overloaded => "ServiceUnavailableException",
        Kind::Deadline => "ModelTimeoutException",
        Kind::Upstream | Kind::UpstreamCredential => "ModelErrorException",
        Kind::Internal => "InternalServerException",
    }
}

#[cfg(test)]
mod tests;
