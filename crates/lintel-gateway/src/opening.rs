//! The opening of a stream: its events up to the first content, held until it is there.
//!
//! Until then the attempt can still fail over, because nothing has gone to the client. No time is
//! added: the head of the answer leaves together with the first content.

use lintel_guard::Cleared;
use lintel_types::{FailureClass, Mono};

use bytes::Bytes;

use crate::attempt::timed_out;
use crate::failed::{AttemptFailed, Failed};
use crate::flow::{Flow, Stuck, Taken};
use crate::guard::blocked;
use crate::settle::Settlement;
use crate::upstream::UpstreamBody;

/// Events without content that are held at most, in bytes; then the stream is opened as it is.
const HELD_CAP: usize = 256 * 1024;

/// A stream whose first content (or end, or error) is here.
pub(crate) struct Opened {
    /// What has come so far.
    pub(crate) first: Vec<Cleared<Bytes>>,
    /// The protocol's last event is among it.
    pub(crate) terminal: bool,
    /// It begins with an error, and nothing of it has content: another target may do better.
    pub(crate) odd: Option<FailureClass>,
    /// The rest; none when it has ended.
    pub(crate) body: Option<UpstreamBody>,
    pub(crate) flow: Flow,
}

/// Reads a stream until its first content.
pub(crate) async fn open(
    settlement: &mut Settlement,
    mut body: UpstreamBody,
    mut flow: Flow,
    first_by: Mono,
    end: Mono,
) -> Result<Opened, Result<AttemptFailed, Failed>> {
    let until = settlement.shared.clock.instant(first_by);
    let mut first = Vec::with_capacity(2);
    let mut held = 0;
    loop {
        let late = if first_by < end {
            FailureClass::TimeoutFirstToken
        } else {
            FailureClass::TimeoutTotal
        };
        let next = tokio::time::timeout_at(until, body.next())
            .await
            .map_err(|_| Ok(timed_out(late)))?;
        let chunk = match next {
            Some(Ok(chunk)) => chunk,
            Some(Err(e)) => return Err(Ok(timed_out(FailureClass::Truncated).because(e))),
            None => return ended(settlement, flow, first),
        };
        let taken = watch(settlement, |meter| flow.take(chunk, meter))?;
        held += taken.bytes.get().len();
        let enough = taken.content || taken.terminal || taken.error || held > HELD_CAP;
        let (content, terminal) = (taken.content, taken.terminal);
        first.push(taken.bytes);
        if enough {
            note_content(settlement, content);
            let said = settlement.live().and_then(|l| l.said());
            let odd = said.and_then(|f| f.error).filter(|_| !content);
            return Ok(Opened {
                first,
                terminal,
                odd,
                body: Some(body),
                flow,
            });
        }
    }
}

/// The stream ended before any content: whole all the same if it said why.
fn ended(
    settlement: &mut Settlement,
    mut flow: Flow,
    mut first: Vec<Cleared<Bytes>>,
) -> Result<Opened, Result<AttemptFailed, Failed>> {
    let taken = watch(settlement, |meter| flow.finish(meter))?;
    first.push(taken.bytes);
    let said = settlement.live().and_then(|l| l.said());
    if !said.is_some_and(|f| f.finish_reason.is_some() || f.error.is_some()) && !taken.terminal {
        return Err(Ok(timed_out(FailureClass::Truncated)));
    }
    let odd = said.and_then(|f| f.error).filter(|_| !taken.content);
    note_content(settlement, taken.content);
    Ok(Opened {
        first,
        odd,
        terminal: taken.terminal,
        body: None,
        flow,
    })
}

fn note_content(settlement: &mut Settlement, content: bool) {
    let now = settlement.shared.now();
    if let Some(live) = settlement.live().filter(|_| content) {
        live.first_token = Some(now);
    }
}

fn watch(
    settlement: &mut Settlement,
    take: impl FnOnce(&mut dyn lintel_wire::provider::StreamMeter) -> Result<Taken, Stuck>,
) -> Result<Taken, Result<AttemptFailed, Failed>> {
    let meter = settlement.live().and_then(|l| l.meter.as_deref_mut());
    let Some(meter) = meter else {
        return Err(Ok(timed_out(FailureClass::Malformed)));
    };
    take(meter).map_err(|stuck| match stuck {
        Stuck::TooLong => {
            Ok(timed_out(FailureClass::Malformed).because("an event is longer than limits.event"))
        }
        Stuck::Malformed(why) => Ok(timed_out(FailureClass::Malformed).because(why)),
        Stuck::Blocked(verdict) => Err(blocked(&verdict).into()),
    })
}
