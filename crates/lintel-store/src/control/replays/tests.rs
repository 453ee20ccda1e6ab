//! Calls that come twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use lintel_types::{Clock, Mono};

use super::*;
use crate::samples::Scratch;

struct Held(AtomicI64);

impl Clock for Held {
    fn wall(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
    fn mono(&self) -> Mono {
        Mono::default()
    }
}

fn call(key: &str, digest: u8) -> ReplayKey {
    ReplayKey {
        actor: "ci".into(),
        operation: "createTenant".into(),
        key: key.into(),
        digest: [digest; 32],
    }
}

#[test]
fn a_call_is_new_once_for_a_day() {
    let (scratch, clock) = (
        Scratch::new(),
        Arc::new(Held(AtomicI64::new(1_795_505_533_000_000))),
    );
    let control = Control::open(scratch.path(), Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    let check = |call: &ReplayKey, want: Replay| {
        assert_eq!(control.replay(call).unwrap(), want, "{call:?}")
    };

    check(&call("a", 1), Replay::New);
    check(&call("a", 1), Replay::Unknown);
    control.answered(&call("a", 1), Some("201")).unwrap();
    check(&call("a", 1), Replay::Answered("201".into()));
    check(&call("a", 2), Replay::Mismatch);
    check(
        &ReplayKey {
            actor: "other".into(),
            ..call("a", 2)
        },
        Replay::New,
    );
    check(
        &ReplayKey {
            operation: "createKey".into(),
            ..call("a", 2)
        },
        Replay::New,
    );

    check(&call("b", 1), Replay::New);
    control.answered(&call("b", 1), None).unwrap();
    check(&call("b", 2), Replay::New);

    clock
        .0
        .fetch_add(KEPT.as_micros() as i64 - 1, Ordering::Relaxed);
    check(&call("a", 1), Replay::Answered("201".into()));
    // A clock that is set back lets it live on.
    let right = clock.0.swap(0, Ordering::Relaxed);
    check(&call("a", 1), Replay::Answered("201".into()));
    clock.0.store(right, Ordering::Relaxed);
    clock.0.fetch_add(1, Ordering::Relaxed);
    check(&call("a", 1), Replay::New);
}
