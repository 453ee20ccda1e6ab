//! How a handler reads a request: a capped JSON body, a query without strangers.
//!
//! Decides what is refused before a handler runs, each with a [`Problem`] that names the field or the
//! place. Nothing is ignored: an unknown field or parameter is an error, because a misspelt filter
//! that is dropped answers another question than the one asked.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The longest body that is read.
pub(crate) const BODY_BYTES: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// A JSON body.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(
            request
                .headers()
                .get(header::CONTENT_TYPE)
                .and_then(|value| value.to_str().ok()),
        ) {
            let detail = "the body must be JSON: send `content-type: application/json`";
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media",
                detail,
            ));
        }
        let bytes = body(request).await?;
        serde_json::from_slice(&bytes)
            .map(JsonBody)
            .map_err(|error| {
                Problem::invalid(format!("the body is not what this path reads: {error}"))
            })
    }
}

/// No body at all, which is what a change without arguments takes.
#[derive(Debug)]
pub(crate) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        match body(request).await?.is_empty() {
            true => Ok(NoBody),
            false => Err(Problem::invalid("this path reads no body: send none")),
        }
    }
}

async fn body(request: Request) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("the body is over {BODY_BYTES} bytes"),
        )
    };
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_BYTES) {
        return Err(too_large());
    }
    let read = tokio::time::timeout(
        BODY_TIME,
        Limited::new(request.into_body(), BODY_BYTES).collect(),
    )
    .await;
    match read {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::invalid("the body broke off")),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            "the body took too long to arrive",
        )),
    }
}

fn is_json(content_type: Option<&str>) -> bool {
    let essence = content_type
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// The query's parameters.
#[derive(Debug)]
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        read.map(|Query(params)| Params(params)).map_err(|error| {
            Problem::invalid(format!(
                "the query is not what this path reads: {}",
                error.body_text()
            ))
        })
    }
}

/// A path that reads no parameters.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParams {}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        name: String,
    }

    async fn read(
        content_type: &str,
        body: impl Into<Body>,
    ) -> Result<String, (u16, &'static str)> {
        let request = Request::builder()
            .header("content-type", content_type)
            .body(body.into())
            .unwrap();
        let read = JsonBody::<Thing>::from_request(request, &()).await;
        read.map(|JsonBody(thing)| thing.name)
            .map_err(|problem| (problem.status().as_u16(), problem.code()))
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_body_is_json_of_the_right_shape_under_the_cap() {
        assert_eq!(
            read("application/json; charset=utf-8", r#"{"name":"a"}"#).await,
            Ok("a".into())
        );
        assert_eq!(
            read("text/plain", r#"{"name":"a"}"#).await,
            Err((415, "unsupported_media"))
        );
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
                read("application/json", bad).await,
                Err((400, "invalid_request")),
                "{bad}"
            );
        }
        assert_eq!(
            read("application/json", Body::from(vec![0xff; 10])).await,
            Err((400, "invalid_request"))
        );
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_body_over_the_cap_is_refused_with_or_without_its_length() {
        let long = format!(r#"{{"name":"{}"}}"#, "a".repeat(BODY_BYTES));
        assert_eq!(
            read("application/json", long.clone()).await,
            Err((413, "too_large"))
        );
        let request = Request::builder()
            .header("content-type", "application/json")
            .header("content-length", long.len())
            .body(Body::empty())
            .unwrap();
        let problem = JsonBody::<Thing>::from_request(request, &())
            .await
            .unwrap_err();
        assert_eq!(problem.code(), "too_large");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_parameter_that_nobody_reads_is_refused() {
        for (query, good) in [
            ("/?name=a", true),
            ("/", false),
            ("/?name=a&nmae=b", false),
            ("/?name=a&name=b", false),
        ] {
            let (mut parts, ()) = axum::http::Request::get(query)
                .body(())
                .unwrap()
                .into_parts();
            let read = Params::<Thing>::from_request_parts(&mut parts, &()).await;
            assert_eq!(
                read.is_ok_and(|Params(thing)| thing.name == "a"),
                good,
                "{query}"
            );
        }
    }
}
