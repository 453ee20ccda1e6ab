//! `/api/v1/usage`: sums over the ledger.
//!
//! Each row carries its dimensions by name beside its sums, so that a row can be read alone.

use std::borrow::Cow;
use std::collections::BTreeMap;

use lintel_store::{Dimension, UsageQuery, UsageRow};
use lintel_types::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::answer::Fact;
use crate::operation::{Call, Nothing};
use crate::problem::Problem;
use crate::roles::Permission;
use crate::words::{Decimal, Moment, Name, When, past};

/// Which sums.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// What to tell apart, with commas; absent: one row.
    by: Option<By>,
    /// From this instant on; a span is so long ago.
    since: Option<When>,
    /// Before this instant; a span is so long ago.
    until: Option<When>,
    /// Only this tenant's.
    tenant: Option<Name>,
}

/// Names of dimensions with commas.
#[derive(Debug, Deserialize)]
struct By(String);

impl JsonSchema for By {
    fn schema_name() -> Cow<'static, str> {
        "Dimensions".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = Dimension::ALL.map(Dimension::name).join("|");
        json_schema!({ "type": "string", "pattern": format!("^(({one})(,({one}))*)?$") })
    }
}

/// Sums over the ledger.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Usage {
    /// The dimensions of every row.
    by: Vec<&'static str>,
    since: Option<Moment>,
    until: Option<Moment>,
    data: Vec<Row>,
}

/// One row: its dimensions by name, and what was used.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageRow")]
struct Row {
    #[serde(flatten)]
    dimensions: BTreeMap<&'static str, String>,
    /// Exchanges, each where its last attempt went.
    requests: u64,
    /// Every dispatch.
    attempts: u64,
    /// Exchanges whose process died before they settled.
    orphans: u64,
    /// Attempts booked by estimate.
    estimated: u64,
    /// Quantities by meter; no token is in two of them.
    meters: BTreeMap<&'static str, u64>,
    cost: Decimal,
}

pub(crate) async fn sums(call: Call<Nothing, Filter>) -> Result<Fact<Usage>, Problem> {
    let (admin, filter) = (call.admin, call.query);
    let by = dimensions(
        filter
            .by
            .as_ref()
            .map(|By(text)| text.as_str())
            .unwrap_or_default(),
    )?;
    let pointed = by
        .iter()
        .find(|each| matches!(each, Dimension::Key | Dimension::User));
    if let Some(dimension) = pointed {
        call.caller.must(
            Permission::UsageAttribute,
            &format!("usage by {}", dimension.name()),
        )?;
    }
    let now = admin.clock.wall();
    let (since, until) = (
        past("since", filter.since.as_ref(), now)?,
        past("until", filter.until.as_ref(), now)?,
    );
    let query = UsageQuery {
        since,
        until,
        by: by.clone(),
        tenant: call.caller.narrowed(filter.tenant)?,
    };
    let rows = admin
        .blocking(move |admin| admin.queries.usage(&query))
        .await?;
    let names: Vec<&'static str> = by.iter().map(|dimension| dimension.name()).collect();
    let moment = |at: Option<Timestamp>| at.map(Moment);
    Ok(Fact(Usage {
        data: rows.into_iter().map(|row| Row::of(row, &names)).collect(),
        by: names,
        since: moment(since),
        until: moment(until),
    }))
}

/// A list with commas; nothing is the empty list, which sums everything into one row.
fn dimensions(text: &str) -> Result<Vec<Dimension>, Problem> {
    let mut found: Vec<Dimension> = Vec::new();
    for name in text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        let known = Dimension::by_name(name);
        let Some(dimension) = known else {
            let all = Dimension::ALL.map(Dimension::name).join(", ");
            return Err(Problem::invalid(format!(
                "by: no dimension `{}`; there are {all}",
                name.chars().take(64).collect::<String>()
            )));
        };
        if !found.contains(&dimension) {
            found.push(dimension);
        }
    }
    Ok(found)
}

impl Row {
    fn of(row: UsageRow, names: &[&'static str]) -> Self {
        Self {
            dimensions: names.iter().copied().zip(row.dims).collect(),
            requests: row.requests,
            attempts: row.attempts,
            orphans: row.orphans,
            estimated: row.estimated,
            meters: row
                .meters
                .iter()
                .map(|(meter, n)| (meter.name(), *n))
                .collect(),
            cost: Decimal(row.cost),
        }
    }
}
