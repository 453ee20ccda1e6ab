//! `/api/v1/exchanges`: the request log, newest first, and one exchange by its id.
//!
//! Decides which filters there are and how one exchange is found; how a row is shown is `exchange_view`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use lintel_store::{LogQuery, LogRow, Queries, StoreError};
use lintel_types::{ExchangeId, Outcome, Record, Timestamp};
use serde::Deserialize;
use serde::de::{IntoDeserializer, value};
use serde_json::Value;

use crate::exchange_view::shown;
use crate::extract::{NoParams, Params};
use crate::instant::{self, Direction};
use crate::page::{self, Page};
use crate::problem::Problem;
use crate::state::Admin;

/// A caller's own request id is looked for in so many pages of the newest exchanges: it has no index, and an index would cost every call.
const PAGES: usize = 10;
/// The outcome of a call whose process died before it settled.
const ORPHANED: &str = "orphaned";
const PAGE: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    tenant: Option<String>,
    route: Option<String>,
    outcome: Option<String>,
    since: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

pub(crate) async fn list(
    State(admin): State<Arc<Admin>>,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<Value>>, Problem> {
    let limit = page::limit(filter.limit)?;
    // One more than asked, to know whether there is a next page.
    let query = filter.query(limit + 1, admin.clock.wall())?;
    let mut rows = admin
        .blocking(move |admin| pages(&admin.queries, query, limit + 1))
        .await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows
        .last()
        .filter(|_| more)
        .map(|row| row.exchange.to_string());
    Ok(Json(Page {
        data: rows.iter().map(shown).collect(),
        next,
    }))
}

pub(crate) async fn one(
    State(admin): State<Arc<Admin>>,
    Path(id): Path<String>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Json<Value>, Problem> {
    let name: String = id.chars().take(128).collect();
    let found = admin
        .blocking(move |admin| match id.parse::<ExchangeId>() {
            Ok(id) => admin.queries.exchange(id),
            Err(_) => by_client_request_id(&admin.queries, &id),
        })
        .await?;
    let row = found.ok_or_else(|| {
        Problem::not_found(format!(
            "no exchange `{name}` here; one can be read back about a second after it ended"
        ))
    })?;
    Ok(Json(shown(&row)))
}

/// `count` rows of `query`, also when that is more than the store gives at once.
fn pages(queries: &Queries, mut query: LogQuery, count: usize) -> Result<Vec<LogRow>, StoreError> {
    let mut rows: Vec<LogRow> = Vec::new();
    while rows.len() < count {
        query.limit = (count - rows.len()).min(PAGE);
        let page = queries.exchanges(&query)?;
        let full = page.len() == query.limit;
        rows.extend(page);
        query.before = rows.last().map(|row| row.exchange);
        if !full {
            break;
        }
    }
    Ok(rows)
}

/// The newest exchange whose caller sent this `x-request-id`.
fn by_client_request_id(queries: &Queries, id: &str) -> Result<Option<LogRow>, StoreError> {
    let mut query = LogQuery {
        limit: PAGE,
        ..LogQuery::default()
    };
    for _ in 0..PAGES {
        let page = queries.exchanges(&query)?;
        query.before = page.last().map(|row| row.exchange);
        let full = page.len() == PAGE;
        if let Some(row) = page.into_iter().find(|row| is_called(row, id)) {
            return Ok(Some(row));
        }
        if !full {
            break;
        }
    }
    Ok(None)
}

fn is_called(row: &LogRow, id: &str) -> bool {
    matches!(row.decode(), Ok(Record::Settled(settled)) if settled.client_request_id.as_deref() == Some(id))
}

/// A misspelt outcome would match nothing, and look like good news.
fn known_outcome(name: String) -> Result<String, Problem> {
    let read: Result<Outcome, value::Error> =
        Outcome::deserialize(name.as_str().into_deserializer());
    match read {
        Ok(_) => Ok(name),
        Err(_) if name == ORPHANED => Ok(name),
        Err(error) => Err(Problem::invalid(format!(
            "outcome: {error}, or `{ORPHANED}`"
        ))),
    }
}

impl Filter {
    fn query(self, limit: usize, now: Timestamp) -> Result<LogQuery, Problem> {
        let since = self
            .since
            .map(|text| instant::parse(&text, now, Direction::Past))
            .transpose();
        let since = since.map_err(|error| Problem::invalid(format!("since: {error}")))?;
        let before = self
            .before
            .map(|text| text.parse::<ExchangeId>())
            .transpose();
        let before = before.map_err(|error| Problem::invalid(format!("before: {error}")))?;
        let outcome = self.outcome.map(known_outcome).transpose()?;
        Ok(LogQuery {
            tenant: self.tenant,
            route: self.route,
            outcome,
            since,
            before,
            limit,
        })
    }
}
