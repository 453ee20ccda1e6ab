//! Virtual keys: who may call, what they may call, until when.
//!
//! Knows a key by the SHA-256 of its texts, never a text. Invariants: an id names one key for good, whatever its
//! secrets; a revoked key stays revoked; every change has its audit row, which holds neither secret nor hash.

mod change;
mod rows;
mod secrets;

use std::sync::Arc;

use lintel_types::{Caps, Principal, PrincipalKind, RouteAccess, Timestamp};
use serde::{Deserialize, Serialize};

pub use secrets::{NewSecret, StoredSecret};

pub(super) use change::{create, edit, set_state};
pub(super) use rows::{all, find};
pub(super) use secrets::{add as add_secret, has as has_secret, was_rotated_away};

use super::Control;
use crate::error::StoreError;

/// What is decided about a key, and can be decided anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeySpec {
    /// A label for people; may be empty.
    pub name: String,
    /// Whom to ask about it: an e-mail address, a team; may be empty.
    pub owner: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Which routes it may name.
    pub routes: RouteAccess,
    /// Whether it may name `provider/model`.
    pub direct: bool,
    /// Whether answers may tell it the names of targets.
    pub expose_targets: bool,
    /// When it stops being valid.
    pub expires: Option<Timestamp>,
    /// What its calls may ask for.
    pub caps: Caps,
}

impl Default for KeySpec {
    /// Every route, and nothing beyond.
    fn default() -> Self {
        Self {
            name: String::new(),
            owner: String::new(),
            description: String::new(),
            routes: RouteAccess::All,
            direct: false,
            expose_targets: false,
            expires: None,
            caps: Caps::default(),
        }
    }
}

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose; made when new.
    pub tenant: String,
    /// Of which project; made when new.
    pub project: String,
    /// What it may do.
    pub spec: KeySpec,
}

/// What an operator has decided about a key. Expiry is a date, not a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// May be used.
    Active,
    /// May not be used until it is enabled.
    Disabled,
    /// May never be used again.
    Revoked,
}

impl KeyState {
    /// The name in JSON and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Disabled => "disabled",
            KeyState::Revoked => "revoked",
        }
    }
}

/// A text that is, or was, accepted as a key, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretRow {
    /// How the text begins; none where only its hash was ever known.
    pub prefix: Option<String>,
    /// When it was made.
    pub made: Timestamp,
    /// When it stops being accepted; none: when the key does.
    pub expires: Option<Timestamp>,
    /// When it was last accepted.
    #[serde(skip)]
    pub used: Option<Timestamp>,
}

/// A key as it is shown: everything but its secrets and hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyRow {
    /// `key_` and the first 16 hex digits of its first secret's hash.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// Of which project.
    pub project: String,
    /// What it may do.
    #[serde(flatten)]
    pub spec: KeySpec,
    /// When it was made.
    pub made: Timestamp,
    /// What an operator has decided about it.
    pub state: KeyState,
    /// Whether it is declared in files.
    pub managed: bool,
    /// When it was last accepted; about a minute late. The audit is not about use.
    #[serde(skip)]
    pub used: Option<Timestamp>,
    /// Its secrets, the latest first.
    pub secrets: Vec<SecretRow>,
}

impl KeyRow {
    /// Whether it may be used at `now`.
    pub fn usable(&self, now: Timestamp) -> bool {
        self.state == KeyState::Active && self.spec.expires.is_none_or(|e| now < e)
    }

    /// The caller that the key stands for.
    pub fn principal(&self) -> Principal {
        let spec = &self.spec;
        Principal {
            kind: PrincipalKind::Key,
            key: Arc::from(&*self.id),
            tenant: Arc::from(&*self.tenant),
            project: Arc::from(&*self.project),
            routes: spec.routes.clone(),
            direct: spec.direct,
            expose_targets: spec.expose_targets,
            expires: spec.expires,
            caps: spec.caps.clone(),
        }
    }
}

/// Which keys to list.
#[derive(Debug, Clone, Default)]
pub struct KeyFilter {
    /// This tenant's only.
    pub tenant: Option<String>,
    /// Of projects of this name only.
    pub project: Option<String>,
}

impl Control {
    /// Makes a key with its first secret; tenant and project are made, and audited, when they are new.
    ///
    /// Errors: a name is no name, the expiry has passed, a cap can't be meant, the hash or its first 16 digits are taken.
    pub fn create_key(
        &self,
        new: &NewKey,
        secret: &NewSecret,
        actor: &str,
    ) -> Result<KeyRow, StoreError> {
        let now = self.now();
        self.change(|t| create(t, new, secret, false, now, actor))
    }

    /// Changes what is decided about a key, all or nothing: `decide` gets it as it is, and `disabled` says whether it is
    /// refused for now. Nothing changes, and nothing is audited, when that is what it is already.
    ///
    /// Errors: unknown, revoked, or as [`Control::create_key`].
    pub fn change_key(
        &self,
        id: &str,
        disabled: Option<bool>,
        actor: &str,
        decide: impl FnOnce(&KeyRow) -> KeySpec,
    ) -> Result<KeyRow, StoreError> {
        let now = self.now();
        self.change(|t| {
            let before = find(t, id)?.ok_or_else(|| unknown(id))?;
            let spec = decide(&before);
            let after = edit(t, before, spec, None, now, actor)?;
            match disabled {
                Some(true) => set_state(t, after, KeyState::Disabled, now, actor),
                Some(false) => set_state(t, after, KeyState::Active, now, actor),
                None => Ok(after),
            }
        })
    }

    /// The keys that match, oldest first.
    pub fn keys(&self, filter: &KeyFilter) -> Result<Vec<KeyRow>, StoreError> {
        self.read(|db| all(db, filter))
    }

    /// One key.
    pub fn key(&self, id: &str) -> Result<KeyRow, StoreError> {
        self.read(|db| find(db, id))?.ok_or_else(|| unknown(id))
    }

    /// Revokes a key for good. Revoking it again changes nothing.
    pub fn revoke_key(&self, id: &str, actor: &str) -> Result<KeyRow, StoreError> {
        self.set_state(id, KeyState::Revoked, actor)
    }

    /// Disables a key until it is enabled. Errors: unknown, or revoked.
    pub fn disable_key(&self, id: &str, actor: &str) -> Result<KeyRow, StoreError> {
        self.set_state(id, KeyState::Disabled, actor)
    }

    /// Enables a disabled key. Errors: unknown, or revoked.
    pub fn enable_key(&self, id: &str, actor: &str) -> Result<KeyRow, StoreError> {
        self.set_state(id, KeyState::Active, actor)
    }

    fn set_state(&self, id: &str, state: KeyState, actor: &str) -> Result<KeyRow, StoreError> {
        let now = self.now();
        self.change(|t| {
            let before = find(t, id)?.ok_or_else(|| unknown(id))?;
            set_state(t, before, state, now, actor)
        })
    }
}

fn unknown(id: &str) -> StoreError {
    StoreError::NotFound {
        what: "key",
        name: id.to_owned(),
    }
}
