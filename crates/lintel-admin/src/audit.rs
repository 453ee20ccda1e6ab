//! `/api/v1/audit`: who changed what, newest first; and what somebody tried to change whose role may not.
//!
//! Reads only, but for [`denied`]: a refused change has a row too.

use std::sync::Arc;

use axum::http::Uri;
use lintel_store::{AuditFilter, AuditRow};
use lintel_types::{AuditEntry, AuditSink as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answer::One;
use crate::auth::Caller;
use crate::operation::{Call, Nothing, Operation};
use crate::page::{self, Page};
use crate::problem::Problem;
use crate::state::Admin;
use crate::words::{Moment, Name, When, past};

/// The action of a change that the caller's role may not make.
const DENIED: &str = "denied";

/// Which rows.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Only what this token, or `config`, did.
    actor: Option<String>,
    /// Only this: `key.create`, `token.revoke`, `config.reload`, `denied`, …
    action: Option<String>,
    /// Only to this: an id or a name.
    object: Option<String>,
    /// Only what concerns this tenant.
    tenant: Option<Name>,
    /// From this instant on; a span is so long ago.
    since: Option<When>,
    /// Before this instant; a span is so long ago.
    until: Option<When>,
    /// Go on after this: the `next` of the page before.
    after: Option<String>,
    /// At most this many; 100 when absent.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u16>,
}

/// The row that a path names.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct BySequence {
    /// The row's number.
    #[schemars(range(min = 1, max = 9_007_199_254_740_991_u64))]
    sequence: u64,
}

/// A row of the audit.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuditRow")]
pub(crate) struct Shown {
    /// Counts from 1. A gap is what retention took, which an `audit.expire` row tells.
    sequence: u64,
    at: Moment,
    /// The name of the token that was shown, or `config` for what the configuration declares.
    actor: String,
    action: String,
    /// The id or name of what was changed.
    object: String,
    tenant: Option<String>,
    /// What it was; null for what is new.
    before: Value,
    /// What it became; null for what is gone.
    after: Value,
}

pub(crate) async fn list(call: Call<Nothing, Filter>) -> Result<Page<Shown>, Problem> {
    let (admin, filter) = (call.admin, call.query);
    let (now, limit) = (admin.clock.wall(), page::limit(filter.limit)?);
    let before = page::position(filter.after.as_deref())?.map(|text| text.parse::<u64>());
    let before = before.transpose().map_err(|_| page::not_a_page("this"))?;
    let wanted = AuditFilter {
        tenant: call.caller.narrowed(filter.tenant)?,
        since: past("since", filter.since.as_ref(), now)?,
        until: past("until", filter.until.as_ref(), now)?,
        actor: filter.actor,
        action: filter.action,
        object: filter.object,
        before,
    };
    // One more than asked, to know whether there is a next page.
    let mut rows = admin
        .blocking(move |admin| admin.control.audit_rows(&wanted, limit + 1))
        .await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| page::cursor(&row.sequence.to_string()));
    Ok(Page {
        data: rows.into_iter().map(Shown::of).collect(),
        next,
    })
}

pub(crate) async fn one(call: Call<BySequence>) -> Result<One<Shown>, Problem> {
    let sequence = call.path.sequence;
    let row = call
        .admin
        .blocking(move |admin| admin.control.audit_row(sequence))
        .await?;
    let name = sequence.to_string();
    call.caller
        .sees("audit row", &name, row.entry.tenant.as_deref())?;
    Ok(One(Shown::of(row)))
}

/// Writes down that `caller` tried what its role may not.
///
/// # Errors
/// When the row can't be written: the caller is then told of that, and not of the refusal.
pub(crate) async fn denied(
    admin: &Arc<Admin>,
    caller: &Caller,
    operation: &Operation,
    uri: &Uri,
) -> Result<(), Problem> {
    let path: String = uri.path().chars().take(256).collect();
    // Of a refusal for another reason than its role: which one the caller was told.
    let lacks = !caller.role.may(operation.needs);
    let needs = lacks.then(|| operation.needs.name());
    let tried = json!({
        "operation": operation.id,
        "path": format!("{}{path}", crate::operation::BASE),
        "role": caller.role,
        "needs": needs,
    });
    let entry = AuditEntry {
        at: admin.clock.wall(),
        actor: Arc::clone(&caller.name),
        action: DENIED.into(),
        object: operation.id.into(),
        tenant: caller.tenant.clone(),
        before: None,
        after: Some(tried.to_string()),
    };
    let written = admin
        .blocking(move |admin| Ok(admin.control.append(&entry)))
        .await?;
    written.map_err(Problem::from)
}

impl Shown {
    fn of(row: AuditRow) -> Self {
        // Rows hold JSON; what is none is shown as the text that it is.
        let json = |text: Option<String>| match text {
            None => Value::Null,
            Some(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        };
        let AuditRow { sequence, entry } = row;
        Self {
            sequence,
            at: Moment(entry.at),
            actor: entry.actor.to_string(),
            action: entry.action.to_string(),
            object: entry.object.to_string(),
            tenant: entry.tenant.map(|tenant| tenant.to_string()),
            before: json(entry.before),
            after: json(entry.after),
        }
    }
}
