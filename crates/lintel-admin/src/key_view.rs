//! Keys as requests write them and as answers show them.
//!
//! Decides what a change leaves as it is: a field that is absent. Null takes a cap away. Knows no store beyond its
//! values. Invariant: nothing here holds a hash, and one type alone a secret.

use std::sync::Arc;

use lintel_config::apply::raw::{HeaderWord, PriorityWord};
use lintel_store::{KeyRow, KeySpec, KeyState, NewKey, SecretRow};
use lintel_types::{CallHeader, Caps, Priority, RouteAccess, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::instant::Direction;
use crate::problem::Problem;
use crate::words::{Label, Line, Moment, Name, When};

/// A key to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewKey")]
pub(crate) struct Wanted {
    /// The tenant that pays; made when new.
    pub(crate) tenant: Name,
    /// The tenant's project; made when new.
    project: Name,
    /// What to call the key.
    name: Option<Label>,
    /// Whom to ask about it: an e-mail address, a team.
    owner: Option<Line>,
    /// What it is for.
    description: Option<Line>,
    /// The routes that the key may name; absent: every route of its project.
    routes: Option<Vec<String>>,
    /// Whether it may name `provider/model` without a route.
    #[serde(default)]
    direct: bool,
    /// Whether degraded answers tell its holder which targets served them.
    #[serde(default)]
    expose_targets: bool,
    /// When it stops being valid; a span counts from now.
    expires: Option<When>,
    /// Bytes of a request's body, below `limits.body`.
    #[schemars(range(min = 1))]
    max_body: Option<u64>,
    /// Calls under way at once.
    #[schemars(range(min = 1))]
    max_in_flight: Option<u32>,
    /// The targets that may serve it, as `provider/model` with `*` for any run of characters; absent: every target.
    models: Option<Vec<String>>,
    /// The highest priority that its calls may claim; absent: normal.
    priority: Option<PriorityWord>,
    /// The `x-lintel-*` headers that it may set; absent: all.
    headers: Option<Vec<HeaderWord>>,
    /// The feature of calls that name none.
    feature: Option<String>,
}

impl Wanted {
    pub(crate) fn resolve(self, now: Timestamp) -> Result<NewKey, Problem> {
        let expires = self
            .expires
            .map(|when| when.at("expires", now, Direction::Future))
            .transpose()?;
        let spec = KeySpec {
            name: self.name.map(|Label(name)| name).unwrap_or_default(),
            owner: self.owner.map(|Line(text)| text).unwrap_or_default(),
            description: self.description.map(|Line(text)| text).unwrap_or_default(),
            routes: access(self.routes),
            direct: self.direct,
            expose_targets: self.expose_targets,
            expires,
            caps: Caps {
                max_body: self.max_body,
                max_in_flight: self.max_in_flight,
                models: self.models.map(shared),
                priority: self.priority.map(Priority::from),
                headers: self.headers.map(headers),
                feature: self.feature.map(Arc::from),
            },
        };
        Ok(NewKey {
            tenant: self.tenant.0,
            project: self.project.0,
            spec,
        })
    }
}

/// What is to be changed about a key: absent fields stay, and null takes away.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "KeyChange")]
pub(crate) struct Change {
    /// Whether it is refused until it is switched on again.
    #[serde(deserialize_with = "said")]
    #[schemars(with = "bool")]
    pub(crate) disabled: Option<bool>,
    /// What to call the key.
    #[serde(deserialize_with = "given")]
    name: Option<Option<Label>>,
    /// Whom to ask about it.
    #[serde(deserialize_with = "given")]
    owner: Option<Option<Line>>,
    /// What it is for.
    #[serde(deserialize_with = "given")]
    description: Option<Option<Line>>,
    /// The routes that it may name; null: every route of its project.
    #[serde(deserialize_with = "given")]
    routes: Option<Option<Vec<String>>>,
    /// Whether it may name `provider/model` without a route.
    #[serde(deserialize_with = "said")]
    #[schemars(with = "bool")]
    direct: Option<bool>,
    /// Whether degraded answers tell its holder which targets served them.
    #[serde(deserialize_with = "said")]
    #[schemars(with = "bool")]
    expose_targets: Option<bool>,
    /// When it stops being valid; a span counts from now; null: never.
    #[serde(deserialize_with = "given")]
    expires: Option<Option<When>>,
    /// Bytes of a request's body; null: `limits.body`.
    #[serde(deserialize_with = "given")]
    #[schemars(range(min = 1))]
    max_body: Option<Option<u64>>,
    /// Calls under way at once; null: no cap.
    #[serde(deserialize_with = "given")]
    #[schemars(range(min = 1))]
    max_in_flight: Option<Option<u32>>,
    /// The targets that may serve it; null: every target.
    #[serde(deserialize_with = "given")]
    models: Option<Option<Vec<String>>>,
    /// The highest priority that its calls may claim; null: normal.
    #[serde(deserialize_with = "given")]
    priority: Option<Option<PriorityWord>>,
    /// The headers that it may set; null: all.
    #[serde(deserialize_with = "given")]
    headers: Option<Option<Vec<HeaderWord>>>,
    /// The feature of calls that name none; null: none.
    #[serde(deserialize_with = "given")]
    feature: Option<Option<String>>,
}

/// A field that is there, and is not null.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    bool::deserialize(deserializer).map(Some)
}

/// A field that is there, if only as null.
fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

impl Change {
    /// What changes, as a function of the key as it is.
    pub(crate) fn resolve(
        self,
        now: Timestamp,
    ) -> Result<impl FnOnce(&KeyRow) -> KeySpec + Send + 'static, Problem> {
        let expires = match self.expires {
            Some(Some(when)) => Some(Some(when.at("expires", now, Direction::Future)?)),
            Some(None) => Some(None),
            None => None,
        };
        let spec = move |row: &KeyRow| {
            let was = row.spec.clone();
            let text = |new: Option<Option<Line>>, was| {
                new.map_or(was, |t| t.map(|Line(t)| t).unwrap_or_default())
            };
            KeySpec {
                name: self
                    .name
                    .map_or(was.name, |n| n.map(|Label(name)| name).unwrap_or_default()),
                owner: text(self.owner, was.owner),
                description: text(self.description, was.description),
                routes: self.routes.map_or(was.routes, access),
                direct: self.direct.unwrap_or(was.direct),
                expose_targets: self.expose_targets.unwrap_or(was.expose_targets),
                expires: expires.unwrap_or(was.expires),
                caps: Caps {
                    max_body: self.max_body.unwrap_or(was.caps.max_body),
                    max_in_flight: self.max_in_flight.unwrap_or(was.caps.max_in_flight),
                    models: self.models.map_or(was.caps.models, |m| m.map(shared)),
                    priority: self
                        .priority
                        .map_or(was.caps.priority, |p| p.map(Priority::from)),
                    headers: self.headers.map_or(was.caps.headers, |h| h.map(headers)),
                    feature: self.feature.map_or(was.caps.feature, |f| f.map(Arc::from)),
                },
            }
        };
        Ok(spec)
    }
}

pub(crate) fn access(routes: Option<Vec<String>>) -> RouteAccess {
    routes.map_or(RouteAccess::All, |names| RouteAccess::Only(shared(names)))
}

pub(crate) fn shared(texts: Vec<String>) -> Vec<Arc<str>> {
    texts.into_iter().map(Arc::from).collect()
}

pub(crate) fn headers(words: Vec<HeaderWord>) -> Vec<CallHeader> {
    words.into_iter().map(CallHeader::from).collect()
}

/// How a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "KeyState")]
pub(crate) enum State {
    /// May be used.
    Active,
    /// Refused until it is enabled.
    Disabled,
    /// Refused for good.
    Revoked,
    /// Shown in place of `active` once its time is over.
    Expired,
}

/// A text that is, or was, accepted as a key, without the text.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "KeySecret")]
pub(crate) struct Secret {
    /// How the text begins; null where only its hash was ever known.
    prefix: Option<String>,
    created: Moment,
    /// When it stops being accepted; null: when the key does.
    expires: Option<Moment>,
    /// When it was last accepted; up to a minute late.
    last_used: Option<Moment>,
}

impl From<SecretRow> for Secret {
    fn from(row: SecretRow) -> Self {
        Self {
            prefix: row.prefix,
            created: Moment(row.made),
            expires: row.expires.map(Moment),
            last_used: row.used.map(Moment),
        }
    }
}

/// A key as it is shown: everything but its secrets.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Key")]
pub(crate) struct Shown {
    /// `key_` and the first 16 hex digits of the SHA-256 of the key's first text. It stays, whatever the secrets.
    pub(crate) id: String,
    tenant: Name,
    project: Name,
    name: Option<Label>,
    owner: Option<Line>,
    description: Option<Line>,
    pub(crate) state: State,
    /// Null when it may name every route of its project.
    routes: Option<Vec<Arc<str>>>,
    direct: bool,
    expose_targets: bool,
    max_body: Option<u64>,
    max_in_flight: Option<u32>,
    models: Option<Vec<Arc<str>>>,
    /// `batch`, `normal` or `critical`; null: normal.
    priority: Option<&'static str>,
    headers: Option<Vec<&'static str>>,
    feature: Option<Arc<str>>,
    /// Whether files declare it (`lintel apply`).
    managed: bool,
    pub(crate) created: Moment,
    expires: Option<Moment>,
    /// When it was last accepted; up to a minute late.
    pub(crate) last_used: Option<Moment>,
    /// The latest first. Those before it are accepted until their own end.
    secrets: Vec<Secret>,
}

/// A key with a text that was just made: the only answer with a secret.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreatedKey")]
pub(crate) struct WithSecret {
    /// The key's text, `lk_…`: shown this once.
    pub(crate) key: String,
    #[serde(flatten)]
    pub(crate) shown: Shown,
}

impl Shown {
    pub(crate) fn of(row: KeyRow, now: Timestamp) -> Self {
        let usable = row.usable(now);
        let state = match row.state {
            KeyState::Active if !usable => State::Expired,
            KeyState::Active => State::Active,
            KeyState::Disabled => State::Disabled,
            KeyState::Revoked => State::Revoked,
        };
        let spec = row.spec;
        let caps = spec.caps;
        let said = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            id: row.id,
            tenant: Name(row.tenant),
            project: Name(row.project),
            name: said(spec.name).map(Label),
            owner: said(spec.owner).map(Line),
            description: said(spec.description).map(Line),
            state,
            routes: match spec.routes {
                RouteAccess::All => None,
                RouteAccess::Only(names) => Some(names),
            },
            direct: spec.direct,
            expose_targets: spec.expose_targets,
            max_body: caps.max_body,
            max_in_flight: caps.max_in_flight,
            models: caps.models,
            priority: caps.priority.map(Priority::name),
            headers: caps
                .headers
                .map(|h| h.into_iter().map(CallHeader::name).collect()),
            feature: caps.feature,
            managed: row.managed,
            created: Moment(row.made),
            expires: spec.expires.map(Moment),
            last_used: row.used.map(Moment),
            secrets: row.secrets.into_iter().map(Secret::from).collect(),
        }
    }
}
