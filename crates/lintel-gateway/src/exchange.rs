//! The exchange: one call's identity and facts, fixed when its head has been read.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use lintel_config::Snapshot;
use lintel_policy::Period;
use lintel_types::record::Attribution;
use lintel_types::{Error, ExchangeId, Kind, Mono, Surface, Timestamp};

use crate::patience::Leash;
use crate::shared::Shared;

/// Longest value that an attribution header may have, in bytes.
const LONGEST_LABEL: usize = 128;
/// Most `x-lintel-tag-*` headers that are kept.
const MOST_TAGS: usize = 16;
const TAG_PREFIX: &str = "x-lintel-tag-";

/// What a call is born with, before anything of it has been read.
pub(crate) struct Born {
    pub(crate) id: ExchangeId,
    pub(crate) wall: Timestamp,
    /// Tells the connection by when the call has to end.
    pub(crate) leash: Arc<Leash>,
}

/// One call from first byte to settlement.
pub(crate) struct Exchange {
    pub(crate) id: ExchangeId,
    /// The id as text: `x-request-id`.
    pub(crate) id_text: Arc<str>,
    pub(crate) started: Mono,
    pub(crate) wall: Timestamp,
    pub(crate) surface: Option<Surface>,
    /// The configuration that decides this call, whatever is reloaded meanwhile.
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) client_request_id: Option<Arc<str>>,
    pub(crate) trace_id: Option<Arc<str>>,
    /// The deadline that the client asked for.
    pub(crate) asked_deadline: Option<Duration>,
    pub(crate) leash: Arc<Leash>,
}

impl Exchange {
    pub(crate) fn new(
        shared: &Shared,
        born: Born,
        headers: &HeaderMap,
        surface: Option<Surface>,
    ) -> Self {
        let Born { id, wall, leash } = born;
        let started = shared.now();
        Self {
            id,
            id_text: Arc::from(id.to_string()),
            started,
            wall,
            surface,
            snapshot: shared.snapshot.load_full(),
            client_request_id: text(headers, "x-request-id")
                .filter(|t| t.len() <= LONGEST_LABEL)
                .map(Arc::from),
            trace_id: text(headers, "traceparent")
                .and_then(trace_id)
                .map(Arc::from),
            asked_deadline: None,
            leash,
        }
    }
}

/// A header's value, if it is one visible text.
pub(crate) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// The trace id of a W3C `traceparent`: <https://www.w3.org/TR/trace-context/#traceparent-header>.
fn trace_id(parent: &str) -> Option<&str> {
    let mut fields = parent.split('-');
    let (_version, id) = (fields.next()?, fields.next()?);
    let valid = id.len() == 32
        && id.bytes().all(|b| b.is_ascii_hexdigit())
        && id.bytes().any(|b| b != b'0');
    valid.then_some(id)
}

/// The deadline of `x-lintel-deadline`: `2s`, `1500ms`.
pub(crate) fn asked_deadline(headers: &HeaderMap) -> Result<Option<Duration>, Error> {
    let Some(value) = headers.get("x-lintel-deadline") else {
        return Ok(None);
    };
    let period: Option<Period> = value.to_str().ok().and_then(|t| t.parse().ok());
    period
        .map(|p| Some(p.0))
        .ok_or_else(|| bad_header("x-lintel-deadline", "a duration such as `2s` or `1500ms`"))
}

/// What the attribution headers say: feature, user, session, tags.
pub(crate) fn attribution(headers: &HeaderMap) -> Result<Attribution, Error> {
    let mut who = Attribution {
        feature: label(headers, "x-lintel-feature")?,
        user: label(headers, "x-lintel-user")?,
        session: label(headers, "x-lintel-session")?,
        ..Attribution::default()
    };
    for name in headers.keys() {
        if let Some(tag) = name
            .as_str()
            .strip_prefix(TAG_PREFIX)
            .filter(|t| !t.is_empty())
        {
            if who.tags.len() == MOST_TAGS {
                return Err(bad_header("x-lintel-tag-*", "at most 16 headers"));
            }
            who.tags
                .extend(label(headers, name.as_str())?.map(|value| (Arc::from(tag), value)));
        }
    }
    who.tags.sort();
    Ok(who)
}

fn label(headers: &HeaderMap, name: &str) -> Result<Option<Arc<str>>, Error> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(text) if !text.is_empty() && text.len() <= LONGEST_LABEL => Ok(Some(Arc::from(text))),
        _ => Err(bad_header(name, "visible ASCII of 1 to 128 bytes")),
    }
}

fn bad_header(name: &str, wants: &str) -> Error {
    Error::client(
        Kind::InvalidRequest,
        "invalid_header",
        format!("the header `{name}` must be {wants}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn reads_trace_ids_and_refuses_others() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace_id(&format!("00-{id}-00f067aa0ba902b7-01")), Some(id));
        assert_eq!(
            trace_id("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
            None
        );
        assert_eq!(trace_id("nonsense"), None);
    }

    #[test]
    fn attribution_is_bounded() {
        let who = attribution(&headers(&[
            ("x-lintel-feature", "search"),
            ("x-lintel-tag-b", "2"),
            ("x-lintel-tag-a", "1"),
        ]))
        .unwrap();
        assert_eq!(who.feature.as_deref(), Some("search"));
        let tags: Vec<_> = who.tags.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(tags, [("a", "1"), ("b", "2")]);
        assert!(attribution(&headers(&[("x-lintel-user", "")])).is_err());
    }

    #[test]
    fn a_deadline_is_a_duration() {
        assert_eq!(
            asked_deadline(&headers(&[("x-lintel-deadline", "1500ms")])).unwrap(),
            Some(Duration::from_millis(1_500))
        );
        assert!(asked_deadline(&headers(&[("x-lintel-deadline", "soon")])).is_err());
    }
}
