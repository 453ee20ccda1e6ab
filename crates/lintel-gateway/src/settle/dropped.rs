//! An exchange whose future was dropped before it was settled: what ended it, as far as that can be told.
//!
//! Awaits nothing: it may run while the stack unwinds.

use lintel_types::{Failure, FailureClass, Outcome, Phase, Side};

use super::Settlement;
use crate::end::End;

impl Drop for Settlement {
    fn drop(&mut self) {
        self.exchange.leash.clear();
        if self.settled {
            return;
        }
        let (outcome, code, side, reason) = if std::thread::panicking() {
            (
                Outcome::Panicked,
                "internal",
                Side::Gateway,
                "a step panicked",
            )
        } else if self.exchange.cut.is_cut() {
            (
                Outcome::Revoked,
                "key_revoked",
                Side::Client,
                "the key was revoked, disabled or expired before the answer was whole",
            )
        } else if self.shared.is_cut() {
            (
                Outcome::Shutdown,
                "shutting_down",
                Side::Gateway,
                "the process stopped before the answer was whole",
            )
        } else {
            (
                Outcome::Cancelled,
                "cancelled",
                Side::Client,
                "the client hung up",
            )
        };
        let phase = match &self.live {
            Some(live) if !live.sent => Phase::BeforeSend,
            _ if self.response_bytes == 0 => Phase::BeforeFirstByte,
            _ => Phase::MidStream,
        };
        let failure = self.live.is_some().then_some(Failure {
            class: FailureClass::Cancelled,
            phase,
        });
        // What `listen` answers to a call that ended so, when nothing has gone out.
        let status = match (self.status, outcome) {
            (0, Outcome::Panicked) => 500,
            (0, Outcome::Shutdown) => 503,
            (0, Outcome::Revoked) => 401,
            (status, _) => status,
        };
        self.settle(End {
            outcome,
            status,
            code: Some(code),
            side: Some(side),
            reason: Some(reason.to_owned()),
            failure,
        });
    }
}
