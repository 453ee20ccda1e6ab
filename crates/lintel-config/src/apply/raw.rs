//! Files for `lintel apply` as written: one struct a level, every default beside its key.

use std::collections::BTreeMap;
use std::time::Duration;

use lintel_policy::{Period, Size};
use lintel_types::{CallHeader, Priority};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tenants, projects and keys, as `lintel apply` makes them.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplyFile {
    /// Who calls, by name.
    pub tenants: BTreeMap<String, ApplyTenant>,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApplyTenant {
    /// Its projects, by name.
    pub projects: BTreeMap<String, ApplyProject>,
}

/// A tenant's project.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApplyProject {
    /// Its keys, by name.
    pub keys: BTreeMap<String, ApplyKey>,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApplyKey {
    /// The text that callers send, as `sha256:` and 64 hexadecimal digits of its SHA-256, `${NAME}` or `file:/path`. Absent: one is
    /// made with the key and shown once.
    pub secret: Option<String>,
    /// How long the former secret stays accepted when `secret` is another one.
    pub overlap: Period,
    /// Whom to ask about it.
    pub owner: String,
    /// What it is for.
    pub description: String,
    /// The routes that it may name; absent: every route of its project.
    pub routes: Option<Vec<String>>,
    /// Whether it may name `provider/model` without a route.
    pub direct: bool,
    /// Whether answers may tell it the names of targets.
    pub expose_targets: bool,
    /// When it stops being valid: an RFC 3339 time, or a date, which means its midnight in UTC.
    pub expires: Option<String>,
    /// Whether its calls are refused for now.
    pub disabled: bool,
    /// The largest body that it may send, below `limits.body`.
    pub max_body: Option<Size>,
    /// Its calls under way at once.
    #[schemars(range(min = 1))]
    pub max_in_flight: Option<u32>,
    /// The targets that may serve it, as `provider/model` with `*` for any run of characters; absent: every target.
    pub models: Option<Vec<String>>,
    /// The highest priority that its calls may claim.
    pub priority: Option<PriorityWord>,
    /// The `x-lintel-*` headers that it may set; absent: all.
    pub headers: Option<Vec<HeaderWord>>,
    /// The feature of calls that name none.
    pub feature: Option<String>,
}

impl Default for ApplyKey {
    /// A key of every route, with a day to change a secret in.
    fn default() -> Self {
        Self {
            secret: None,
            overlap: Period(Duration::from_secs(86_400)),
            owner: String::new(),
            description: String::new(),
            routes: None,
            direct: false,
            expose_targets: false,
            expires: None,
            disabled: false,
            max_body: None,
            max_in_flight: None,
            models: None,
            priority: None,
            headers: None,
            feature: None,
        }
    }
}

/// How much a call matters when there is not room for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriorityWord {
    /// Nobody waits for it.
    Batch,
    /// What is said of no call in particular.
    Normal,
    /// Somebody loses something when it is refused.
    Critical,
}

impl From<PriorityWord> for Priority {
    fn from(word: PriorityWord) -> Self {
        match word {
            PriorityWord::Batch => Priority::Batch,
            PriorityWord::Normal => Priority::Normal,
            PriorityWord::Critical => Priority::Critical,
        }
    }
}

/// What of a call its caller may say in `x-lintel-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeaderWord {
    /// `x-lintel-feature`
    Feature,
    /// `x-lintel-user`
    User,
    /// `x-lintel-session`
    Session,
    /// `x-lintel-tag-*`
    Tags,
    /// `x-lintel-priority`
    Priority,
    /// `x-lintel-deadline`
    Deadline,
}

impl From<HeaderWord> for CallHeader {
    fn from(word: HeaderWord) -> Self {
        match word {
            HeaderWord::Feature => CallHeader::Feature,
            HeaderWord::User => CallHeader::User,
            HeaderWord::Session => CallHeader::Session,
            HeaderWord::Tags => CallHeader::Tags,
            HeaderWord::Priority => CallHeader::Priority,
            HeaderWord::Deadline => CallHeader::Deadline,
        }
    }
}
