//! `/api/v1/exchanges`: the request log, newest first, and one exchange by its id.
//!
//! Decides which filters there are and how one exchange is found; how a row is shown is `exchange_view`.

use lintel_store::{LogQuery, LogRow, Queries, StoreError};
use lintel_types::{ExchangeId, Outcome, Record, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{IntoDeserializer, value};

use crate::answer::One;
use crate::exchange_view::Exchange;
use crate::extract::ById;
use crate::operation::{Call, Nothing};
use crate::page::{self, Page};
use crate::problem::Problem;
use crate::words::{Name, When, past};

/// A caller's own request id is looked for in so many pages of the newest exchanges: it has no index, and an index would cost every call.
const PAGES: usize = 10;
/// The outcome of a call whose process died before it settled.
const ORPHANED: &str = "orphaned";
const PAGE: usize = 1_000;

/// How an exchange can have ended, by name.
fn outcomes() -> Vec<&'static str> {
    let settled = Outcome::ALL.into_iter().map(Outcome::name);
    settled.chain([ORPHANED]).collect()
}

/// Which exchanges.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Only this tenant's.
    tenant: Option<Name>,
    /// Only of this route.
    route: Option<String>,
    /// Only those that ended so.
    #[schemars(extend("enum" = outcomes()))]
    outcome: Option<String>,
    /// Begun from this instant on; a span is so long ago.
    since: Option<When>,
    /// Go on after this: the `next` of the page before.
    after: Option<String>,
    /// At most this many; 100 when absent.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u16>,
}

pub(crate) async fn list(call: Call<Nothing, Filter>) -> Result<Page<Exchange>, Problem> {
    let limit = page::limit(call.query.limit)?;
    // One more than asked, to know whether there is a next page.
    let mut filter = call.query;
    let tenant = call.caller.narrowed(filter.tenant.take())?;
    let query = filter.query(tenant, limit + 1, call.admin.clock.wall())?;
    let mut rows = call
        .admin
        .blocking(move |admin| pages(&admin.queries, query, limit + 1))
        .await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    Ok(Page {
        next: last.map(|row| page::cursor(&row.exchange.to_string())),
        data: rows.iter().map(Exchange::of).collect(),
    })
}

pub(crate) async fn one(call: Call<ById>) -> Result<One<Exchange>, Problem> {
    let ById { id } = call.path;
    let name: String = id.chars().take(128).collect();
    let own = call.caller.tenant.as_deref().map(str::to_owned);
    let found = call
        .admin
        .blocking(move |admin| match id.parse::<ExchangeId>() {
            Ok(id) => admin.queries.exchange(id),
            Err(_) => by_client_request_id(&admin.queries, &id, own),
        })
        .await?;
    let visible = |row: &LogRow| {
        call.caller
            .tenant
            .as_ref()
            .is_none_or(|own| *row.tenant == **own)
    };
    let row = found.filter(visible).ok_or_else(|| {
        Problem::not_found(format!(
            "no exchange `{name}` here; one can be read back about a second after it ended"
        ))
    })?;
    Ok(One(Exchange::of(&row)))
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

/// The newest exchange, of `tenant` if one is named, whose caller sent this `x-request-id`.
fn by_client_request_id(
    queries: &Queries,
    id: &str,
    tenant: Option<String>,
) -> Result<Option<LogRow>, StoreError> {
    let mut query = LogQuery {
        tenant,
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
    fn query(
        self,
        tenant: Option<String>,
        limit: usize,
        now: Timestamp,
    ) -> Result<LogQuery, Problem> {
        let since = past("since", self.since.as_ref(), now)?;
        let before = page::position(self.after.as_deref())?.map(|text| text.parse::<ExchangeId>());
        let before = before.transpose().map_err(|_| page::not_a_page("this"))?;
        let outcome = self.outcome.map(known_outcome).transpose()?;
        Ok(LogQuery {
            tenant,
            route: self.route,
            outcome,
            since,
            before,
            limit,
        })
    }
}
