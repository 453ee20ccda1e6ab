//! The exchange: one call's identity and facts, fixed when its head has been read.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use lintel_config::Snapshot;
use lintel_policy::Period;
use lintel_types::record::Attribution;
use lintel_types::{
    CallHeader, Caps, Error, ExchangeId, Kind, Mono, Priority, SpanId, Surface, Timestamp,
    TraceParent,
};

use crate::commit::Committer;
use crate::cut::Cut;
use crate::patience::Leash;
use crate::shared::Shared;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static PRIORITY: HeaderName = HeaderName::from_static("x-lintel-priority");
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Longest value that an attribution header may have, in bytes.
const LONGEST_LABEL: usize = 128;
/// Most `x-lintel-tag-*` headers that are kept.
const MOST_TAGS: usize = 16;

/// What a call is born with, before anything of it has been read.
pub(crate) struct Born {
    pub(crate) id: ExchangeId,
    pub(crate) wall: Timestamp,
    /// Tells the connection by when the call has to end.
    pub(crate) leash: Arc<Leash>,
    /// Says when the call is cut.
    pub(crate) cut: Arc<Cut>,
    /// Writes the call's journal records.
    pub(crate) committer: Arc<Committer>,
    /// The subject of the certificate that the client showed.
    pub(crate) client_subject: Option<Arc<str>>,
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
    /// The caller's trace.
    pub(crate) trace: Option<TraceParent>,
    /// The deadline that the client asked for.
    pub(crate) asked_deadline: Option<Duration>,
    pub(crate) leash: Arc<Leash>,
    pub(crate) cut: Arc<Cut>,
    pub(crate) committer: Arc<Committer>,
    pub(crate) client_subject: Option<Arc<str>>,
}

impl Exchange {
    pub(crate) fn new(
        shared: &Shared,
        born: Born,
        headers: &HeaderMap,
        surface: Option<Surface>,
    ) -> Self {
        let Born {
            id,
            wall,
            leash,
            cut,
            committer,
            client_subject,
        } = born;
        let started = shared.now();
        Self {
            id,
            id_text: Arc::from(id.to_string()),
            started,
            wall,
            surface,
            snapshot: shared.snapshot.load_full(),
            client_request_id: text(headers, &REQUEST_ID)
                .filter(|t| t.len() <= LONGEST_LABEL)
                .map(Arc::from),
            trace: trace(headers),
            asked_deadline: None,
            leash,
            cut,
            committer,
            client_subject,
        }
    }
}

/// A header's value, if it is one visible text.
fn text<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

/// The caller's trace. Two headers are none: nobody could say which one holds.
fn trace(headers: &HeaderMap) -> Option<TraceParent> {
    let mut values = headers.get_all(&TRACEPARENT).iter();
    let only = values.next().filter(|_| values.next().is_none())?;
    TraceParent::read(only.to_str().ok()?)
}

impl Exchange {
    /// The `traceparent` of an attempt: what the provider does is a child of it. None when the caller has no trace.
    pub(crate) fn traceparent(&self, ordinal: u8) -> Option<HeaderValue> {
        let trace = self.trace.as_ref()?;
        let value = trace.of_attempt(SpanId::of(self.id, ordinal));
        HeaderValue::from_str(&value).ok()
    }
}

/// What the caller says of a call in `x-lintel-*` headers.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Feature, user, session, tags.
    pub(crate) who: Attribution,
    /// By when the answer is wanted.
    pub(crate) deadline: Option<Duration>,
}

/// The priority that the caller claims; one that can't be read is told by [`said`].
pub(crate) fn claimed(headers: &HeaderMap) -> Option<Priority> {
    Priority::named(text(headers, &PRIORITY)?)
}

/// Reads the `x-lintel-*` headers, in one pass: most calls have none.
pub(crate) fn said(headers: &HeaderMap, caps: &Caps) -> Result<Said, Error> {
    let mut said = Said::default();
    for (name, value) in headers {
        let Some(ours) = name.as_str().strip_prefix("x-lintel-") else {
            continue;
        };
        if caps.headers.is_some() {
            may_set(ours, caps)?;
        }
        match ours {
            "priority" => priority(value)?,
            "feature" => said.who.feature = Some(label(name.as_str(), value)?),
            "user" => said.who.user = Some(label(name.as_str(), value)?),
            "session" => said.who.session = Some(label(name.as_str(), value)?),
            "deadline" => said.deadline = Some(deadline(value)?),
            _ => {
                let tag = ours.strip_prefix("tag-").filter(|t| !t.is_empty());
                let Some(tag) = tag else { continue };
                if said.who.tags.len() == MOST_TAGS {
                    return Err(bad_header("x-lintel-tag-*", "at most 16 headers"));
                }
                let value = label(name.as_str(), value)?;
                said.who.tags.push((Arc::from(tag), value));
            }
        }
    }
    said.who.tags.sort();
    if said.who.feature.is_none() {
        said.who.feature.clone_from(&caps.feature);
    }
    Ok(said)
}

/// Refuses a header that the key may not set: what is dropped silently would be missed in a report months later.
fn may_set(ours: &str, caps: &Caps) -> Result<(), Error> {
    let header = match ours {
        "feature" => CallHeader::Feature,
        "user" => CallHeader::User,
        "session" => CallHeader::Session,
        "deadline" => CallHeader::Deadline,
        "priority" => CallHeader::Priority,
        tag if tag.starts_with("tag-") => CallHeader::Tags,
        _ => return Ok(()),
    };
    if caps.allow_header(header) {
        return Ok(());
    }
    let text = format!(
        "this key may not set `x-lintel-{ours}` (its `headers`): leave it out, or ask for a key that may"
    );
    Err(Error::client(Kind::Permission, "header_not_allowed", text))
}

/// Refuses what is no priority.
fn priority(value: &HeaderValue) -> Result<(), Error> {
    let known = value.to_str().ok().and_then(Priority::named);
    known
        .map(|_| ())
        .ok_or_else(|| bad_header("x-lintel-priority", "`critical`, `normal` or `batch`"))
}

fn label(name: &str, value: &HeaderValue) -> Result<Arc<str>, Error> {
    match value.to_str() {
        Ok(text) if !text.is_empty() && text.len() <= LONGEST_LABEL => Ok(Arc::from(text)),
        _ => Err(bad_header(name, "visible ASCII of 1 to 128 bytes")),
    }
}

/// `2s`, `1500ms`.
fn deadline(value: &HeaderValue) -> Result<Duration, Error> {
    let period: Option<Period> = value.to_str().ok().and_then(|t| t.parse().ok());
    let wants = "a duration such as `2s` or `1500ms`";
    period
        .map(|p| p.0)
        .ok_or_else(|| bad_header("x-lintel-deadline", wants))
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

    fn headers(list: &[(&'static str, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn one_valid_trace_is_one_and_two_are_none() {
        let of = |list: &[&'static str]| {
            let mut map = HeaderMap::new();
            for value in list {
                map.append(&TRACEPARENT, HeaderValue::from_static(value));
            }
            trace(&map)
        };
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(of(&[good]).is_some());
        assert_eq!(of(&[good, good]), None);
        assert_eq!(of(&["nonsense"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn what_callers_say_is_bounded() {
        let said = said(
            &headers(&[
                ("x-lintel-feature", "search"),
                ("x-lintel-tag-b", "2"),
                ("x-lintel-tag-a", "1"),
                ("x-lintel-deadline", "1500ms"),
                ("x-lintel-priority", "batch"),
                ("x-lintel-cache", "no-store"),
            ]),
            &Caps::default(),
        )
        .unwrap();
        assert_eq!(said.who.feature.as_deref(), Some("search"));
        let tags: Vec<_> = said.who.tags.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(tags, [("a", "1"), ("b", "2")]);
        assert_eq!(said.deadline, Some(Duration::from_millis(1_500)));
        for bad in [
            ("x-lintel-user", ""),
            ("x-lintel-deadline", "soon"),
            ("x-lintel-priority", "urgent"),
        ] {
            let error = super::said(&headers(&[bad]), &Caps::default()).unwrap_err();
            assert!(error.message().contains(bad.0), "{error}");
        }
    }

    #[test]
    fn a_key_sets_only_its_own_headers_and_has_its_own_feature() {
        let caps = Caps {
            headers: Some(vec![CallHeader::User, CallHeader::Tags]),
            feature: Some("search".into()),
            ..Caps::default()
        };
        let free = headers(&[("x-lintel-user", "u"), ("x-lintel-tag-a", "1")]);
        let said = said(&free, &caps).unwrap();
        assert_eq!(said.who.feature.as_deref(), Some("search"));
        for name in ["feature", "session", "deadline", "priority"] {
            let name: &'static str = format!("x-lintel-{name}").leak();
            let error = super::said(&headers(&[(name, "1s")]), &caps).unwrap_err();
            assert_eq!(error.code(), "header_not_allowed");
            assert!(error.message().contains(name), "{error}");
        }
        let named = Caps {
            headers: None,
            ..caps
        };
        let said = super::said(&headers(&[("x-lintel-feature", "ads")]), &named).unwrap();
        assert_eq!(said.who.feature.as_deref(), Some("ads"));
    }
}
