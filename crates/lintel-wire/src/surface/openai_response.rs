//! Stored responses: `GET` and `DELETE /v1/responses/{id}`, `POST …/cancel`, `GET …/input_items`.
//! <https://platform.openai.com/docs/api-reference/responses/get>
//!
//! No model is called, so nothing is booked; whose the response is, is decided by whoever holds the rows. Only what
//! can be an id is taken from the path: no byte of it can lead elsewhere at the provider.

use bytes::Bytes;
use lintel_types::{ContentPart, Error, ResourceKind, Surface};

use super::openai_responses::OpenaiResponses;
use super::{ErrorBody, Head, Object, Place, SurfaceSpec};
use crate::provider::OPENAI;

/// The surface's name.
pub const OPENAI_RESPONSE: Surface = Surface::new("openai.response", OPENAI);

const LONGEST_ID: usize = 256;

/// The surface.
pub(super) struct OpenaiResponse;

impl SurfaceSpec for OpenaiResponse {
    fn surface(&self) -> Surface {
        OPENAI_RESPONSE
    }

    fn path(&self) -> &'static str {
        "/v1/responses/{id}"
    }

    fn place(&self, path: &str) -> Option<Place> {
        let rest = path.strip_prefix("/v1/responses/")?;
        let (id, tail) = match rest.split_once('/') {
            None => (rest, ""),
            Some((id, "cancel")) => (id, "/cancel"),
            Some((id, "input_items")) => (id, "/input_items"),
            Some(_) => return None,
        };
        let is_id = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        let good = !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(is_id);
        let object = good.then(|| Object {
            kind: ResourceKind::Response,
            id: id.to_owned(),
            tail,
        })?;
        Some(Place {
            object: Some(object),
            ..Place::default()
        })
    }

    fn methods(&self, place: &Place) -> &'static [&'static str] {
        match place.object.as_ref().map(|o| o.tail) {
            Some("/cancel") => &["POST"],
            Some("/input_items") => &["GET"],
            _ => &["GET", "DELETE"],
        }
    }

    fn query(&self) -> &'static [&'static str] {
        &[
            "stream",
            "starting_after",
            "include",
            "include[]",
            "include%5B%5D",
            "include_obfuscation",
            "limit",
            "order",
            "after",
        ]
    }

    fn is_free(&self) -> bool {
        true
    }

    fn head(&self, _body: &[u8], _place: &Place) -> Result<Head, Error> {
        Ok(Head {
            model: String::new(),
            model_span: None,
            stream: false,
            max_output: None,
            choices: 1,
            ask_usage: None,
            strip_ours: None,
            may_name_objects: true,
        })
    }

    fn parts(&self, _body: &[u8]) -> Result<Vec<ContentPart>, Error> {
        Ok(Vec::new())
    }

    fn error(&self, error: &ErrorBody<'_>) -> Bytes {
        OpenaiResponses.error(error)
    }

    fn stream_error(&self, error: &ErrorBody<'_>) -> Bytes {
        OpenaiResponses.stream_error(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_an_id_and_nothing_else() {
        let object = |path: &str| OpenaiResponse.place(path)?.object;
        let check = |path: &str, id: &str, tail: &str| {
            let object = object(path).unwrap();
            assert_eq!((&*object.id, object.tail), (id, tail), "{path}");
        };
        check("/v1/responses/resp_1", "resp_1", "");
        check("/v1/responses/resp_1/cancel", "resp_1", "/cancel");
        check("/v1/responses/resp_1/input_items", "resp_1", "/input_items");
        for bad in [
            "/v1/responses/",
            "/v1/responses/..",
            "/v1/responses/a%2Fb",
            "/v1/responses/a/../b",
            "/v1/responses/a/files",
        ] {
            assert!(object(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn each_place_takes_its_own_methods() {
        let methods = |path: &str| OpenaiResponse.methods(&OpenaiResponse.place(path).unwrap());
        assert_eq!(methods("/v1/responses/a"), ["GET", "DELETE"]);
        assert_eq!(methods("/v1/responses/a/cancel"), ["POST"]);
        assert_eq!(methods("/v1/responses/a/input_items"), ["GET"]);
    }
}
