//! Which tokens let whom in: the stored ones, and the one that the process was started with.
//!
//! Decides who a presented token is. Kept in memory by hash, made anew from the store after every change,
//! so that no request waits for a file to be let in. When a token was last used is noted at most once a
//! minute, and off the request's path.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use lintel_store::{Control, StoreError, TokenRow};
use lintel_types::Timestamp;
use parking_lot::{Mutex, RwLock};

use crate::auth::Caller;
use crate::mint;
use crate::roles::Role;
use crate::token::AdminToken;

/// The id of the token that the process was started with, which no store holds.
pub(crate) const BOOTSTRAP: &str = "bootstrap";
/// How far apart two notes of last use are, in microseconds.
const NOTED_MICROS: i64 = 60_000_000;

/// Every token.
pub(crate) struct Registry {
    bootstrap: AdminToken,
    control: Control,
    known: RwLock<HashMap<[u8; 32], Arc<Known>>>,
    reading: Mutex<()>,
}

struct Known {
    row: TokenRow,
    noted: AtomicI64,
}

/// Who a presented token is.
pub(crate) enum Found {
    /// Somebody; with the id under which the use is to be noted, when it is time.
    Caller(Caller, Option<Arc<str>>),
    /// A token whose time is over, and why.
    Over(&'static str),
    /// Nobody's.
    Nobody,
}

impl Registry {
    /// The tokens of `control`, and `bootstrap`.
    ///
    /// # Errors
    /// When the store can't be read.
    pub(crate) fn open(control: Control, bootstrap: AdminToken) -> Result<Self, StoreError> {
        let registry = Self {
            bootstrap,
            control,
            known: RwLock::default(),
            reading: Mutex::new(()),
        };
        registry.reread()?;
        Ok(registry)
    }

    /// Puts the tokens that the store holds now in force. Call it after every change.
    ///
    /// # Errors
    /// When the store can't be read: the tokens before stay in force.
    pub(crate) fn reread(&self) -> Result<(), StoreError> {
        // Reading and putting in force under one lock: of two changes the later one stays.
        let _alone = self.reading.lock();
        let stored = self.control.token_hashes()?.into_iter();
        let known = stored.map(|(hash, row)| {
            let noted = row.last_used.map_or(i64::MIN, Timestamp::as_micros);
            let noted = AtomicI64::new(noted);
            (hash, Arc::new(Known { row, noted }))
        });
        *self.known.write() = known.collect();
        Ok(())
    }

    /// Who shows `presented` at `now`.
    pub(crate) fn find(&self, presented: &str, now: Timestamp) -> Found {
        if let Some(name) = self.bootstrap.recognise(presented) {
            let (id, role) = (Arc::from(BOOTSTRAP), Role::Owner);
            return Found::Caller(
                Caller {
                    id,
                    name,
                    role,
                    tenant: None,
                },
                None,
            );
        }
        // A hash of 256 random bits can't be approached by timing: it is looked up, not compared.
        let Some(known) = self.known.read().get(&mint::hash(presented)).cloned() else {
            return Found::Nobody;
        };
        let row = &known.row;
        if row.revoked.is_some() {
            return Found::Over("this token is revoked: ask for another");
        }
        if row.expires.is_some_and(|expires| expires <= now) {
            return Found::Over("this token's time is over: ask for another");
        }
        let Some(role) = Role::by_name(&row.role) else {
            return Found::Over("this token has a role that this version does not know");
        };
        let caller = Caller {
            id: Arc::from(&*row.id),
            name: Arc::from(&*row.name),
            role,
            tenant: row.tenant.as_deref().map(Arc::from),
        };
        let note = known.is_due(now).then(|| Arc::clone(&caller.id));
        Found::Caller(caller, note)
    }
}

impl Known {
    /// Whether this use is to be noted; true once for those that come together.
    fn is_due(&self, now: Timestamp) -> bool {
        let (last, now) = (self.noted.load(Ordering::Relaxed), now.as_micros());
        let due = now.saturating_sub(last) >= NOTED_MICROS;
        let swap = || {
            self.noted
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
        };
        due && swap().is_ok()
    }
}
