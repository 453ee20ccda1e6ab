//! `/api/v1/usage`: sums over the ledger.
//!
//! Each row carries its dimensions by name beside its sums, so that a row can be read alone.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lintel_store::{Dimension, UsageQuery, UsageRow};
use lintel_types::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::extract::Params;
use crate::instant::{self, Direction};
use crate::problem::Problem;
use crate::state::Admin;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    by: Option<String>,
    since: Option<String>,
    until: Option<String>,
    tenant: Option<String>,
}

pub(crate) async fn sums(
    State(admin): State<Arc<Admin>>,
    Params(filter): Params<Filter>,
) -> Result<Json<Value>, Problem> {
    let by = dimensions(filter.by.as_deref().unwrap_or_default())?;
    let now = admin.clock.wall();
    let at = |name: &str, text: Option<&str>| -> Result<Option<Timestamp>, Problem> {
        let parsed = text
            .map(|text| instant::parse(text, now, Direction::Past))
            .transpose();
        parsed.map_err(|error| Problem::invalid(format!("{name}: {error}")))
    };
    let (since, until) = (
        at("since", filter.since.as_deref())?,
        at("until", filter.until.as_deref())?,
    );
    let query = UsageQuery {
        since,
        until,
        by: by.clone(),
        tenant: filter.tenant,
    };
    let rows = admin
        .blocking(move |admin| admin.queries.usage(&query))
        .await?;
    let names: Vec<&str> = by.iter().map(|dimension| dimension.name()).collect();
    let data: Vec<Value> = rows.iter().map(|row| shown(row, &names)).collect();
    let moment = |at: Option<Timestamp>| at.map(|at| at.to_string());
    Ok(Json(
        json!({ "by": names, "since": moment(since), "until": moment(until), "data": data }),
    ))
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

fn shown(row: &UsageRow, names: &[&str]) -> Value {
    let mut fields: Map<String, Value> = names
        .iter()
        .zip(&row.dims)
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let meters: Map<String, Value> = row
        .meters
        .iter()
        .map(|(meter, quantity)| (meter.name().to_owned(), json!(quantity)))
        .collect();
    let sums = [
        ("requests", json!(row.requests)),
        ("attempts", json!(row.attempts)),
        ("orphans", json!(row.orphans)),
        ("estimated", json!(row.estimated)),
        ("meters", Value::Object(meters)),
        ("cost", json!(row.cost.to_string())),
    ];
    fields.extend(sums.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(fields)
}
