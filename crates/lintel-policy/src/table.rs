//! What follows a failed attempt: a table over class and phase, then time and number of attempts.
//!
//! Two rules stand above the table: content that has reached a client is never followed by another
//! attempt, and no decision waits past the deadline.

use std::borrow::Cow;
use std::time::Duration;

use lintel_types::{Failure, FailureClass, Phase};

use crate::backoff;
use crate::route::Route;

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The same target again.
    RetrySame,
    /// The plan's next attempt: another target or, in a later pass, one that was tried before.
    NextTarget,
    /// The first target of a later tier.
    NextTier,
    /// Tell the client.
    Answer,
}

/// What the table says about one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The class.
    pub class: FailureClass,
    /// Before anything was sent.
    pub before_send: Action,
    /// Sent, but no content has reached the client.
    pub before_first_byte: Action,
    /// Content has reached the client.
    pub mid_stream: Action,
    /// Whether a target that failed so may be tried again in the same exchange. A wrong credential
    /// doesn't get right by waiting; a full provider may have room.
    pub passes: bool,
}

impl Row {
    /// The action at `phase`.
    pub const fn action(&self, phase: Phase) -> Action {
        match phase {
            Phase::BeforeSend => self.before_send,
            Phase::BeforeFirstByte => self.before_first_byte,
            Phase::MidStream => self.mid_stream,
        }
    }
}

/// A failure that another attempt, also at the same target, may mend.
const fn passing(class: FailureClass) -> Row {
    Row {
        class,
        before_send: Action::NextTarget,
        before_first_byte: Action::NextTarget,
        mid_stream: Action::Answer,
        passes: true,
    }
}

/// A failure that only another target may mend.
const fn lasting(class: FailureClass) -> Row {
    Row {
        passes: false,
        ..passing(class)
    }
}

/// A failure that is the request's own, or that nobody waits for.
const fn final_(class: FailureClass) -> Row {
    Row {
        class,
        before_send: Action::Answer,
        before_first_byte: Action::Answer,
        mid_stream: Action::Answer,
        passes: false,
    }
}

/// The default table, in the order of [`FailureClass`].
pub const TABLE: [Row; 19] = [
    passing(FailureClass::Connect),
    passing(FailureClass::Tls),
    passing(FailureClass::Proxy),
    passing(FailureClass::TimeoutConnect),
    passing(FailureClass::TimeoutFirstToken),
    passing(FailureClass::TimeoutIdle),
    passing(FailureClass::TimeoutTotal),
    passing(FailureClass::RateLimited),
    passing(FailureClass::Overloaded),
    passing(FailureClass::ServerError),
    lasting(FailureClass::Credential),
    lasting(FailureClass::Quota),
    final_(FailureClass::BadRequest),
    final_(FailureClass::ContextLength),
    final_(FailureClass::ContentFilter),
    lasting(FailureClass::Unsupported),
    passing(FailureClass::Malformed),
    passing(FailureClass::Truncated),
    final_(FailureClass::Cancelled),
];

/// The table's row for `class`.
pub fn row(class: FailureClass) -> Row {
    TABLE.get(class as usize).copied().unwrap_or(final_(class))
}

/// The longest `retry-after` that is waited out while a client holds the line; beyond it the client
/// gets the answer, and can decide: the official SDKs wait by themselves, for up to a minute.
pub const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// How long to wait first; always less than what is left. Zero for [`Action::Answer`].
    pub wait: Duration,
    /// Why, for the log and the console.
    pub reason: Cow<'static, str>,
}

/// Tells the client, because of `reason`.
fn answer(reason: impl Into<Cow<'static, str>>) -> Decision {
    Decision {
        action: Action::Answer,
        wait: Duration::ZERO,
        reason: reason.into(),
    }
}

/// What follows `failure` after `made` attempts (this one counted). `retry_after` is what the
/// provider asked for, `left` what is left of the exchange's deadline, `random` 64 uniform bits.
pub fn decide(
    failure: Failure,
    made: u8,
    retry_after: Option<Duration>,
    left: Duration,
    random: u64,
    route: &Route,
) -> Decision {
    let row = row(failure.class);
    let action = row.action(failure.phase);
    let (class, phase) = (failure.class.name(), failure.phase.name());
    if action == Action::Answer {
        return answer(format!("{class} {phase} is answered"));
    }
    if made >= route.attempts {
        return answer(format!("{class}: all {} attempts are made", route.attempts));
    }
    // A pass names every target once, so the next attempt goes to a fresh target as long as fewer were made than there are.
    let targets = route.target_count();
    let repeats = action == Action::RetrySame || usize::from(made) >= targets;
    if repeats && !row.passes {
        return answer(format!(
            "{class}: every target has been tried, and trying one again can't mend it"
        ));
    }
    let wait = if repeats {
        repeat_wait(usize::from(made), targets, retry_after, random)
    } else {
        Duration::ZERO
    };
    if repeats && retry_after.is_some_and(|asked| asked > LONGEST_WAIT) {
        return answer(format!(
            "{class}: the provider asks to wait longer than a minute"
        ));
    }
    if wait >= left {
        return answer(format!(
            "{class}: the deadline leaves no time for another attempt"
        ));
    }
    let reason = match (action, repeats) {
        (Action::NextTier, _) => format!("{class} {phase}: next tier"),
        (_, true) => format!("{class} {phase}: again after {} ms", wait.as_millis()),
        (_, false) => format!("{class} {phase}: next target"),
    };
    Decision {
        action,
        wait,
        reason: reason.into(),
    }
}

/// The wait before a target is tried again: jitter that grows with every pass, and at least what the provider asked for.
fn repeat_wait(
    made: usize,
    targets: usize,
    retry_after: Option<Duration>,
    random: u64,
) -> Duration {
    let again = u32::try_from(made / targets.max(1))
        .unwrap_or(u32::MAX)
        .max(1);
    backoff::full_jitter(again, random).max(retry_after.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::route::{RouteConfig, TargetConfig, TierConfig};

    const PHASES: [Phase; 3] = [Phase::BeforeSend, Phase::BeforeFirstByte, Phase::MidStream];
    const LONG: Duration = Duration::from_secs(600);

    fn route(targets: usize, attempts: u8) -> Route {
        let one = TargetConfig {
            provider: "p".into(),
            model: "m".into(),
            weight: 1,
        };
        let tiers = vec![TierConfig {
            targets: vec![one; targets],
        }];
        let config = RouteConfig {
            attempts,
            ..RouteConfig::over(tiers)
        };
        Route::new("r".into(), &config, |name| Some((name.into(), 0))).unwrap()
    }

    fn check(class: FailureClass, phase: Phase, expect: Action) {
        let decision = decide(
            Failure { class, phase },
            1,
            None,
            LONG,
            u64::MAX,
            &route(2, 3),
        );
        assert_eq!(decision.action, expect, "{} {}", class.name(), phase.name());
        assert!(
            decision.reason.contains(class.name()),
            "{}",
            decision.reason
        );
    }

    #[test]
    fn the_table_has_a_row_for_every_class_at_its_place() {
        for row in TABLE {
            assert_eq!(super::row(row.class), row);
        }
        assert_eq!(
            TABLE.len(),
            FailureClass::Cancelled as usize + 1,
            "Cancelled is the last class"
        );
    }

    #[test]
    fn the_whole_table() {
        use FailureClass::*;
        let fails_over = [
            Connect,
            Proxy,
            Tls,
            TimeoutConnect,
            TimeoutFirstToken,
            TimeoutIdle,
            TimeoutTotal,
            RateLimited,
            Overloaded,
            ServerError,
            Credential,
            Quota,
            Malformed,
            Truncated,
            Unsupported,
        ];
        let answers = [BadRequest, ContextLength, ContentFilter, Cancelled];
        assert_eq!(fails_over.len() + answers.len(), TABLE.len());
        for phase in PHASES {
            let next = if phase == Phase::MidStream {
                Action::Answer
            } else {
                Action::NextTarget
            };
            fails_over
                .iter()
                .for_each(|class| check(*class, phase, next));
            answers
                .iter()
                .for_each(|class| check(*class, phase, Action::Answer));
        }
    }

    #[test]
    fn a_fresh_target_is_tried_at_once_a_tried_one_after_a_wait() {
        let limited = Failure {
            class: FailureClass::RateLimited,
            phase: Phase::BeforeFirstByte,
        };
        let asked = Some(Duration::from_secs(5));
        assert_eq!(
            decide(limited, 1, asked, LONG, u64::MAX, &route(2, 3)).wait,
            Duration::ZERO
        );
        assert_eq!(
            decide(limited, 2, asked, LONG, u64::MAX, &route(2, 3)).wait,
            Duration::from_secs(5)
        );
        assert_eq!(
            decide(limited, 1, None, LONG, u64::MAX, &route(1, 3)).wait,
            backoff::BASE
        );
        assert_eq!(
            decide(limited, 2, None, LONG, u64::MAX, &route(1, 3)).wait,
            backoff::BASE * 2
        );
    }

    #[test]
    fn retry_after_is_honoured_only_within_the_deadline_and_the_longest_wait() {
        let full = Failure {
            class: FailureClass::Overloaded,
            phase: Phase::BeforeFirstByte,
        };
        let asked = Some(Duration::from_secs(5));
        assert_eq!(
            decide(full, 1, asked, Duration::from_secs(6), 0, &route(1, 3)).action,
            Action::NextTarget
        );
        assert_eq!(
            decide(full, 1, asked, Duration::from_secs(5), 0, &route(1, 3)).action,
            Action::Answer
        );
        assert_eq!(
            decide(
                full,
                1,
                Some(Duration::from_secs(11)),
                LONG,
                0,
                &route(1, 3)
            )
            .action,
            Action::Answer
        );
        assert_eq!(
            decide(
                full,
                1,
                Some(Duration::from_secs(11)),
                LONG,
                0,
                &route(2, 3)
            )
            .action,
            Action::NextTarget
        );
    }

    #[test]
    fn a_wrong_credential_is_not_tried_twice() {
        let refused = Failure {
            class: FailureClass::Credential,
            phase: Phase::BeforeFirstByte,
        };
        assert_eq!(
            decide(refused, 1, None, LONG, 0, &route(2, 5)).action,
            Action::NextTarget
        );
        assert_eq!(
            decide(refused, 2, None, LONG, 0, &route(2, 5)).action,
            Action::Answer
        );
        assert_eq!(
            decide(refused, 1, None, LONG, 0, &route(1, 5)).action,
            Action::Answer
        );
    }

    proptest! {
        #[test]
        fn never_past_the_deadline_nor_the_bound(
            class in 0usize..TABLE.len(), phase in 0usize..3, made in 1u8..20, targets in 1usize..5, attempts in 1u8..16,
            asked in proptest::option::of(0u64..100_000), left in 0u64..700_000, random in any::<u64>(),
        ) {
            let failure = Failure { class: TABLE[class].class, phase: PHASES[phase] };
            let left = Duration::from_millis(left);
            let d = decide(failure, made, asked.map(Duration::from_millis), left, random, &route(targets, attempts));
            if d.action == Action::Answer {
                prop_assert_eq!(d.wait, Duration::ZERO);
            } else {
                prop_assert!(d.wait < left);
                prop_assert!(made < attempts);
                prop_assert!(failure.phase != Phase::MidStream);
            }
        }
    }
}
