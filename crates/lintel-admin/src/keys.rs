//! `/api/v1/keys`: makes, lists, shows, changes, rotates and revokes virtual keys.
//!
//! A key's secret leaves this process once, in the answer to the request that made it. A change is
//! committed and audited first and put in force on the data plane before the answer is sent.

use std::time::Duration;

use lintel_store::{KeyFilter, KeyRow};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::answer::{Created, One};
use crate::extract::{ById, JsonBody};
use crate::instant::Direction;
use crate::key_view::{Change, Shown, State, Wanted, WithSecret};
use crate::mint;
use crate::operation::{Call, Nothing};
use crate::page::{self, Order, Page};
use crate::problem::Problem;
use crate::words::{Name, Span, When};

/// How long a former secret stays accepted when nobody says.
const OVERLAP: Duration = Duration::from_secs(24 * 3_600);

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
    /// Only those that were made and not used since: a span counts back from now. Never used counts.
    unused_since: Option<When>,
    /// Go on after this: the `next` of the page before.
    after: Option<String>,
    /// At most this many; 100 when absent.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u16>,
}

/// How a key is rotated.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotation {
    /// How long the secrets that it has stay accepted: 24 hours when absent; `0s` ends them at once, and the calls that
    /// run with them.
    overlap: Option<Span>,
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
    let secret = minted.stored();
    let row = admin
        .blocking(move |admin| {
            let row = admin.control.create_key(&new, &secret, &actor)?;
            admin.keyring.publish()?;
            Ok(row)
        })
        .await?;
    Ok(with_secret(row, minted.secret, now))
}

/// Gives a key another secret. Id, caps and attribution stay, so that its ledger goes on.
pub(crate) async fn rotate(
    call: Call<ById, Nothing, JsonBody<Rotation>>,
) -> Result<Created<WithSecret>, Problem> {
    let (admin, ById { id }) = (call.admin, call.path);
    let wanted = id.clone();
    let row = admin
        .blocking(move |admin| admin.control.key(&wanted))
        .await?;
    call.caller.sees("key", &row.id, Some(&row.tenant))?;
    let actor = call.caller.name;
    let JsonBody(Rotation { overlap }) = call.body;
    let overlap = overlap
        .map(|span| span.duration("overlap"))
        .transpose()?
        .unwrap_or(OVERLAP);
    let minted =
        mint::mint().map_err(|error| admin.fault("can't mint a key", &error.to_string()))?;
    let secret = minted.stored();
    let now = admin.clock.wall();
    let row = admin
        .blocking(move |admin| {
            let row = admin.control.rotate_key(&id, &secret, overlap, &actor)?;
            admin.keyring.publish()?;
            Ok(row)
        })
        .await?;
    Ok(with_secret(row, minted.secret, now))
}

fn with_secret(row: KeyRow, key: String, now: lintel_types::Timestamp) -> Created<WithSecret> {
    let (id, shown) = (row.id.clone(), Shown::of(row.clone(), now));
    let body = WithSecret {
        key,
        shown: Shown::of(row, now),
    };
    Created::new("/keys", &id, &shown, body).with_secret_of(&id)
}

pub(crate) async fn list(call: Call<Nothing, Filter>) -> Result<Page<Shown>, Problem> {
    let (admin, filter) = (call.admin, call.query);
    let (now, limit) = (admin.clock.wall(), page::limit(filter.limit)?);
    let unused = filter
        .unused_since
        .map(|when| when.at("unused_since", now, Direction::Past))
        .transpose()?;
    let wanted = KeyFilter {
        tenant: call.caller.narrowed(filter.tenant)?,
        project: filter.project.map(|Name(name)| name),
    };
    let rows = admin
        .blocking(move |admin| {
            admin.keyring.note_used();
            admin.control.keys(&wanted)
        })
        .await?;
    let idle =
        |key: &Shown| unused.is_none_or(|since| key.last_used.unwrap_or(key.created).0 < since);
    let shown = rows
        .into_iter()
        .map(|row| Shown::of(row, now))
        .filter(|key| filter.state.is_none_or(|state| key.state == state) && idle(key));
    page::cut(
        shown.collect(),
        filter.after.as_deref(),
        limit,
        Order::Ascending,
        |key| {
            // Oldest first, as the store sorts them.
            format!("{:020}/{}", key.created.0.as_micros(), key.id)
        },
    )
}

pub(crate) async fn one(call: Call<ById>) -> Result<One<Shown>, Problem> {
    let (admin, ById { id }) = (call.admin, call.path);
    let now = admin.clock.wall();
    let row = admin
        .blocking(move |admin| {
            admin.keyring.note_used();
            admin.control.key(&id)
        })
        .await?;
    call.caller.sees("key", &row.id, Some(&row.tenant))?;
    Ok(One(Shown::of(row, now)))
}

/// Changes a key. Idempotent: what stands so already is left, and not audited.
pub(crate) async fn change(
    call: Call<ById, Nothing, JsonBody<Change>>,
) -> Result<One<Shown>, Problem> {
    let (admin, actor, ById { id }) = (call.admin, call.caller.name, call.path);
    let JsonBody(change) = call.body;
    let now = admin.clock.wall();
    let disabled = change.disabled;
    let decide = change.resolve(now)?;
    let row = admin
        .blocking(move |admin| {
            let row = admin.control.change_key(&id, disabled, &actor, decide)?;
            // Also when nothing changed: a publication that failed before is made good now.
            admin.keyring.publish()?;
            Ok(row)
        })
        .await?;
    Ok(One(Shown::of(row, now)))
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
