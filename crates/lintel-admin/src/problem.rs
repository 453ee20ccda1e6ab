//! How the control API says no: RFC 9457 `application/problem+json`.
//!
//! Decides the shape and nothing else; every handler's error is a [`Problem`]. A problem never
//! carries a secret, a file's content or the text of an internal error.
//! <https://www.rfc-editor.org/rfc/rfc9457>

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lintel_types::{Error, Retry};
use schemars::JsonSchema;
use serde::Serialize;

use crate::codes::{self, Code};

/// One line of a list of problems: a fault in the configuration, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fault {
    /// The path inside the document: `routes.chat.tiers[0]`.
    pub path: String,
    /// The file.
    pub origin: String,
    /// 1 for the first line; absent when the fault has no place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// 1 for the first column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// What is wrong and what to write instead.
    pub message: String,
    /// The valid word that was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

impl From<&lintel_config::Problem> for Fault {
    fn from(problem: &lintel_config::Problem) -> Self {
        let place = |n: usize| (n > 0).then_some(n);
        Self {
            path: problem.path.clone(),
            origin: problem.origin.clone(),
            line: place(problem.line),
            column: place(problem.column),
            message: problem.message.clone(),
            nearest: problem.nearest.clone(),
        }
    }
}

/// An answer that is not the one asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    faults: Vec<Fault>,
    retry_after: Option<Duration>,
}

/// A problem as it is shown: RFC 9457.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Shown<'a> {
    /// `urn:lintel:problem:` and the code.
    r#type: String,
    /// The status in words.
    title: &'a str,
    /// The HTTP status.
    status: u16,
    /// The stable name: what a script decides on.
    code: &'a str,
    /// What happened and what to do, for people.
    detail: &'a str,
    /// The single faults of a configuration.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    problems: &'a [Fault],
}

impl Problem {
    /// A problem; `detail` is a lower-case sentence that names the thing and the remedy.
    pub fn new(code: &'static Code, detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::from_u16(code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: code.name,
            detail: detail.into(),
            faults: Vec::new(),
            retry_after: None,
        }
    }

    /// 400: the request can't be understood.
    pub fn invalid(detail: impl Into<String>) -> Self {
        Self::new(&codes::INVALID_REQUEST, detail)
    }

    /// 404: no such path or object.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(&codes::NOT_FOUND, detail)
    }

    /// 500: a fault of Lintel's own; the caller learns where to look, not what was there.
    pub fn internal() -> Self {
        Self::new(
            &codes::INTERNAL,
            "lintel failed to answer; its log says why",
        )
    }

    /// With a list of single faults, answered as `problems`.
    #[must_use]
    pub fn with_faults(mut self, faults: Vec<Fault>) -> Self {
        self.faults = faults;
        self
    }

    /// With a `retry-after`, in whole seconds rounded up.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable name.
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        // What has no line in the list is a fault of ours, told as one.
        let Some(code) = codes::named(error.code()) else {
            return Self::internal();
        };
        let problem = Self::new(code, error.message());
        match error.retry_advice() {
            Retry::After(wait) => problem.retry_after(wait),
            Retry::Never | Retry::SameTarget | Retry::OtherTarget => problem,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let wire = Shown {
            r#type: format!("urn:lintel:problem:{}", self.code),
            title: self.status.canonical_reason().unwrap_or("problem"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            problems: &self.faults,
        };
        // Plain strings and numbers: serialising them can't fail.
        let body = serde_json::to_vec(&wire).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(wait) = self.retry_after {
            let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs.max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"lintel admin\""),
            );
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use lintel_types::Kind;

    use super::*;

    async fn body(problem: Problem) -> serde_json::Value {
        let bytes = axum::body::to_bytes(problem.into_response().into_body(), 1 << 16)
            .await
            .unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_problem_carries_the_five_members_and_its_faults() {
        let fault = Fault {
            path: "listen".into(),
            origin: "lintel.yaml".into(),
            line: Some(3),
            column: None,
            message: "no".into(),
            nearest: None,
        };
        let json = body(Problem::invalid("bad").with_faults(vec![fault])).await;
        assert_eq!(
            json,
            serde_json::json!({
                "type": "urn:lintel:problem:invalid_request", "title": "Bad Request", "status": 400,
                "code": "invalid_request", "detail": "bad",
                "problems": [{"path": "listen", "origin": "lintel.yaml", "line": 3, "message": "no"}],
            })
        );
    }

    #[test]
    fn an_error_that_no_list_knows_is_ours() {
        let error = Error::gateway(Kind::Overloaded, "something_new", "try later");
        assert_eq!(Problem::from(error).code(), "internal");
    }

    #[test]
    fn an_error_keeps_its_status_code_and_wait() {
        let error = Error::gateway(Kind::Overloaded, "ledger_unavailable", "try later")
            .retry(Retry::After(Duration::from_millis(1_200)));
        let response = Problem::from(error).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
}
