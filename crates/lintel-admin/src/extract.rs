//! How a request is read: its path, a query without strangers, a capped JSON body.
//!
//! Decides what is refused before a handler runs, each with a [`Problem`] that names the field or the
//! place. Nothing is ignored: an unknown field or parameter is an error, because a misspelt filter
//! that is dropped answers another question than the one asked.

use std::time::Duration;

use axum::body::{self, Bytes};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::header;
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::codes;
use crate::problem::Problem;

/// The longest body that is read.
pub(crate) const BODY_BYTES: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// What an operation reads of a request's body.
pub(crate) trait Body: Sized + Send + 'static {
    /// The schema; none when there must be no body.
    fn schema() -> Option<fn(&mut SchemaGenerator) -> Schema>;
    /// The body, read.
    ///
    /// # Errors
    /// A problem that names what can't be read.
    fn read(parts: &Parts, bytes: &Bytes) -> Result<Self, Problem>;
}

/// A JSON body.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Body for JsonBody<T> {
    fn schema() -> Option<fn(&mut SchemaGenerator) -> Schema> {
        Some(|generator| generator.subschema_for::<T>())
    }

    fn read(parts: &Parts, bytes: &Bytes) -> Result<Self, Problem> {
        let content_type = parts.headers.get(header::CONTENT_TYPE);
        if !is_json(content_type.and_then(|value| value.to_str().ok())) {
            let detail = "the body must be JSON: send `content-type: application/json`";
            return Err(Problem::new(&codes::UNSUPPORTED_MEDIA, detail));
        }
        serde_json::from_slice(bytes)
            .map(JsonBody)
            .map_err(|error| {
                Problem::invalid(format!("the body is not what this path reads: {error}"))
            })
    }
}

/// No body at all, which is what a change without arguments takes.
#[derive(Debug)]
pub(crate) struct NoBody;

impl Body for NoBody {
    fn schema() -> Option<fn(&mut SchemaGenerator) -> Schema> {
        None
    }

    fn read(_: &Parts, bytes: &Bytes) -> Result<Self, Problem> {
        match bytes.is_empty() {
            true => Ok(NoBody),
            false => Err(Problem::invalid("this path reads no body: send none")),
        }
    }
}

/// No parameters, in a path or a query.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// The object that a path names.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ById {
    /// The object's id.
    #[schemars(length(min = 1, max = 128))]
    pub(crate) id: String,
}

/// The bytes of a body, within size and time.
///
/// # Errors
/// A problem when it is too long, too slow or broken off.
pub(crate) async fn bytes(parts: &Parts, body: body::Body) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            &codes::TOO_LARGE,
            format!("the body is over {BODY_BYTES} bytes"),
        )
    };
    let announced = parts.headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_BYTES) {
        return Err(too_large());
    }
    let read = tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_BYTES).collect()).await;
    match read {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::invalid("the body broke off")),
        Err(_) => {
            let detail = "the body took too long to arrive";
            Err(Problem::new(&codes::REQUEST_TIMEOUT, detail))
        }
    }
}

fn is_json(content_type: Option<&str>) -> bool {
    let essence = content_type
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// What the path `template` names in this request.
///
/// # Errors
/// A problem when a segment is no UTF-8, or not of its type.
pub(crate) async fn path<P>(template: &str, parts: &mut Parts) -> Result<P, Problem>
where
    P: DeserializeOwned + Send + 'static,
{
    if !template.contains('{') {
        // A path without parameters is read as the empty object.
        let none = serde_json::Value::Object(serde_json::Map::new());
        return serde_json::from_value(none).map_err(|_| Problem::internal());
    }
    let read = Path::<P>::from_request_parts(parts, &()).await;
    read.map(|Path(path)| path)
        .map_err(|error| Problem::invalid(format!("the path can't be read: {}", error.body_text())))
}

/// The query's parameters.
///
/// # Errors
/// A problem that names the parameter that is unknown, twice there or can't be read.
pub(crate) fn query<Q: DeserializeOwned>(parts: &Parts) -> Result<Q, Problem> {
    let read = Query::<Q>::try_from_uri(&parts.uri);
    read.map(|Query(params)| params).map_err(|error| {
        Problem::invalid(format!(
            "the query is not what this path reads: {}",
            error.body_text()
        ))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        name: String,
    }

    fn parts(uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn read(content_type: &str, body: impl Into<Bytes>) -> Result<String, &'static str> {
        let parts = parts("/", &[("content-type", content_type)]);
        let read = JsonBody::<Thing>::read(&parts, &body.into());
        read.map(|JsonBody(thing)| thing.name)
            .map_err(|problem| problem.code())
    }

    #[test]
    fn a_body_is_json_of_the_right_shape() {
        let good = r#"{"name":"a"}"#;
        assert_eq!(
            read("application/json; charset=utf-8", good),
            Ok("a".into())
        );
        assert_eq!(read("text/plain", good), Err("unsupported_media"));
        for bad in [
            "",
            "{",
            r#"{"name":"a","more":1}"#,
            r#"{"name":"a","name":"b"}"#,
            r#"{"name":"a"}{}"#,
            "[]",
            "\u{feff}{}",
        ] {
            assert_eq!(
                read("application/json", bad),
                Err("invalid_request"),
                "{bad}"
            );
        }
        assert_eq!(
            read("application/json", vec![0xff; 10]),
            Err("invalid_request")
        );
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_body_over_the_cap_is_refused_with_or_without_its_length() {
        let long = body::Body::from("a".repeat(BODY_BYTES + 1));
        let refused = bytes(&parts("/", &[]), long).await.unwrap_err();
        assert_eq!(refused.code(), "too_large");
        let announced = parts("/", &[("content-length", "1048577")]);
        let refused = bytes(&announced, body::Body::empty()).await.unwrap_err();
        assert_eq!(refused.code(), "too_large");
        let just = body::Body::from("a".repeat(BODY_BYTES));
        assert_eq!(
            bytes(&parts("/", &[]), just).await.unwrap().len(),
            BODY_BYTES
        );
    }

    #[test]
    fn a_parameter_that_nobody_reads_is_refused() {
        for (uri, good) in [
            ("/?name=a", true),
            ("/", false),
            ("/?name=a&nmae=b", false),
            ("/?name=a&name=b", false),
        ] {
            let read = query::<Thing>(&parts(uri, &[]));
            assert_eq!(read.is_ok_and(|thing| thing.name == "a"), good, "{uri}");
        }
    }
}
