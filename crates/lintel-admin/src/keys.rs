//! `/api/v1/keys`: makes, lists, shows, switches off and on, and revokes virtual keys.
//!
//! A key's secret leaves this process once, in the answer to the request that made it. A change is
//! committed and audited first and put in force on the data plane before the answer is sent.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use lintel_store::{KeyFilter, KeyRow, KeyState, NewKey, StoreError};
use lintel_types::{RouteAccess, Timestamp};
use serde::{Deserialize, Serialize};

use crate::auth::Actor;
use crate::extract::{JsonBody, NoBody, NoParams, Params};
use crate::instant::{self, Direction};
use crate::mint;
use crate::page::{self, Page};
use crate::problem::Problem;
use crate::state::Admin;

/// A key to be made.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    tenant: String,
    project: String,
    name: Option<String>,
    /// The routes that the key may name; absent: every route of its project.
    routes: Option<Vec<String>>,
    #[serde(default)]
    direct: bool,
    #[serde(default)]
    expose_targets: bool,
    expires: Option<String>,
}

/// What can be changed about a key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    /// Whether it is refused until it is switched on again.
    disabled: bool,
}

/// A key as it is shown: everything but its secret.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    id: String,
    tenant: String,
    project: String,
    name: Option<String>,
    state: &'static str,
    routes: Option<Vec<Arc<str>>>,
    direct: bool,
    expose_targets: bool,
    created: String,
    expires: Option<String>,
}

/// A key that was just made: the only answer with a secret.
#[derive(Serialize)]
struct Created {
    key: String,
    #[serde(flatten)]
    shown: Shown,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    tenant: Option<String>,
    project: Option<String>,
    state: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

pub(crate) async fn create(
    State(admin): State<Arc<Admin>>,
    Extension(Actor(actor)): Extension<Actor>,
    Params(NoParams {}): Params<NoParams>,
    JsonBody(wanted): JsonBody<Wanted>,
) -> Result<Response, Problem> {
    let now = admin.clock.wall();
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
    let created = Created {
        key: minted.secret,
        shown: Shown::of(row, now),
    };
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

pub(crate) async fn list(
    State(admin): State<Arc<Admin>>,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<Shown>>, Problem> {
    let (now, limit) = (admin.clock.wall(), page::limit(filter.limit)?);
    let state = filter.state.as_deref().map(known_state).transpose()?;
    let wanted = KeyFilter {
        tenant: filter.tenant,
        project: filter.project,
    };
    let rows = admin
        .blocking(move |admin| admin.control.keys(&wanted))
        .await?;
    let shown = rows
        .into_iter()
        .map(|row| Shown::of(row, now))
        .filter(|key| state.is_none_or(|state| key.state == state));
    Ok(Json(page::cut(
        shown.collect(),
        filter.after.as_deref(),
        limit,
        |key| &key.id,
    )?))
}

pub(crate) async fn one(
    State(admin): State<Arc<Admin>>,
    Path(id): Path<String>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<Shown>, Problem> {
    let now = admin.clock.wall();
    let row = admin.blocking(move |admin| admin.control.key(&id)).await?;
    Ok(Json(Shown::of(row, now)))
}

/// Switches a key off or on. Idempotent: a key that stands so already is answered as it stands.
pub(crate) async fn switch(
    State(admin): State<Arc<Admin>>,
    Extension(Actor(actor)): Extension<Actor>,
    Path(id): Path<String>,
    Params(NoParams {}): Params<NoParams>,
    JsonBody(Change { disabled }): JsonBody<Change>,
) -> Result<Json<Shown>, Problem> {
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
        .map(|row| Json(Shown::of(row, now)))
        .map_err(|why| Problem::new(StatusCode::CONFLICT, "revoked_key", why))
}

/// Idempotent: a revoked key is answered as it stands.
pub(crate) async fn revoke(
    State(admin): State<Arc<Admin>>,
    Extension(Actor(actor)): Extension<Actor>,
    Path(id): Path<String>,
    Params(NoParams {}): Params<NoParams>,
    NoBody: NoBody,
) -> Result<Json<Shown>, Problem> {
    let now = admin.clock.wall();
    let row = admin
        .blocking(move |admin| {
            let row = admin.control.revoke_key(&id, &actor)?;
            // Also when it was revoked before: a publication that failed then is made good now.
            admin.keyring.publish()?;
            Ok(row)
        })
        .await?;
    Ok(Json(Shown::of(row, now)))
}

/// Shown in place of `active` once a key's time is over.
const EXPIRED: &str = "expired";
const STATES: [&str; 4] = [
    KeyState::Active.name(),
    KeyState::Disabled.name(),
    KeyState::Revoked.name(),
    EXPIRED,
];

fn known_state(text: &str) -> Result<&'static str, Problem> {
    let found = STATES.into_iter().find(|state| *state == text);
    found.ok_or_else(|| {
        Problem::invalid(format!(
            "no key state `{}`; there are {}",
            text.chars().take(64).collect::<String>(),
            STATES.join(", ")
        ))
    })
}

impl Wanted {
    fn resolve(self, now: Timestamp) -> Result<NewKey, Problem> {
        let expires = self
            .expires
            .map(|text| instant::parse(&text, now, Direction::Future))
            .transpose();
        let expires = expires.map_err(|error| Problem::invalid(format!("expires: {error}")))?;
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
            tenant,
            project,
            name: self.name.unwrap_or_default(),
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
        let state = if row.state == KeyState::Active && !usable {
            EXPIRED
        } else {
            row.state.name()
        };
        let routes = match row.routes {
            RouteAccess::All => None,
            RouteAccess::Only(names) => Some(names),
        };
        Self {
            id: row.id,
            tenant: row.tenant,
            project: row.project,
            name: Some(row.name).filter(|name| !name.is_empty()),
            state,
            routes,
            direct: row.direct,
            expose_targets: row.expose_targets,
            created: row.made.to_string(),
            expires: row.expires.map(|expires| expires.to_string()),
        }
    }
}
