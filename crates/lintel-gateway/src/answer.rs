//! Answers: status, headers and body as the client gets them, in its own dialect.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use lintel_guard::Cleared;
use lintel_types::{Error, Failure, FailureClass, Kind, Outcome, Phase, Retry};
use lintel_wire::headers::to_client;
use lintel_wire::provider::ANTHROPIC;
use lintel_wire::surface::{ErrorBody, SurfaceSpec, should_retry};

use crate::body::Share;
use crate::count::Counted;
use crate::end::End;
use crate::failed::{Failed, ProviderAnswer, told};
use crate::settle::Settlement;
use crate::write::ClientBody;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-lintel-attempts");
const OVERHEAD: HeaderName = HeaderName::from_static("x-lintel-overhead-us");
const COST: HeaderName = HeaderName::from_static("x-lintel-cost");
const DEGRADED: HeaderName = HeaderName::from_static("x-lintel-degraded");
const DROPPED: HeaderName = HeaderName::from_static("x-lintel-dropped");
/// What of an answer is Lintel's own doing.
const EMULATED: HeaderName = HeaderName::from_static("x-lintel-emulated");
const ERROR_ORIGIN: HeaderName = HeaderName::from_static("x-lintel-error-origin");
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The headers that every answer has.
pub(crate) fn own_headers(settlement: &mut Settlement) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    let id =
        HeaderValue::from_str(&settlement.exchange.id_text).unwrap_or(HeaderValue::from_static(""));
    headers.insert(REQUEST_ID, id);
    let overhead = u64::try_from(settlement.overhead().as_micros()).unwrap_or(u64::MAX);
    headers.insert(OVERHEAD, HeaderValue::from(overhead));
    let attempts = settlement.attempts_made();
    if attempts > 0 {
        headers.insert(ATTEMPTS, HeaderValue::from(attempts));
    }
    if let Some(degraded) = settlement
        .degraded
        .as_deref()
        .and_then(|d| HeaderValue::from_str(d).ok())
    {
        headers.insert(DEGRADED, degraded);
    }
    path_list(&DROPPED, &settlement.notes.dropped, &mut headers);
    path_list(&EMULATED, &settlement.notes.emulated, &mut headers);
    headers
}

/// Most bytes of a list of paths: some clients refuse longer headers. The exchange's record has all of them.
const PATHS_CAP: usize = 2_048;

/// A header of JSON paths, cut at a whole path when there are too many.
fn path_list(name: &HeaderName, paths: &[String], headers: &mut HeaderMap) {
    let mut list = String::new();
    for path in paths {
        let visible: String = path
            .chars()
            .map(|c| if c.is_ascii_graphic() { c } else { '?' })
            .collect();
        if list.len() + visible.len() + 7 > PATHS_CAP {
            list.push_str(", ...");
            break;
        }
        list.push_str(if list.is_empty() { "" } else { ", " });
        list.push_str(&visible);
    }
    if let Some(value) = HeaderValue::from_str(&list)
        .ok()
        .filter(|_| !paths.is_empty())
    {
        headers.insert(name, value);
    }
}

/// Notes that the answer isn't what the first tier would have given. Target names are for those who may see them.
pub(crate) fn note_degraded(settlement: &mut Settlement) {
    let Some(live) = settlement.live() else {
        return;
    };
    let (tier, (provider, model)) = (live.tier(), live.target());
    if tier > 1 {
        let cause = settlement
            .first_cause()
            .map_or("unplanned", FailureClass::name);
        let target = match settlement.expose_targets {
            true => format!("; target={provider}/{model}"),
            false => String::new(),
        };
        settlement.degraded = Some(format!("tier={tier}; cause={cause}{target}").into());
    }
}

/// A whole 2xx answer: settled first, sent when the row is written.
pub(crate) async fn whole(
    mut settlement: Box<Settlement>,
    status: u16,
    provider: &HeaderMap,
    bytes: Cleared<Bytes>,
    odd: Option<FailureClass>,
    share: Option<Share>,
) -> Response<ClientBody> {
    settlement.response_bytes = bytes.get().len() as u64;
    settlement.first_content();
    let attempts = settlement.attempts_made();
    let failure = odd.map(|class| Failure {
        class,
        phase: Phase::BeforeFirstByte,
    });
    settlement.end_attempt(failure);
    let cost = settlement.cost();
    let mut headers = own_headers(&mut settlement);
    headers.insert(ATTEMPTS, HeaderValue::from(attempts));
    to_client(provider, &mut headers);
    if let Ok(value) = HeaderValue::from_str(&cost.to_string()) {
        headers.insert(COST, value);
    }
    let end = match odd {
        None => End::success(status),
        Some(class) => End {
            outcome: Outcome::ProviderError,
            ..End::error(&told(class), status)
        },
    };
    settle(&mut settlement, end).await;
    let bytes = match share {
        Some(share) => bytes.keeping(share),
        None => bytes,
    };
    respond(status, headers, ClientBody::whole(bytes))
}

/// The head of a stream.
pub(crate) fn stream_head(settlement: &mut Settlement, provider: &HeaderMap) -> HeaderMap {
    let mut headers = own_headers(settlement);
    to_client(provider, &mut headers);
    headers
}

/// A document of Lintel's own.
pub(crate) async fn document(
    mut settlement: Box<Settlement>,
    json: String,
) -> Response<ClientBody> {
    let mut headers = own_headers(&mut settlement);
    headers.insert(CONTENT_TYPE, JSON);
    settlement.response_bytes = json.len() as u64;
    settle(&mut settlement, End::success(200)).await;
    respond(
        200,
        headers,
        ClientBody::whole(Cleared::own_document(Bytes::from(json))),
    )
}

/// A count that Lintel made by itself.
pub(crate) async fn counted(
    mut settlement: Box<Settlement>,
    counted: Counted,
) -> Response<ClientBody> {
    let mut headers = own_headers(&mut settlement);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(EMULATED, HeaderValue::from_static("input_tokens"));
    if let Ok(value) = HeaderValue::from_str(&settlement.cost().to_string()) {
        headers.insert(COST, value);
    }
    settlement.response_bytes = counted.body.len() as u64;
    settle(&mut settlement, End::success(200)).await;
    respond(
        200,
        headers,
        ClientBody::whole(Cleared::own_document(counted.body)),
    )
}

/// An error, in the caller's dialect.
pub(crate) async fn failed(
    mut settlement: Box<Settlement>,
    dialect: &'static dyn SurfaceSpec,
    failed: Failed,
) -> Response<ClientBody> {
    let mut headers = own_headers(&mut settlement);
    headers.insert(CONTENT_TYPE, JSON);
    let id = settlement.exchange.id_text.clone();
    match failed {
        Failed::Ours(error) => {
            let status = error.kind().status();
            error_headers(&error, &mut headers);
            let told = ErrorBody::ours(&error, Some(&id));
            headers.extend(dialect.error_headers(&told));
            let body = dialect.error(&told);
            finish(
                settlement,
                End::error(&error, status),
                status,
                headers,
                body,
            )
            .await
        }
        Failed::Provider(answer) => {
            provider_headers(&answer, &mut headers);
            let status = status_for(&answer, dialect);
            let told = ErrorBody {
                status: Some(status),
                ..provider_body(&answer, &id)
            };
            headers.extend(dialect.error_headers(&told));
            let body = dialect.error(&told);
            finish(
                settlement,
                End {
                    status,
                    ..End::provider(&answer)
                },
                status,
                headers,
                body,
            )
            .await
        }
    }
}

async fn finish(
    mut settlement: Box<Settlement>,
    end: End<'_>,
    status: u16,
    headers: HeaderMap,
    body: Bytes,
) -> Response<ClientBody> {
    settlement.response_bytes = body.len() as u64;
    settle(&mut settlement, end).await;
    respond(
        status,
        headers,
        ClientBody::whole(Cleared::error_text(body)),
    )
}

/// An error of a call whose settlement is gone already.
pub(crate) fn bare_error(
    dialect: &'static dyn SurfaceSpec,
    error: &Error,
    id: &str,
) -> Response<ClientBody> {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(CONTENT_TYPE, JSON);
    error_headers(error, &mut headers);
    let told = ErrorBody::ours(error, Some(id));
    headers.extend(dialect.error_headers(&told));
    let body = dialect.error(&told);
    respond(
        error.kind().status(),
        headers,
        ClientBody::whole(Cleared::error_text(body)),
    )
}

/// Settles, and waits until the row is as durable as was asked for.
async fn settle(settlement: &mut Settlement, end: End<'_>) {
    if let Some(settling) = settlement.settle_later(end) {
        settling.written().await;
    }
}

fn error_headers(error: &Error, headers: &mut HeaderMap) {
    headers.insert(ERROR_ORIGIN, HeaderValue::from_static(error.side().name()));
    headers.insert(SHOULD_RETRY, flag(should_retry(error)));
    if let Retry::After(wait) = error.retry_advice() {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
}

fn provider_headers(answer: &ProviderAnswer, headers: &mut HeaderMap) {
    headers.insert(ERROR_ORIGIN, HeaderValue::from_static("provider"));
    headers.insert(SHOULD_RETRY, flag(answer.passes()));
    if let Some(value) = &answer.retry_after {
        headers.insert(RETRY_AFTER, value.clone());
    }
}

fn flag(yes: bool) -> HeaderValue {
    HeaderValue::from_static(if yes { "true" } else { "false" })
}

fn provider_body<'a>(answer: &'a ProviderAnswer, id: &'a str) -> ErrorBody<'a> {
    let error = &answer.error;
    if answer.foreign {
        return foreign_body(answer, id);
    }
    ErrorBody {
        message: Cow::Borrowed(&error.message),
        kind_name: error.kind_name.as_deref().map(Cow::Borrowed),
        kind: kind_of(answer.status),
        status: None,
        code: error.code.as_deref().map(Cow::Borrowed),
        param: error.param.as_deref().map(Cow::Borrowed),
        request_id: Some(id),
    }
}

/// A provider's error in another dialect than its own: the sentence stays, type and parameter are the caller's dialect's.
fn foreign_body<'a>(answer: &'a ProviderAnswer, id: &'a str) -> ErrorBody<'a> {
    let code = match answer.class {
        // The one code that applications look for by name.
        FailureClass::ContextLength => "\"context_length_exceeded\"".to_owned(),
        class => format!("\"{}\"", class.name()),
    };
    ErrorBody {
        message: Cow::Borrowed(&answer.error.message),
        kind_name: None,
        kind: kind_of(answer.status),
        status: None,
        code: Some(Cow::Owned(code)),
        param: None,
        request_id: Some(id),
    }
}

/// The status under which a client sees a provider's error: Anthropic's own 529 is known to its SDKs alone.
fn status_for(answer: &ProviderAnswer, dialect: &dyn SurfaceSpec) -> u16 {
    if answer.status == 529 && answer.foreign && dialect.surface().protocol() != ANTHROPIC {
        return 503;
    }
    answer.status
}

/// The kind whose name stands in when a provider gave no type.
fn kind_of(status: u16) -> Kind {
    match status {
        401 => Kind::Authentication,
        403 => Kind::Permission,
        404 => Kind::NotFound,
        413 => Kind::TooLarge,
        429 => Kind::RateLimited,
        503 | 529 => Kind::Overloaded,
        504 => Kind::Deadline,
        500.. => Kind::Upstream,
        _ => Kind::InvalidRequest,
    }
}

pub(crate) fn respond(status: u16, headers: HeaderMap, body: ClientBody) -> Response<ClientBody> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}
