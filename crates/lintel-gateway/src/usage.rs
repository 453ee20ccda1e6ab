//! What an attempt is booked with: the provider's numbers where they came, an estimate where they didn't.
//!
//! The rule: a whole answer without usage, and anything cut after it was sent, is estimated from bytes and
//! marked so; a refusal by the provider costs nothing; what was never sent costs nothing, and neither does an
//! operation that only counts tokens.

use lintel_types::{FailureClass, Meter, Usage};
use lintel_wire::provider::ReplyFacts;

/// Bytes of JSON that count as one token in an estimate.
const BYTES_PER_TOKEN: u64 = 4;

/// Tokens that `bytes` of a conversation are taken for.
pub(crate) fn estimate(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// What is known of an attempt when it ends.
pub(crate) struct Seen<'a> {
    /// Something was sent to the provider.
    pub(crate) sent: bool,
    /// The operation costs nothing, whatever comes of it: that is known, not estimated.
    pub(crate) free: bool,
    /// The provider's status, if an answer began.
    pub(crate) status: Option<u16>,
    /// How it failed, if it did.
    pub(crate) class: Option<FailureClass>,
    /// What the answer said.
    pub(crate) facts: Option<&'a ReplyFacts>,
    /// Input tokens by estimate.
    pub(crate) estimated_input: u64,
}

/// The usage that is booked.
pub(crate) fn booked(seen: &Seen<'_>) -> Usage {
    let refused = seen.status.is_some_and(|s| !(200..300).contains(&s));
    if !seen.sent || refused || seen.free {
        return Usage::new();
    }
    let cut = seen.class.is_some_and(breaks_off);
    let produced = seen.facts.map_or(0, |f| estimate(f.content_bytes));
    match seen.facts.and_then(|f| f.usage.as_ref()) {
        Some(usage) if !cut => usage.clone(),
        // Cut while streaming: what was reported so far stands, but output that was seen is at least what it weighs.
        Some(usage) => {
            let mut usage = usage.clone();
            let missing = produced.saturating_sub(usage.output_tokens());
            usage.add(Meter::Output, missing);
            usage.reported_total = None;
            usage.estimated = true;
            usage
        }
        None => {
            let mut usage = Usage::new();
            usage.estimated = true;
            usage
                .add(Meter::Input, seen.estimated_input)
                .add(Meter::Output, produced);
            usage
        }
    }
}

/// Whether the answer ended before the provider had said all.
fn breaks_off(class: FailureClass) -> bool {
    use FailureClass::{Cancelled, TimeoutFirstToken, TimeoutIdle, TimeoutTotal, Truncated};
    matches!(
        class,
        Cancelled | Truncated | TimeoutFirstToken | TimeoutIdle | TimeoutTotal
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(
        sent: bool,
        status: Option<u16>,
        class: Option<FailureClass>,
        facts: Option<&ReplyFacts>,
    ) -> (u64, u64, bool) {
        let usage = booked(&Seen {
            sent,
            free: false,
            status,
            class,
            facts,
            estimated_input: 10,
        });
        (usage.input_tokens(), usage.output_tokens(), usage.estimated)
    }

    fn facts(reported: Option<(u64, u64)>, content_bytes: u64) -> ReplyFacts {
        let usage = reported.map(|(i, o)| {
            let mut u = Usage::new();
            u.add(Meter::Input, i).add(Meter::Output, o);
            u
        });
        ReplyFacts {
            usage,
            content_bytes,
            ..ReplyFacts::default()
        }
    }

    #[test]
    fn what_is_free_is_known_to_be_even_when_it_is_cut() {
        for class in [None, Some(FailureClass::Cancelled)] {
            let booked = booked(&Seen {
                sent: true,
                free: true,
                status: Some(200),
                class,
                facts: Some(&facts(None, 0)),
                estimated_input: 10,
            });
            assert_eq!(booked, Usage::new());
        }
    }

    #[test]
    fn the_rule() {
        let reported = facts(Some((7, 3)), 400);
        let silent = facts(None, 400);
        assert_eq!(
            usage(true, Some(200), None, Some(&reported)),
            (7, 3, false),
            "the provider's numbers"
        );
        assert_eq!(
            usage(true, Some(200), None, Some(&silent)),
            (10, 100, true),
            "none came"
        );
        assert_eq!(
            usage(
                true,
                Some(200),
                Some(FailureClass::Cancelled),
                Some(&reported)
            ),
            (7, 100, true),
            "cut"
        );
        assert_eq!(
            usage(
                true,
                Some(200),
                Some(FailureClass::ServerError),
                Some(&reported)
            ),
            (7, 3, false),
            "an error that reports"
        );
        assert_eq!(
            usage(true, Some(200), Some(FailureClass::Truncated), None),
            (10, 0, true),
            "cut before content"
        );
        assert_eq!(
            usage(true, None, Some(FailureClass::TimeoutFirstToken), None),
            (10, 0, true),
            "lost after sending"
        );
        assert_eq!(
            usage(true, Some(429), Some(FailureClass::RateLimited), None),
            (0, 0, false),
            "refused"
        );
        assert_eq!(
            usage(false, None, Some(FailureClass::Connect), None),
            (0, 0, false),
            "never sent"
        );
    }
}
