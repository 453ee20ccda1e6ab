//! The call log and the ledger, read through the command line as an operator reads them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::process::Lintel;
use crate::harness::wait::eventually;

/// One row of the call log: an exchange, settled or orphaned.
#[derive(Debug, Clone)]
pub(crate) struct Row(pub(crate) Value);

impl Row {
    /// `settled` or `orphaned`.
    pub(crate) fn kind(&self) -> &str {
        self.0["kind"]
            .as_str()
            .unwrap_or_else(|| panic!("a row without kind: {}", self.0))
    }

    /// The record of what was dispatched, or the row itself.
    fn who(&self) -> &Value {
        if self.kind() == "orphaned" {
            &self.0["dispatched"]["who"]
        } else {
            &self.0["who"]
        }
    }

    /// The exchange's id.
    pub(crate) fn exchange(&self) -> String {
        let id = if self.kind() == "orphaned" {
            &self.0["dispatched"]["exchange"]
        } else {
            &self.0["exchange"]
        };
        id.as_str()
            .unwrap_or_else(|| panic!("a row without id: {}", self.0))
            .to_owned()
    }

    /// `x-lintel-session`: how tests tell their calls apart.
    pub(crate) fn session(&self) -> &str {
        self.who()["session"].as_str().unwrap_or_default()
    }

    /// A text field of the row.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.0[field].as_str().unwrap_or_default()
    }

    /// How it ended.
    pub(crate) fn outcome(&self) -> &str {
        self.text("outcome")
    }

    /// The status that was sent.
    pub(crate) fn status(&self) -> u64 {
        self.0["status"].as_u64().unwrap_or_default()
    }

    /// Its attempts.
    pub(crate) fn attempts(&self) -> &[Value] {
        self.0["attempts"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The class of failure of each attempt; empty where it didn't fail.
    pub(crate) fn classes(&self) -> Vec<&str> {
        self.attempts()
            .iter()
            .map(|a| a["class"].as_str().unwrap_or_default())
            .collect()
    }

    /// What all attempts used, by meter.
    pub(crate) fn meters(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for line in self
            .attempts()
            .iter()
            .flat_map(|a| a["lines"].as_array().unwrap())
        {
            *sums
                .entry(line["meter"].as_str().unwrap().to_owned())
                .or_default() += line["quantity"].as_u64().unwrap();
        }
        sums
    }

    /// Its cost, in nano-dollars.
    pub(crate) fn cost(&self) -> i128 {
        if self.kind() == "orphaned" {
            nanos(&self.0["dispatched"]["estimated_cost"])
        } else {
            nanos(&self.0["cost"])
        }
    }
}

/// Decimal dollars as nano-dollars.
pub(crate) fn nanos(money: &Value) -> i128 {
    let text = money
        .as_str()
        .unwrap_or_else(|| panic!("money is a decimal string, not {money}"));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<9}")
        .parse()
        .unwrap_or_else(|_| panic!("not money: {text}"))
}

/// A sum of the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// Exchanges that dispatched something: what never reached a provider is in no ledger.
    pub(crate) requests: u64,
    /// Dispatches.
    pub(crate) attempts: u64,
    /// Exchanges whose process died.
    pub(crate) orphans: u64,
    /// Quantities.
    pub(crate) meters: BTreeMap<String, u64>,
    /// Nano-dollars.
    pub(crate) cost: i128,
}

impl Sums {
    /// The sum over rows of the log.
    pub(crate) fn over(rows: &[Row]) -> Sums {
        let mut sums = Sums::default();
        for row in rows {
            sums.requests += u64::from(row.kind() == "orphaned" || !row.attempts().is_empty());
            sums.cost += row.cost();
            if row.kind() == "orphaned" {
                sums.orphans += 1;
                sums.attempts += row.0["dispatches"].as_u64().unwrap();
                let input = row.0["dispatched"]["estimated_input"].as_u64().unwrap();
                if input > 0 {
                    *sums.meters.entry("input".into()).or_default() += input;
                }
            } else {
                sums.attempts += row.attempts().len() as u64;
                for (meter, quantity) in row.meters() {
                    *sums.meters.entry(meter).or_default() += quantity;
                }
            }
        }
        sums
    }
}

impl Lintel {
    /// Every row of the call log, newest first, page by page.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut args = vec!["log", "--limit", "1000", "--json"];
            args.extend(after.iter().flat_map(|next| ["--after", next.as_str()]));
            let mut page = json(&self.cli(&args));
            rows.extend(data(&mut page).into_iter().map(Row));
            match page["next"].as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => return rows,
            }
        }
    }

    /// Waits for the row of the call that carried `session`; panics when it has two.
    pub(crate) fn row(&self, session: &str) -> Row {
        let found = eventually(&format!("the log row of {session}"), || {
            let rows: Vec<Row> = self
                .rows()
                .into_iter()
                .filter(|r| r.session() == session)
                .collect();
            (!rows.is_empty()).then_some(rows)
        });
        assert_eq!(
            found.len(),
            1,
            "{session} has {} rows: {found:#?}",
            found.len()
        );
        found.into_iter().next().unwrap()
    }

    /// The ledger's sum over everything.
    pub(crate) fn usage(&self) -> Sums {
        let mut answer = json(&self.cli(&["usage", "--by", "tenant", "--json"]));
        let mut sums = Sums::default();
        for row in data(&mut answer) {
            sums.requests += row["requests"].as_u64().unwrap();
            sums.attempts += row["attempts"].as_u64().unwrap();
            sums.orphans += row["orphans"].as_u64().unwrap();
            sums.cost += nanos(&row["cost"]);
            for (meter, quantity) in row["meters"].as_object().unwrap() {
                *sums.meters.entry(meter.clone()).or_default() += quantity.as_u64().unwrap();
            }
        }
        sums
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn data(page: &mut Value) -> Vec<Value> {
    match page["data"].take() {
        Value::Array(rows) => rows,
        other => panic!("a page without data: {other}"),
    }
}
