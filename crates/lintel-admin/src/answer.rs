//! The shapes of an answer: one object, a new one, a page of a list, or a fact.
//!
//! The type that a handler returns says status, headers and schema; the OpenAPI document reads them
//! from the same type, so the two can't disagree. An object's entity tag covers everything that is shown
//! of it, but for what moves by itself ([`UNTAGGED`]).

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Members that no tag covers: a tag that every call of a key changes would be of no use to who edits the key.
const UNTAGGED: [&str; 1] = ["last_used"];

/// Says that an answer was given before, to the same call.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer before it is HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) etag: Option<String>,
    pub(crate) location: Option<String>,
    /// The name of the new object whose secret is in the body.
    pub(crate) secret_of: Option<String>,
    /// Whether it was given before, to the same call.
    pub(crate) replayed: bool,
}

/// What a handler may return.
pub(crate) trait Answer: Sized {
    /// The status of success.
    const STATUS: u16 = 200;
    /// Whether it carries an entity tag.
    const TAGGED: bool = false;
    /// Whether it says that something was made.
    const CREATES: bool = false;
    /// The schema of the body.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
    /// The answer itself.
    fn reply(self) -> serde_json::Result<Reply>;
}

/// One object, with its tag.
pub(crate) struct One<T>(pub(crate) T);

/// A new object: 201, with where it can be read and its tag.
pub(crate) struct Created<T> {
    location: String,
    etag: String,
    secret_of: Option<String>,
    body: T,
}

/// An answer that is no object: sums, status, what a command came to.
pub(crate) struct Fact<T>(pub(crate) T);

impl<T: Serialize + JsonSchema> Created<T> {
    /// The new object `id` of the list at `path`, shown as `object` from now on and answered as `body`.
    pub(crate) fn new(path: &str, id: &str, object: &impl Serialize, body: T) -> Self {
        Self {
            location: format!("{}{path}/{id}", crate::operation::BASE),
            etag: tag(object).unwrap_or_default(),
            secret_of: None,
            body,
        }
    }

    /// The body holds the secret of the object `id`: it is never remembered, and shown this once.
    #[must_use]
    pub(crate) fn with_secret_of(mut self, id: &str) -> Self {
        self.secret_of = Some(id.to_owned());
        self
    }
}

impl<T: Serialize + JsonSchema> Answer for One<T> {
    const TAGGED: bool = true;
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
    fn reply(self) -> serde_json::Result<Reply> {
        let etag = Some(tag(&self.0)?);
        Ok(Reply {
            etag,
            ..plain(Self::STATUS, &self.0)?
        })
    }
}

impl<T: Serialize + JsonSchema> Answer for Created<T> {
    const STATUS: u16 = 201;
    const TAGGED: bool = true;
    const CREATES: bool = true;
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
    fn reply(self) -> serde_json::Result<Reply> {
        Ok(Reply {
            etag: Some(self.etag),
            location: Some(self.location),
            secret_of: self.secret_of,
            ..plain(Self::STATUS, &self.body)?
        })
    }
}

/// Something that has been begun and is done later: 202.
pub(crate) struct Accepted<T>(pub(crate) T);

impl<T: Serialize + JsonSchema> Answer for Accepted<T> {
    const STATUS: u16 = 202;
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
    fn reply(self) -> serde_json::Result<Reply> {
        plain(Self::STATUS, &self.0)
    }
}

impl<T: Serialize + JsonSchema> Answer for Fact<T> {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
    fn reply(self) -> serde_json::Result<Reply> {
        plain(Self::STATUS, &self.0)
    }
}

/// An answer of `status` that is `body` and nothing else.
pub(crate) fn plain(status: u16, body: &impl Serialize) -> serde_json::Result<Reply> {
    Ok(Reply {
        status,
        body: serde_json::to_vec(body)?,
        etag: None,
        location: None,
        secret_of: None,
        replayed: false,
    })
}

/// The entity tag of an object: RFC 9110 §8.8.3.
fn tag(object: &impl Serialize) -> serde_json::Result<String> {
    let mut shown = serde_json::to_value(object)?;
    leave_out_untagged(&mut shown);
    let digest = Sha256::digest(shown.to_string());
    let hex = digest.iter().take(8).map(|byte| format!("{byte:02x}"));
    Ok(format!("\"{}\"", hex.collect::<String>()))
}

fn leave_out_untagged(shown: &mut Value) {
    match shown {
        Value::Object(fields) => {
            fields.retain(|name, _| !UNTAGGED.contains(&name.as_str()));
            fields.values_mut().for_each(leave_out_untagged);
        }
        Value::Array(list) => list.iter_mut().for_each(leave_out_untagged),
        _ => {}
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = (status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        // What the API says is for who asked, and true for now.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let mut set = |name: HeaderName, value: Option<String>| {
            if let Some(value) = value.and_then(|text| HeaderValue::try_from(text).ok()) {
                headers.insert(name, value);
            }
        };
        set(header::ETAG, self.etag);
        set(header::LOCATION, self.location);
        let replayed = self.replayed.then(|| "true".to_owned());
        set(REPLAYED, replayed);
        response
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tag_covers_what_is_shown_but_not_what_moves_by_itself() {
        let of = |object: Value| tag(&object).unwrap();
        let key = of(json!({"id": "key_1", "state": "active", "last_used": null}));
        assert_eq!(
            key,
            of(json!({"state": "active", "id": "key_1", "last_used": "2026-11-24T00:00:00Z"}))
        );
        assert_ne!(key, of(json!({"id": "key_1", "state": "disabled"})));
        assert!(
            key.starts_with('"') && key.ends_with('"') && key.len() == 18,
            "{key}"
        );
    }

    #[test]
    fn a_new_object_is_named_where_it_can_be_read() {
        let shown = json!({"id": "key_1"});
        let body = json!({"id": "key_1", "key": "lk_secret"});
        let created = Created::new("/keys", "key_1", &shown, body).with_secret_of("key_1");
        let reply = created.reply().unwrap();
        assert_eq!(reply.location.as_deref(), Some("/api/v1/keys/key_1"));
        assert_eq!(
            reply.etag,
            Some(tag(&shown).unwrap()),
            "the tag that reading it gives"
        );
        assert_eq!(
            (reply.status, reply.secret_of.as_deref()),
            (201, Some("key_1"))
        );
    }
}
