//! `lintel audit`: who changed what, over the control API.

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::cli::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{self, Form};
use crate::query::Query;
use crate::table::{Align, Table};
use crate::view::{list, page, text};

/// Read who changed what, and what somebody tried to change who may not.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List changes, newest first.
    List(List),
    /// Show a change with what was before and after.
    Show {
        /// The row's number.
        sequence: u64,
    },
}

#[derive(Debug, Args)]
struct List {
    /// Only what this token did, by its name; or `config`.
    #[arg(long)]
    actor: Option<String>,
    /// Only this: key.create, token.revoke, config.reload, denied, …
    #[arg(long)]
    action: Option<String>,
    /// Only to this: an id or a name.
    #[arg(long)]
    object: Option<String>,
    /// Only what concerns this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// From when: a span such as 1h, or an RFC 3339 time.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Before when: a span such as 1h, or an RFC 3339 time.
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// At most this many.
    #[arg(long)]
    limit: Option<u32>,
    /// Go on after this: the `next` of the answer before.
    #[arg(long, value_name = "NEXT")]
    after: Option<String>,
}

impl Audit {
    /// Does it.
    ///
    /// # Errors
    /// As the control API answers; see [`crate::exit::Why`].
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let client = Client::new(&self.remote)?;
        let (answer, human): (Value, fn(&Value) -> String) = match &self.what {
            What::List(wanted) => (client.get("/api/v1/audit", &wanted.query())?, rows),
            What::Show { sequence } => {
                let path = format!("/api/v1/audit/{sequence}");
                (client.get(&path, &Query::default())?, one)
            }
        };
        Ok(output::answer(form, &answer, human)?)
    }
}

impl List {
    fn query(&self) -> Query {
        Query::default()
            .with("actor", self.actor.as_ref())
            .with("action", self.action.as_ref())
            .with("object", self.object.as_ref())
            .with("tenant", self.tenant.as_ref())
            .with("since", self.since.as_ref())
            .with("until", self.until.as_ref())
            .with("limit", self.limit)
            .with("after", self.after.as_ref())
    }
}

const COLUMNS: [(&str, &str); 6] = [
    ("ROW", "sequence"),
    ("AT", "at"),
    ("ACTOR", "actor"),
    ("ACTION", "action"),
    ("OBJECT", "object"),
    ("TENANT", "tenant"),
];

fn rows(answer: &Value) -> String {
    let mut table = Table::new(COLUMNS.map(|(heading, _)| (heading, Align::Left)));
    for row in list(answer) {
        table.row(COLUMNS.map(|(_, field)| text(row, field)).to_vec());
    }
    page(&table, answer, "nothing was changed")
}

/// The row's facts, then each member of the object that is another one after than before.
fn one(row: &Value) -> String {
    let mut facts = Table::new([("ROW", Align::Left), (&*text(row, "sequence"), Align::Left)]);
    for field in ["at", "actor", "action", "object", "tenant"] {
        facts.row(vec![field.to_owned(), text(row, field)]);
    }
    let (before, after) = (row.get("before"), row.get("after"));
    let names = |side: Option<&Value>| -> Vec<String> {
        let fields = side.and_then(Value::as_object).into_iter().flatten();
        fields.map(|(name, _)| name.clone()).collect()
    };
    let mut all = [names(before), names(after)].concat();
    all.sort();
    all.dedup();
    let heads = [
        ("MEMBER", Align::Left),
        ("BEFORE", Align::Left),
        ("AFTER", Align::Left),
    ];
    let mut changes = Table::new(heads);
    for name in all {
        let side = |side: Option<&Value>| {
            side.map_or_else(|| "-".to_owned(), |object| text(object, &name))
        };
        let (was, is) = (side(before), side(after));
        if was != is {
            changes.row(vec![name, was, is]);
        }
    }
    format!("{}\n{}", facts.render(), changes.render())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_shown_by_what_is_another_one_now() {
        let row = json!({
            "sequence": 7, "at": "2026-11-24T00:00:00Z", "actor": "ci", "action": "key.revoke", "object": "key_1", "tenant": null,
            "before": {"state": "active", "direct": true}, "after": {"state": "revoked", "direct": true},
        });
        let shown = one(&row);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines.last(), Some(&"state   active  revoked"), "{shown}");
        assert!(!shown.contains("direct"), "{shown}");
    }

    #[test]
    fn what_is_new_has_no_before() {
        let row = json!({"sequence": 1, "before": null, "after": {"name": "acme"}});
        assert!(
            one(&row).ends_with("name    -       acme\n"),
            "{}",
            one(&row)
        );
        assert_eq!(rows(&json!({"data": []})), "nothing was changed\n");
    }
}
