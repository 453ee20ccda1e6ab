//! The body step: the request's bytes, within every cap.
//!
//! A declared length over the cap is refused before a byte is read; bytes are counted against the
//! global budget as they come, so many large bodies at once are refused rather than held.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use http::{HeaderMap, HeaderValue};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use lintel_policy::Held;
use lintel_telemetry::Shed;
use lintel_types::{Caps, Error, Kind};

use crate::admit::shed;
use crate::shared::Shared;

/// Answers up to this size aren't counted: their number is bounded by that of connections.
const SMALL_ANSWER: usize = 64 * 1024;

/// A body, and its share of the budget of bytes in flight.
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    pub(crate) share: Share,
}

/// A share of the bytes in flight, given back when dropped.
pub(crate) struct Share {
    budget: Held,
    gauge: lintel_telemetry::Held,
}

impl Share {
    fn take(shared: &Arc<Shared>, bytes: u64) -> Result<Self, Error> {
        let budget = shared
            .in_flight_bytes
            .hold(bytes)
            .map_err(|_| full(shared))?;
        Ok(Self {
            budget,
            gauge: shared.metrics.in_flight_bytes(bytes),
        })
    }

    /// Counts a whole answer that is held, once it is large: clients that don't read theirs can't fill the memory.
    pub(crate) fn answer(
        shared: &Arc<Shared>,
        share: &mut Option<Share>,
        held: usize,
    ) -> Result<(), Error> {
        match share {
            Some(share) => share.grow_to(shared, held as u64),
            None if held > SMALL_ANSWER => {
                *share = Some(Share::take(shared, held as u64)?);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn grow_to(&mut self, shared: &Shared, bytes: u64) -> Result<(), Error> {
        let more = bytes.saturating_sub(self.budget.amount());
        if more > 0 {
            self.budget.grow(more).map_err(|_| full(shared))?;
            self.gauge.grow(more);
        }
        Ok(())
    }
}

fn full(shared: &Shared) -> Error {
    shed(
        shared,
        Shed::InFlightBytes,
        "overloaded",
        "too many bytes are in flight: try again shortly",
    )
}

/// Reads the body of a call.
pub(crate) async fn receive(
    shared: &Arc<Shared>,
    caps: &Caps,
    headers: &HeaderMap,
    mut incoming: Incoming,
) -> Result<Received, Error> {
    acceptable(headers)?;
    let limits = shared.snapshot.load().limits;
    let cap = Cap::of(limits.body_bytes, caps);
    let declared = declared_length(headers);
    if declared.is_some_and(|n| n > cap.bytes as u64) {
        return Err(too_large(cap));
    }
    let mut share = Share::take(shared, declared.unwrap_or(0))?;
    let reading = read(shared, &mut incoming, declared, cap, &mut share);
    let bytes = tokio::time::timeout(limits.body_timeout, reading)
        .await
        .map_err(|_| too_slow())??;
    Ok(Received { bytes, share })
}

async fn read(
    shared: &Shared,
    incoming: &mut Incoming,
    declared: Option<u64>,
    cap: Cap,
    share: &mut Share,
) -> Result<Bytes, Error> {
    let Some(first) = data(incoming).await? else {
        return Ok(Bytes::new());
    };
    if first.len() > cap.bytes {
        return Err(too_large(cap));
    }
    if incoming.is_end_stream() || declared == Some(first.len() as u64) {
        share.grow_to(shared, first.len() as u64)?;
        return Ok(first);
    }
    let mut all = BytesMut::with_capacity(
        declared
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(0)
            .max(first.len()),
    );
    let mut next = Some(first);
    while let Some(piece) = next {
        let grown = all.len() + piece.len();
        if grown > cap.bytes {
            return Err(too_large(cap));
        }
        share.grow_to(shared, grown as u64)?;
        all.extend_from_slice(&piece);
        next = data(incoming).await?;
    }
    Ok(all.freeze())
}

async fn data(incoming: &mut Incoming) -> Result<Option<Bytes>, Error> {
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|e| {
            Error::client(
                Kind::InvalidRequest,
                "incomplete_body",
                "the request's body broke off: send it whole",
            )
            .because(e)
        })?;
        if let Ok(bytes) = frame.into_data() {
            return Ok(Some(bytes));
        }
    }
    Ok(None)
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// JSON, unencoded, and nothing expected but a go-ahead, which is given when the body is first read. A missing
/// content type is taken for JSON.
fn acceptable(headers: &HeaderMap) -> Result<(), Error> {
    let known = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if headers.get_all(EXPECT).iter().any(|value| !known(value)) {
        let text = "no expectation is met but 100-continue: leave `expect` out";
        return Err(Error::client(
            Kind::ExpectationFailed,
            "expectation_failed",
            text,
        ));
    }
    let encoded = |value: &HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    // The header may come several times, and every one of them counts.
    if headers.get_all(CONTENT_ENCODING).iter().any(encoded) {
        let text = "compressed bodies are not taken: send the JSON without content-encoding";
        return Err(Error::client(
            Kind::UnsupportedMedia,
            "unsupported_encoding",
            text,
        ));
    }
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let media = value
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    if media == "application/json" || media.starts_with("application/") && media.ends_with("+json")
    {
        return Ok(());
    }
    Err(Error::client(
        Kind::UnsupportedMedia,
        "unsupported_media_type",
        "the body must be JSON: send content-type: application/json",
    ))
}

/// How many bytes a body may have, and who says so.
#[derive(Clone, Copy)]
struct Cap {
    bytes: usize,
    of_key: bool,
}

impl Cap {
    /// The lower of the gateway's cap and the key's.
    fn of(gateway: usize, caps: &Caps) -> Self {
        let own = caps
            .max_body
            .map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        match own.filter(|own| *own < gateway) {
            Some(bytes) => Self {
                bytes,
                of_key: true,
            },
            None => Self {
                bytes: gateway,
                of_key: false,
            },
        }
    }
}

fn too_large(cap: Cap) -> Error {
    let bytes = cap.bytes;
    let text = if cap.of_key {
        format!(
            "the body is larger than the {bytes} bytes that this key may send (its `max_body`): send less, or ask for a key that may send more"
        )
    } else {
        format!(
            "the body is larger than the {bytes} bytes that are taken: send less, or raise limits.body"
        )
    };
    Error::client(Kind::TooLarge, "request_too_large", text)
}

fn too_slow() -> Error {
    Error::client(
        Kind::RequestTimeout,
        "request_timeout",
        "the request's body took too long to arrive: send it faster",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn status(name: HeaderName, value: &'static str) -> Option<u16> {
        let headers: HeaderMap = [(name, HeaderValue::from_static(value))]
            .into_iter()
            .collect();
        acceptable(&headers).err().map(|e| e.kind().status())
    }

    #[test]
    fn takes_json_and_nothing_else() {
        assert_eq!(status(CONTENT_TYPE, "application/json"), None);
        assert_eq!(
            status(CONTENT_TYPE, "Application/JSON; charset=utf-8"),
            None
        );
        assert_eq!(status(CONTENT_TYPE, "application/vnd.api+json"), None);
        assert_eq!(status(CONTENT_TYPE, "text/plain"), Some(415));
        assert_eq!(status(CONTENT_TYPE, "multipart/form-data"), Some(415));
        assert_eq!(status(EXPECT, "100-Continue"), None);
        assert_eq!(status(EXPECT, "200-ok"), Some(417));
        assert_eq!(status(CONTENT_ENCODING, "gzip"), Some(415));
        assert_eq!(status(CONTENT_ENCODING, "identity"), None);
        let twice = ["identity", "gzip"].map(|v| (CONTENT_ENCODING, HeaderValue::from_static(v)));
        let mut headers = HeaderMap::new();
        for (name, value) in twice {
            headers.append(name, value);
        }
        assert!(acceptable(&headers).is_err());
    }
}
