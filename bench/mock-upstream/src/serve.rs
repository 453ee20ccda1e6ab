//! Answers requests: which path, which shape, then the body. Rendered answers are kept, so a
//! repeated call costs a lookup.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use crate::answer::{Answer, Stream};
use crate::ask::Ask;
use crate::dialect::{Dialect, Script};

/// Answers rendered so far.
#[derive(Default)]
pub(crate) struct Rendered {
    plain: RefCell<HashMap<(Dialect, usize), Bytes>>,
    scripts: RefCell<HashMap<(Dialect, u32, bool), Rc<Script>>>,
}

impl Rendered {
    fn plain(&self, dialect: Dialect, bytes: usize) -> Bytes {
        self.plain
            .borrow_mut()
            .entry((dialect, bytes))
            .or_insert_with(|| dialect.plain(bytes))
            .clone()
    }

    fn script(&self, dialect: Dialect, chunks: u32, usage: bool) -> Rc<Script> {
        let mut scripts = self.scripts.borrow_mut();
        scripts
            .entry((dialect, chunks, usage))
            .or_insert_with(|| Rc::new(dialect.script(chunks, usage)))
            .clone()
    }
}

/// Answers one request.
pub(crate) async fn answer(
    rendered: Rc<Rendered>,
    request: Request<Incoming>,
) -> Result<Response<Answer>, hyper::Error> {
    let dialect = match (request.method(), request.uri().path()) {
        (&Method::POST, "/v1/chat/completions") => Dialect::Chat,
        (&Method::POST, "/v1/messages") => Dialect::Messages,
        (&Method::GET, "/health") => {
            return Ok(json(StatusCode::OK, Bytes::from_static(b"{\"ok\":true}")));
        }
        _ => return Ok(json(
            StatusCode::NOT_FOUND,
            Bytes::from_static(
                b"{\"error\":{\"message\":\"no such path\",\"type\":\"invalid_request_error\"}}",
            ),
        )),
    };
    let body = request.into_body().collect().await?.to_bytes();
    let ask = Ask::of(&body);
    drop(body);
    if !ask.shape.delay.is_zero() {
        tokio::time::sleep(ask.shape.delay).await;
    }
    if !ask.stream {
        return Ok(json(
            StatusCode::OK,
            rendered.plain(dialect, ask.shape.bytes),
        ));
    }
    let script = rendered.script(dialect, ask.shape.chunks, ask.usage);
    let stream = Stream::new(script, ask.shape.chunks, ask.shape.interval);
    Ok(with_type(
        "text/event-stream; charset=utf-8",
        StatusCode::OK,
        Answer::Stream(stream),
    ))
}

fn json(status: StatusCode, body: Bytes) -> Response<Answer> {
    with_type("application/json", status, Answer::Plain(Some(body)))
}

fn with_type(content_type: &'static str, status: StatusCode, body: Answer) -> Response<Answer> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
