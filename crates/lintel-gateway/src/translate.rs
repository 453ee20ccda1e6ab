//! Translation of one attempt: the client's request in the target's dialect, the target's answer in the client's.
//!
//! Only attempts whose target speaks another surface than the client come here. What is translated is
//! the request as the guards left it, so nothing that they took out can come back.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use http::header::{CONTENT_TYPE, HeaderMap};
use lintel_guard::Cleared;
use lintel_policy::Unsupported;
use lintel_types::canon::{Event, Request};
use lintel_types::{Error, Failure, FailureClass, Kind, Phase, Rendered};
use lintel_wire::dialect::{self, Decoder, Dialect, Encoder, Notes, Target, Way};
use lintel_wire::surface::ErrorBody;

use crate::attempt::{Ready, timed_out};
use crate::failed::{AttemptFailed, Failed};
use crate::reserve::PricedAttempt;
use crate::settle::Settlement;

/// How one attempt is translated.
pub(crate) struct Translation {
    client: &'static dyn Dialect,
    target: &'static dyn Dialect,
    way: Way,
}

/// A request in the target's dialect, and the way back.
pub(crate) struct Translated {
    pub(crate) body: Cleared<Rendered>,
    pub(crate) translation: Translation,
}

/// Translates the request of an attempt; none when client and target speak the same surface.
pub(crate) fn request(
    settlement: &mut Settlement,
    ready: &Ready,
    priced: &PricedAttempt,
) -> Result<Option<Translated>, Result<AttemptFailed, Failed>> {
    let (from, to) = (ready.parsed.spec.surface(), priced.candidate.spoken.surface);
    if from == to {
        return Ok(None);
    }
    let (Some(client), Some(target)) = (dialect::of(from), dialect::of(to)) else {
        return Err(Err(no_dialect().into()));
    };
    // What can't be read may still be passed as it is: to a target that speaks the caller's own surface.
    let canonical = canonical(ready, client).map_err(|e| Ok(unsupported(e)))?;
    let at = Target {
        model: &priced.candidate.planned.target.model,
        host: priced.candidate.provider.host,
    };
    let encoded = target.encode_request(&canonical, &at);
    let refused =
        ready.route.unsupported == Unsupported::Refuse && !encoded.notes.dropped.is_empty();
    let failed = refused.then(|| unsupported(lost(&encoded.notes)));
    settlement.translated(to, encoded.notes);
    if let Some(failed) = failed {
        return Err(Ok(failed));
    }
    let body = ready.guarded.clear_translated(Bytes::from(encoded.body));
    let way = Way {
        host: priced.candidate.provider.host,
        model: canonical.model.clone(),
        id: settlement.exchange.id_text.to_string(),
        now: u64::try_from(settlement.exchange.wall.as_secs()).unwrap_or_default(),
        include_usage: canonical.include_usage,
        json_tool: encoded.json_tool,
        request: canonical,
    };
    Ok(Some(Translated {
        body,
        translation: Translation {
            client,
            target,
            way,
        },
    }))
}

/// The request in canonical form: read once for all attempts.
fn canonical(ready: &Ready, client: &'static dyn Dialect) -> Result<Arc<Request>, Error> {
    if let Some(read) = ready.canonical.get() {
        return Ok(Arc::clone(read));
    }
    let guarded = ready.guarded.render(&ready.parsed, &[])?;
    let read = match guarded.pieces.as_slice() {
        [whole] => client.decode_request(whole, &ready.parsed.head),
        pieces => client.decode_request(&pieces.concat(), &ready.parsed.head),
    };
    let read = Arc::new(read?);
    Ok(Arc::clone(ready.canonical.get_or_init(|| read)))
}

fn no_dialect() -> Error {
    let text = "this call was planned to a target that can't be translated to";
    Error::gateway(Kind::Internal, "internal", text)
}

/// The refusal of a route that drops nothing.
fn lost(notes: &Notes) -> Error {
    let paths = notes.dropped.join("`, `");
    let text = format!(
        "the target can't be told `{paths}`: leave it out, or let the route drop it (`unsupported: drop`)"
    );
    Error::client(Kind::InvalidRequest, "unsupported", text)
}

/// The target can't be told: another one may be.
fn unsupported(error: Error) -> AttemptFailed {
    AttemptFailed {
        failure: Failure {
            class: FailureClass::Unsupported,
            phase: Phase::BeforeSend,
        },
        tells: Failed::Ours(error),
    }
}

impl Translation {
    /// A whole answer in the client's dialect: as a stream, if the client asked for one and the target gave none.
    pub(crate) fn whole(
        &self,
        settlement: &mut Settlement,
        headers: &mut HeaderMap,
        bytes: &[u8],
        stream: bool,
    ) -> Result<Bytes, AttemptFailed> {
        let reply = self
            .target
            .decode_reply(bytes, &self.way)
            .map_err(|bad| timed_out(FailureClass::Malformed).because(bad.0))?;
        if stream {
            let mut translator = self.stream(headers);
            let mut out = Vec::new();
            translator.events = dialect::events(&reply);
            translator.write(&mut out);
            return Ok(Bytes::from(out));
        }
        let encoded = self.client.encode_reply(&reply, &self.way);
        settlement.note(encoded.notes);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Bytes::from(encoded.body))
    }

    /// The translator of a stream.
    pub(crate) fn stream(&self, headers: &mut HeaderMap) -> Translator {
        let kind = HeaderValue::from_static(self.client.stream_type());
        headers.insert(CONTENT_TYPE, kind);
        Translator {
            decoder: self.target.decoder(&self.way),
            encoder: self.client.encoder(&self.way),
            events: Vec::new(),
        }
    }
}

/// A stream on its way from one dialect to the other.
pub(crate) struct Translator {
    decoder: Box<dyn Decoder>,
    encoder: Box<dyn Encoder>,
    /// Kept between events for its memory alone.
    events: Vec<Event>,
}

impl Translator {
    /// Translates one event's data.
    pub(crate) fn event(&mut self, data: &[u8], out: &mut Vec<u8>) {
        self.decoder.event(data, &mut self.events);
        self.write(out);
    }

    /// The target's stream has ended.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        self.decoder.finish(&mut self.events);
        self.write(out);
    }

    /// The end of a stream that fails.
    pub(crate) fn error(&mut self, error: &ErrorBody<'_>) -> Bytes {
        let mut out = Vec::new();
        self.encoder.error(error, &mut out);
        Bytes::from(out)
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        for event in self.events.drain(..) {
            self.encoder.event(&event, out);
        }
    }
}
