//! The command line's client of the control API: one request, one answer, one connection.
//!
//! Decides how an answer becomes an exit code; how the gateway is reached is in `dial`.
//! The token is read after the connection stands, so that a gateway that is not there is reported
//! as that and not as a missing token.

mod dial;

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;

use self::dial::{Place, dial};
use crate::cli::Remote;
use crate::exit::{Failure, Why};
use crate::query::Query;

const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take, and one to what works through whole databases.
const WHOLE: Duration = Duration::from_secs(60);
const LONG: Duration = Duration::from_secs(3600);
const ANSWER_BYTES: usize = 256 * 1024 * 1024;

/// A running gateway's control API, as the command line reaches it.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    place: Place,
    remote: Remote,
    whole: Duration,
}

impl Client {
    /// The control API at `remote`; nothing is dialled yet.
    ///
    /// # Errors
    /// [`Why::Usage`] when the address is not one that can be spoken to.
    pub(crate) fn new(remote: &Remote) -> Result<Self, Failure> {
        let url = &remote.admin_url;
        let place = Place::parse(url).map_err(|what| {
            let text = format!(
                "the admin address `{url}` {what}; write it as http://127.0.0.1:8081, https://lintel.internal:8081 or unix:/run/lintel/admin.sock"
            );
            Failure::new(Why::Usage, text)
        })?;
        Ok(Self {
            place,
            remote: remote.clone(),
            whole: WHOLE,
        })
    }

    /// For calls whose answer comes when a lot of work is done.
    #[must_use]
    pub(crate) fn patient(self) -> Self {
        Self {
            whole: LONG,
            ..self
        }
    }

    /// `GET path?query`.
    ///
    /// # Errors
    /// A [`Failure`] with the exit code that the answer stands for.
    pub(crate) fn get(&self, path: &str, query: &Query) -> Result<Value, Failure> {
        self.call(Method::GET, &format!("{path}{}", query.text()), None)
    }

    /// `POST path` with a JSON body.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, Some(body))
    }

    /// `POST path` without a body.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) fn command(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::POST, path, None)
    }

    /// `PATCH path` with a JSON body.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) fn patch(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::PATCH, path, Some(body))
    }

    /// `DELETE path`.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub(crate) fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::DELETE, path, None)
    }

    fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime =
            runtime.map_err(|e| Failure::failed(format!("can't start the client: {e}")))?;
        runtime.block_on(async {
            let changes = method != Method::GET;
            let exchange = tokio::time::timeout(self.whole, self.exchange(method, path, body));
            exchange.await.unwrap_or_else(|_| {
                let late = format!("no whole answer within {} s", self.whole.as_secs());
                Err(match changes {
                    false => self.unreachable(&late),
                    true => Failure::failed(format!(
                        "{late}: it may have been done all the same, or be done yet; look before you do it again"
                    )),
                })
            })
        })
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, Failure> {
        let dialled = dial(&self.place, self.remote.ca.as_deref());
        let stream = match tokio::time::timeout(CONNECT, dialled).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(self.unreachable(&error.to_string())),
            Err(_) => {
                return Err(
                    self.unreachable(&format!("no connection within {} s", CONNECT.as_secs()))
                );
            }
        };
        let request = self.request(method, path, body)?;
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|e| self.unreachable(&e.to_string()))?;
        let driver = tokio::spawn(connection);
        let answered = sender.send_request(request).await;
        let response = answered.map_err(|e| self.unreachable(&e.to_string()))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES)
            .collect()
            .await;
        let bytes = body
            .map_err(|e| Failure::failed(format!("the answer broke off: {e}")))?
            .to_bytes();
        driver.abort();
        self.judge(status, &bytes)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Request<Full<Bytes>>, Failure> {
        let token = token(&self.remote)?;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.place.prefix()))
            .header(header::HOST, self.place.authority())
            .header(
                header::USER_AGENT,
                concat!("lintel/", env!("CARGO_PKG_VERSION")),
            )
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let bytes = body
            .map(|value| Bytes::from(value.to_string()))
            .unwrap_or_default();
        request
            .body(Full::new(bytes))
            .map_err(|e| Failure::new(Why::Usage, format!("can't be asked for: {e}")))
    }

    fn judge(&self, status: StatusCode, bytes: &[u8]) -> Result<Value, Failure> {
        let Ok(answer) = serde_json::from_slice::<Value>(bytes) else {
            let at = self.place.shown();
            return Err(Failure::failed(format!(
                "{at} answered {status} with something that is not JSON: is it Lintel's admin listener?"
            )));
        };
        if status.is_success() {
            return Ok(answer);
        }
        let why = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
                Why::Refused
            }
            StatusCode::NOT_FOUND => Why::NotFound,
            StatusCode::BAD_REQUEST => Why::Usage,
            _ => Why::Failed,
        };
        let detail = answer
            .get("detail")
            .and_then(Value::as_str)
            .unwrap_or("no reason was given");
        Err(Failure::new(why, detail))
    }

    fn unreachable(&self, cause: &str) -> Failure {
        let at = self.place.shown();
        Failure::new(
            Why::Unreachable,
            format!(
                "can't reach the admin listener at {at}: {cause}; is `lintel serve` running, and is LINTEL_ADMIN_URL its address?"
            ),
        )
    }
}

/// The admin token: `LINTEL_ADMIN_TOKEN`, else the file that `serve` left in the store directory.
fn token(remote: &Remote) -> Result<String, Failure> {
    if let Some(token) = std::env::var("LINTEL_ADMIN_TOKEN")
        .ok()
        .filter(|token| !token.is_empty())
    {
        return Ok(token);
    }
    let file = remote.store.join("admin.token");
    match std::fs::read_to_string(&file) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) => Err(Failure::new(
            Why::Refused,
            format!(
                "no admin token: LINTEL_ADMIN_TOKEN is not set, and {} can't be read: {error}; name the store directory with --store",
                file.display()
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> Result<Client, Failure> {
        Client::new(&Remote {
            admin_url: url.into(),
            ca: None,
            store: "/nowhere".into(),
        })
    }

    #[test]
    fn an_address_that_cannot_be_spoken_to_is_wrong_usage() {
        for url in [
            "",
            "127.0.0.1:8081",
            "ftp://127.0.0.1:8081",
            "http://",
            "nonsense",
        ] {
            assert_eq!(at(url).unwrap_err().why, Why::Usage, "{url}");
        }
    }

    #[test]
    fn an_answer_becomes_an_exit_code() {
        let client = at("http://127.0.0.1:8081").unwrap();
        let problem = br#"{"detail":"no key `key_1`"}"#;
        for (status, why) in [
            (401, Why::Refused),
            (403, Why::Refused),
            (429, Why::Refused),
            (404, Why::NotFound),
            (400, Why::Usage),
            (409, Why::Failed),
            (503, Why::Failed),
        ] {
            let failure = client
                .judge(StatusCode::from_u16(status).unwrap(), problem)
                .unwrap_err();
            assert_eq!(
                (failure.why, failure.text.as_str()),
                (why, "no key `key_1`"),
                "{status}"
            );
        }
        assert_eq!(
            client.judge(StatusCode::OK, b"<html>").unwrap_err().why,
            Why::Failed
        );
        assert_eq!(
            client.judge(StatusCode::OK, b"{}").unwrap(),
            serde_json::json!({})
        );
    }

    #[test]
    fn nobody_listening_is_told_before_a_missing_token() {
        // A port that was just free: bound, read and closed.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let failure = at(&format!("http://127.0.0.1:{port}"))
            .unwrap()
            .get("/api/v1/status", &Query::default())
            .unwrap_err();
        assert_eq!(failure.why, Why::Unreachable, "{failure}");
    }
}
