//! `POST /v1/completions`, OpenAI's older surface: a text goes on. <https://platform.openai.com/docs/api-reference/completions>

use bytes::Bytes;
use lintel_types::{ContentPart, Error, Label, Modality, Surface};

use super::{
    ErrorBody, Head, Place, SurfaceSpec, bad_field, bad_json, common_head, member, openai,
};
use crate::json::{self, Node};
use crate::provider::OPENAI;

/// The surface's name.
pub const OPENAI_COMPLETIONS: Surface = Surface::new("openai.completions", OPENAI);

/// The surface.
pub(super) struct OpenaiCompletions;

impl SurfaceSpec for OpenaiCompletions {
    fn surface(&self) -> Surface {
        OPENAI_COMPLETIONS
    }

    fn path(&self) -> &'static str {
        "/v1/completions"
    }

    fn head(&self, body: &[u8], _place: &Place) -> Result<Head, Error> {
        let members = json::parse_object(body).map_err(bad_json)?;
        let mut head = common_head(&members)?;
        let prompt = member(&members, "prompt").map(|m| m.value);
        // A prompt may be absent or null: then the model begins a document of its own.
        let fits = |n: &Node<'_>| {
            matches!(
                n.kind(),
                json::Kind::String | json::Kind::Array | json::Kind::Null
            )
        };
        if !prompt.as_ref().is_none_or(fits) {
            return Err(bad_field("$.prompt", "a string or an array"));
        }
        let number = |key: &str| member(&members, key).and_then(|m| m.value.u64());
        head.max_output = number("max_tokens");
        // `best_of` are written and charged, of which `n` are sent; each prompt of a list gets as many.
        let each = number("n").unwrap_or(1).max(number("best_of").unwrap_or(1));
        let prompts = prompt.map_or(1, |p| openai::input_parts(p).len().max(1) as u64);
        head.choices = each.saturating_mul(prompts);
        if head.stream {
            head.ask_usage = openai::ask_usage(&members)?;
        }
        Ok(head)
    }

    fn parts(&self, body: &[u8]) -> Result<Vec<ContentPart>, Error> {
        let members = json::parse_object(body).map_err(bad_json)?;
        let value = |key: &str| {
            let node = member(&members, key).map(|m| m.value);
            node.filter(|n| !n.is_null())
        };
        let mut parts = value("prompt").map(openai::input_parts).unwrap_or_default();
        parts.extend(value("suffix").map(|s| openai::inline(s, Modality::Text, Label::User)));
        Ok(parts)
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

    fn head(body: &str) -> Result<Head, Error> {
        OpenaiCompletions.head(body.as_bytes(), &Place::default())
    }

    #[test]
    fn every_answer_that_is_charged_is_counted() {
        for (rest, choices) in [
            ("", 1),
            (r#","prompt":null"#, 1),
            (r#","prompt":"a","n":3"#, 3),
            (r#","prompt":"a","n":2,"best_of":5"#, 5),
            (r#","prompt":["a","b"],"n":2"#, 4),
            (r#","prompt":[1,2,3]"#, 1),
            (r#","prompt":[[1,2],[3]]"#, 2),
            (r#","prompt":[]"#, 1),
            (r#","prompt":["a","b"],"n":18446744073709551615"#, u64::MAX),
        ] {
            let body = format!(r#"{{"model":"m"{rest},"max_tokens":7}}"#);
            let head = head(&body).unwrap();
            assert_eq!(
                (head.choices, head.max_output),
                (choices, Some(7)),
                "{body}"
            );
        }
        assert!(head(r#"{"model":"m","prompt":7}"#).is_err());
    }

    #[test]
    fn a_stream_is_asked_for_its_usage() {
        let body = r#"{"model":"m","prompt":"a","stream":true}"#;
        let edit = head(body).unwrap().ask_usage.unwrap();
        let mut text = body.to_owned();
        text.replace_range(edit.range, std::str::from_utf8(&edit.with).unwrap());
        assert_eq!(
            text,
            r#"{"model":"m","prompt":"a","stream":true,"stream_options":{"include_usage":true}}"#
        );
    }

    #[test]
    fn prompt_and_suffix_are_the_users() {
        let body = r#"{"model":"m","prompt":["a",[1]],"suffix":"z"}"#;
        let parts = OpenaiCompletions.parts(body.as_bytes()).unwrap();
        let seen: Vec<_> = parts.iter().map(|p| (p.modality, p.label)).collect();
        assert_eq!(
            seen,
            [
                (Modality::Text, Label::User),
                (Modality::Unknown, Label::User),
                (Modality::Text, Label::User)
            ]
        );
    }
}
