//! `/api/v1/keys`: makes, lists, shows, switches off and on, and revokes virtual keys.
//!
//! A key's secret leaves this process once, in the answer to the request that made it. A change is
//! committed and audited first and put in force on the data plane before the answer is sent.

use std::sync::Arc;

use lintel_store::{KeyFilter, KeyRow, KeyState, NewKey, StoreError};
use lintel_types::{RouteAccess, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::{Created, One};
use crate::codes;
use crate::extract::{ById, JsonBody};
use crate::instant::Direction;
use crate::mint;
use crate::operation::{Call, Nothing};
use crate::page::{self, Page};
use crate::problem::Problem;
use crate::words::{Label, Moment, Name, When};

/// A key to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewKey")]
pub(crate) struct Wanted {
    /// The tenant that pays; made when new.
    tenant: Name,
    /// The tenant's project; made when new.
    project: Name,
    /// What to call the key.
    name: Option<Label>,
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
}

/// What can be changed about a key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KeyChange")]
pub(crate) struct Change {
    /// Whether it is refused until it is switched on again.
    disabled: bool,
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

/// A key as it is shown: everything but its secret.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Key")]
pub(crate) struct Shown {
    /// `key_` and the first 16 hex digits of the SHA-256 of the key's text.
    id: String,
    tenant: Name,
    project: Name,
    name: Option<Label>,
    state: State,
    /// Null when it may name every route of its project.
    routes: Option<Vec<Arc<str>>>,
    direct: bool,
    expose_targets: bool,
    created: Moment,
    expires: Option<Moment>,
}

/// A key that was just made: the only answer with a secret.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CreatedKey")]
pub(crate) struct WithSecret {
    /// The key's text, `lk_…`: shown this once.
    key: String,
    #[serde(flatten)]
    shown: Shown,
}

/// Which keys.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Only this tenant's.
    tenant: Option<Name>,
    /// Only this project's.
    project: Option<Name>,
    /// Only those that stand so.
    state: Option<State>,
    /// Go on after this: the `next` of the page before.
    after: Option<String>,
    /// At most this many; 100 when absent.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u16>,
}

pub(crate) async fn create(
    call: Call<Nothing, Nothing, JsonBody<Wanted>>,
) -> Result<Created<WithSecret>, Problem> {
    let (admin, JsonBody(wanted)) = (call.admin, call.body);
    call.caller.narrowed(Some(wanted.tenant.clone()))?;
    let (now, actor) = (admin.clock.wall(), call.caller.name);
    let new = wanted.resolve(now)?;
    let minted =
        mint::mint().map_err(|error| admin.fault("can't mint a key", &error.to_string()))?;
    let hash = minted.hash;
    let row = admin
        .blocking(move |admin| {
            let row = admin.control.create_key(&new, hash, &actor)?;
            admin.keyring.publish()?;
            Ok(row)
        })
        .await?;
    let (id, shown) = (row.id.clone(), Shown::of(row.clone(), now));
    let body = WithSecret {
        key: minted.secret,
        shown: Shown::of(row, now),
    };
    Ok(Created::new("/keys", &id, &shown, body).with_secret_of(&id))
}

pub(crate) async fn list(call: Call<Nothing, Filter>) -> Result<Page<Shown>, Problem> {
    let (admin, filter) = (call.admin, call.query);
    let (now, limit) = (admin.clock.wall(), page::limit(filter.limit)?);
    let wanted = KeyFilter {
        tenant: call.caller.narrowed(filter.tenant)?,
        project: filter.project.map(|Name(name)| name),
    };
    let rows = admin
        .blocking(move |admin| admin.control.keys(&wanted))
        .await?;
    let shown = rows
        .into_iter()
        .map(|row| Shown::of(row, now))
        .filter(|key| filter.state.is_none_or(|state| key.state == state));
    page::cut(shown.collect(), filter.after.as_deref(), limit, |key| {
        // Oldest first, as the store sorts them.
        format!("{:020}/{}", key.created.0.as_micros(), key.id)
    })
}

pub(crate) async fn one(call: Call<ById>) -> Result<One<Shown>, Problem> {
    let (admin, ById { id }) = (call.admin, call.path);
    let now = admin.clock.wall();
    let row = admin.blocking(move |admin| admin.control.key(&id)).await?;
    call.caller.sees("key", &row.id, Some(&row.tenant))?;
    Ok(One(Shown::of(row, now)))
}

/// Switches a key off or on. Idempotent: a key that stands so already is answered as it stands.
pub(crate) async fn switch(
    call: Call<ById, Nothing, JsonBody<Change>>,
) -> Result<One<Shown>, Problem> {
    let (admin, actor, ById { id }) = (call.admin, call.caller.name, call.path);
    let JsonBody(Change { disabled }) = call.body;
    let now = admin.clock.wall();
    let switched = admin
        .blocking(move |admin| {
            let control = &admin.control;
            let row = match disabled {
                true => control.disable_key(&id, &actor),
                false => control.enable_key(&id, &actor),
            };
            match row {
                // Of a key that exists the store refuses one thing: to bring it back from revocation.
                Err(error @ StoreError::Invalid { .. }) => Ok(Err(error.to_string())),
                row => {
                    let row = row?;
                    // Also when nothing changed: a publication that failed before is made good now.
                    admin.keyring.publish()?;
                    Ok(Ok(row))
                }
            }
        })
        .await?;
    switched
        .map(|row| One(Shown::of(row, now)))
        .map_err(|why| Problem::new(&codes::REVOKED_KEY, why))
}

/// Idempotent: a revoked key is answered as it stands.
pub(crate) async fn revoke(call: Call<ById>) -> Result<One<Shown>, Problem> {
    let (admin, actor, ById { id }) = (call.admin, call.caller.name, call.path);
    let now = admin.clock.wall();
    let row = admin
        .blocking(move |admin| {
            let row = admin.control.revoke_key(&id, &actor)?;
            // Also when it was revoked before: a publication that failed then is made good now.
            admin.keyring.publish()?;
            Ok(row)
        })
        .await?;
    Ok(One(Shown::of(row, now)))
}

impl Wanted {
    fn resolve(self, now: Timestamp) -> Result<NewKey, Problem> {
        let expires = self
            .expires
            .map(|when| when.at("expires", now, Direction::Future))
            .transpose()?;
        let routes = match self.routes {
            None => RouteAccess::All,
            Some(names) => RouteAccess::Only(names.into_iter().map(Arc::from).collect()),
        };
        let Self {
            tenant,
            project,
            direct,
            expose_targets,
            ..
        } = self;
        Ok(NewKey {
            tenant: tenant.0,
            project: project.0,
            name: self.name.map(|Label(name)| name).unwrap_or_default(),
            routes,
            direct,
            expose_targets,
            expires,
        })
    }
}

impl Shown {
    fn of(row: KeyRow, now: Timestamp) -> Self {
        let usable = row.usable(now);
        let state = match row.state {
            KeyState::Active if !usable => State::Expired,
            KeyState::Active => State::Active,
            KeyState::Disabled => State::Disabled,
            KeyState::Revoked => State::Revoked,
        };
        let routes = match row.routes {
            RouteAccess::All => None,
            RouteAccess::Only(names) => Some(names),
        };
        Self {
            id: row.id,
            tenant: Name(row.tenant),
            project: Name(row.project),
            name: Some(row.name).filter(|name| !name.is_empty()).map(Label),
            state,
            routes,
            direct: row.direct,
            expose_targets: row.expose_targets,
            created: Moment(row.made),
            expires: row.expires.map(Moment),
        }
    }
}
