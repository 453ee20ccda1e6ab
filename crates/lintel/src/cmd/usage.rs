//! `lintel usage`: sums over the ledger, over the control API.

use clap::Args;
use serde_json::Value;

use crate::cli::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{self, Form};
use crate::query::Query;
use crate::table::{Align, Table};
use crate::view::{list, number, text};

const INPUT: [&str; 6] = [
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "input_audio",
    "input_image",
];
const OUTPUT: [&str; 4] = ["output", "reasoning", "output_audio", "output_image"];

/// Sum up what was used and what it cost.
#[derive(Debug, Args)]
pub(crate) struct Usage {
    #[command(flatten)]
    remote: Remote,
    /// What to group by: tenant, project, key, feature, user, route, provider, model, leg, day; a list with commas.
    #[arg(long, value_name = "DIMENSIONS", default_value = "tenant,model")]
    by: String,
    /// From when: a span such as 24h, or an RFC 3339 time.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Until when, not included.
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Only this tenant.
    #[arg(long)]
    tenant: Option<String>,
}

impl Usage {
    /// Does it.
    ///
    /// # Errors
    /// As the control API answers; see [`crate::exit::Why`].
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let query = Query::default()
            .with("by", Some(&self.by))
            .with("since", self.since.as_ref())
            .with("until", self.until.as_ref())
            .with("tenant", self.tenant.as_ref());
        let answer = Client::new(&self.remote)?.get("/api/v1/usage", &query)?;
        Ok(output::answer(form, &answer, table)?)
    }
}

fn table(answer: &Value) -> String {
    let by = answer
        .get("by")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let by: Vec<&str> = by.iter().filter_map(Value::as_str).collect();
    let dimensions = by.iter().map(|name| (name.to_uppercase(), Align::Left));
    let sums = [
        "REQUESTS",
        "ATTEMPTS",
        "INPUT",
        "OUTPUT",
        "ESTIMATED",
        "ORPHANS",
        "COST USD",
    ];
    let mut table =
        Table::new(dimensions.chain(sums.map(|heading| (heading.to_owned(), Align::Right))));
    for row in list(answer) {
        let mut cells: Vec<String> = by.iter().map(|name| text(row, name)).collect();
        cells.extend(["requests", "attempts"].map(|field| text(row, field)));
        cells.extend([tokens(row, &INPUT), tokens(row, &OUTPUT)].map(|sum| sum.to_string()));
        cells.extend(["estimated", "orphans", "cost"].map(|field| text(row, field)));
        table.row(cells);
    }
    if table.is_empty() {
        "nothing was used in that time\n".into()
    } else {
        table.render()
    }
}

fn tokens(row: &Value, meters: &[&str]) -> u64 {
    let counted = row.get("meters").unwrap_or(&Value::Null);
    meters.iter().map(|meter| number(counted, meter)).sum()
}

#[cfg(test)]
mod tests {
    use lintel_types::Meter;
    use serde_json::json;

    use super::*;

    #[test]
    fn input_and_output_are_the_meters_that_say_so() {
        let names = |which: fn(Meter) -> bool| {
            Meter::ALL
                .into_iter()
                .filter(|m| which(*m))
                .map(Meter::name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(Meter::is_input), INPUT);
        assert_eq!(names(Meter::is_output), OUTPUT);
    }

    #[test]
    fn a_row_shows_its_dimensions_and_sums() {
        let row = json!({"tenant": "acme", "requests": 2, "attempts": 3, "orphans": 0, "estimated": 1, "meters": {"input": 10, "cache_read": 5, "output": 7}, "cost": "0.25"});
        let shown = table(&json!({"by": ["tenant"], "data": [row]}));
        assert_eq!(
            shown,
            "TENANT  REQUESTS  ATTEMPTS  INPUT  OUTPUT  ESTIMATED  ORPHANS  COST USD\nacme           2         3     15       7          1        0      0.25\n"
        );
    }
}
