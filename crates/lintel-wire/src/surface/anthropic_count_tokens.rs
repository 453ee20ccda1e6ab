//! `POST /v1/messages/count_tokens`: what a messages request would weigh, without making it.
//! <https://docs.anthropic.com/en/api/messages-count-tokens>

use bytes::Bytes;
use lintel_types::{ContentPart, Error, Label, Modality, Surface};

use super::anthropic_messages::{AnthropicMessages, part};
use super::{ErrorBody, Head, Place, SurfaceSpec, bad_json, member};
use crate::json;
use crate::provider::ANTHROPIC;

/// The surface's name.
pub const ANTHROPIC_COUNT_TOKENS: Surface = Surface::new("anthropic.count_tokens", ANTHROPIC);

/// The surface.
pub(super) struct AnthropicCountTokens;

impl SurfaceSpec for AnthropicCountTokens {
    fn surface(&self) -> Surface {
        ANTHROPIC_COUNT_TOKENS
    }

    fn path(&self) -> &'static str {
        "/v1/messages/count_tokens"
    }

    fn query(&self) -> &'static [&'static str] {
        AnthropicMessages.query()
    }

    fn head(&self, body: &[u8], place: &Place) -> Result<Head, Error> {
        Ok(Head {
            // Nothing is put out, and there is nothing to stream, whatever the body says.
            stream: false,
            max_output: Some(0),
            ..AnthropicMessages.head(body, place)?
        })
    }

    /// The conversation's, and the tools: they weigh too.
    fn parts(&self, body: &[u8]) -> Result<Vec<ContentPart>, Error> {
        let mut parts = AnthropicMessages.parts(body)?;
        let members = json::parse_object(body).map_err(bad_json)?;
        let tools = member(&members, "tools").map(|m| m.value);
        parts.extend(
            tools
                .filter(|t| !t.is_null())
                .map(|tools| part(tools, Modality::Unknown, Label::System)),
        );
        Ok(parts)
    }

    fn counts(&self) -> Option<fn(u64) -> Bytes> {
        Some(|tokens| Bytes::from(format!(r#"{{"input_tokens":{tokens}}}"#)))
    }

    fn error(&self, error: &ErrorBody<'_>) -> Bytes {
        AnthropicMessages.error(error)
    }

    fn stream_error(&self, error: &ErrorBody<'_>) -> Bytes {
        AnthropicMessages.stream_error(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_weigh_and_nothing_is_put_out() {
        let body = r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"name":"f","input_schema":{}}],"stream":true}"#;
        let head = AnthropicCountTokens
            .head(body.as_bytes(), &Place::default())
            .unwrap();
        assert!(!head.stream && head.max_output == Some(0));
        let parts = AnthropicCountTokens.parts(body.as_bytes()).unwrap();
        let seen: Vec<_> = parts.iter().map(|p| (p.label, p.size)).collect();
        assert_eq!(seen, [(Label::User, 4), (Label::System, 32)]);
        let written = AnthropicCountTokens.counts().unwrap()(7);
        assert_eq!(&*written, br#"{"input_tokens":7}"#);
    }
}
