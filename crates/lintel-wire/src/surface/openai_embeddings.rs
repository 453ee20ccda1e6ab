//! `POST /v1/embeddings`, in OpenAI's dialect. <https://platform.openai.com/docs/api-reference/embeddings>
//!
//! What the vectors should look like (`dimensions`, `encoding_format`, other hosts' words) is between client and
//! provider: it passes unread.

use bytes::Bytes;
use lintel_types::{ContentPart, Error, Surface};

use super::{
    ErrorBody, Head, Place, SurfaceSpec, bad_field, bad_json, common_head, member, openai,
};
use crate::json;
use crate::provider::OPENAI;

/// The surface's name.
pub const OPENAI_EMBEDDINGS: Surface = Surface::new("openai.embeddings", OPENAI);

/// The surface.
pub(super) struct OpenaiEmbeddings;

impl SurfaceSpec for OpenaiEmbeddings {
    fn surface(&self) -> Surface {
        OPENAI_EMBEDDINGS
    }

    fn path(&self) -> &'static str {
        "/v1/embeddings"
    }

    fn head(&self, body: &[u8], _place: &Place) -> Result<Head, Error> {
        let members = json::parse_object(body).map_err(bad_json)?;
        let mut head = common_head(&members)?;
        match member(&members, "input").map(|m| m.value.kind()) {
            Some(json::Kind::String | json::Kind::Array) => {}
            Some(_) => return Err(bad_field("$.input", "a string or an array")),
            None => {
                return Err(bad_field(
                    "$.input",
                    "present: a text, a list of texts, or tokens",
                ));
            }
        }
        // There is nothing to stream, and nothing is put out, whatever the body says.
        head.stream = false;
        head.max_output = Some(0);
        Ok(head)
    }

    fn parts(&self, body: &[u8]) -> Result<Vec<ContentPart>, Error> {
        let members = json::parse_object(body).map_err(bad_json)?;
        let input = member(&members, "input").map(|m| m.value);
        Ok(input.map(openai::input_parts).unwrap_or_default())
    }

    fn error(&self, error: &ErrorBody<'_>) -> Bytes {
        openai::error(error)
    }

    fn stream_error(&self, error: &ErrorBody<'_>) -> Bytes {
        openai::stream_error(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lintel_types::{ContentSource, Label, Modality};

    #[test]
    fn inputs_are_texts_or_tokens_of_the_user() {
        let check = |input: &str, seen: &[(&str, Modality)]| {
            let body = format!(r#"{{"input":{input},"model":"m","encoding_format":"base64"}}"#);
            OpenaiEmbeddings
                .head(body.as_bytes(), &Place::default())
                .unwrap();
            let parts = OpenaiEmbeddings.parts(body.as_bytes()).unwrap();
            let got: Vec<_> = parts
                .iter()
                .map(|p| match &p.source {
                    ContentSource::Inline(span) if p.label == Label::User => {
                        (&body[span.clone()], p.modality)
                    }
                    other => panic!("{other:?}"),
                })
                .collect();
            assert_eq!(got, seen);
        };
        check("\"hi\"", &[("\"hi\"", Modality::Text)]);
        check(
            r#"["a", "b"]"#,
            &[("\"a\"", Modality::Text), ("\"b\"", Modality::Text)],
        );
        check("[1,2]", &[("[1,2]", Modality::Unknown)]);
        check(
            "[[1],[2,3]]",
            &[("[1]", Modality::Unknown), ("[2,3]", Modality::Unknown)],
        );
        check("[]", &[]);
    }

    #[test]
    fn refusals_name_the_path_and_nothing_streams() {
        let head = |body: &str| OpenaiEmbeddings.head(body.as_bytes(), &Place::default());
        for (body, says) in [
            (r#"{"input":"x"}"#, "$.model"),
            (r#"{"model":"m"}"#, "$.input"),
            (r#"{"model":"m","input":7}"#, "$.input"),
            (r#"{"model":"m","input":null}"#, "$.input"),
            (r#"{"model":"m","input":[{"a":1,"a":2}]}"#, "$.input[0]"),
        ] {
            let error = head(body).unwrap_err();
            assert!(error.message().contains(says), "{body}: {error}");
        }
        let head = head(r#"{"model":"m","input":"x","stream":true}"#).unwrap();
        assert!(!head.stream && head.ask_usage.is_none() && head.max_output == Some(0));
    }
}
