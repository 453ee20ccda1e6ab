//! `lintel tenant`: makes, lists and deletes tenants over the control API.

use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::ask;
use crate::cli::Remote;
use crate::client::Client;
use crate::exit::{Failure, Why};
use crate::output::{self, Form};
use crate::query::{Query, escape};
use crate::table::{Align, Table};
use crate::view::{list, number, page, text};

/// How long a deletion is waited for. It goes on in the gateway, whoever waits.
const WAIT: Duration = Duration::from_secs(600);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// Make, list and delete tenants.
#[derive(Debug, Args)]
pub(crate) struct Tenant {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a tenant.
    Create {
        /// Its name.
        name: String,
    },
    /// List tenants and their projects.
    List {
        /// At most this many.
        #[arg(long)]
        limit: Option<u32>,
        /// Go on after this: the `next` of the answer before.
        #[arg(long)]
        after: Option<String>,
    },
    /// Delete a tenant with its data: keys at once, running calls within a second, then its rows. Shows what goes, and asks
    /// for the name once more. Money stays in the sums under a name of nobody's, unless --ledger takes it away too.
    Delete {
        /// Its name.
        name: String,
        /// Delete its ledger too: sums over all tenants become smaller.
        #[arg(long)]
        ledger: bool,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        /// Do not wait until the rows are gone.
        #[arg(long)]
        no_wait: bool,
    },
}

impl Tenant {
    /// Does it.
    ///
    /// # Errors
    /// As the control API answers; see [`crate::exit::Why`].
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let client = Client::new(&self.remote)?;
        let (answer, human): (Value, fn(&Value) -> String) = match &self.what {
            What::Create { name } => (
                client.post("/api/v1/tenants", &json!({ "name": name }))?,
                created,
            ),
            What::List { limit, after } => {
                let query = Query::default()
                    .with("limit", *limit)
                    .with("after", after.as_ref());
                (client.get("/api/v1/tenants", &query)?, tenants)
            }
            What::Delete {
                name,
                ledger,
                yes,
                no_wait,
            } => {
                let path = path(name);
                let content = client.get(&format!("{path}/content"), &Query::default())?;
                if !yes {
                    output::print(&goes(&content, *ledger))?;
                    if !ask::typed("Type the tenant's name to delete it:", name, "--yes")? {
                        return Err(Failure::failed("nothing was deleted"));
                    }
                }
                let query = Query::default()
                    .with("confirm", Some(name))
                    .with("ledger", Some(if *ledger { "delete" } else { "keep" }));
                let begun = client.delete(&format!("{path}{}", query.text()))?;
                if *no_wait {
                    (begun, begins)
                } else {
                    wait(&client, &path)?;
                    (content, gone)
                }
            }
        };
        Ok(output::answer(form, &answer, human)?)
    }
}

fn path(name: &str) -> String {
    format!("/api/v1/tenants/{}", escape(name))
}

/// Waits until the tenant is not there any more.
fn wait(client: &Client, path: &str) -> Result<(), Failure> {
    let begun = Instant::now();
    loop {
        match client.get(path, &Query::default()) {
            Err(failure) if failure.why == Why::NotFound => return Ok(()),
            Err(failure) => return Err(failure),
            Ok(_) if begun.elapsed() > WAIT => {
                let text = "still being deleted after ten minutes: the gateway goes on; its log says what it waits for";
                return Err(Failure::failed(text));
            }
            Ok(_) => std::thread::sleep(LOOK),
        }
    }
}

fn created(answer: &Value) -> String {
    format!("tenant {} stands.\n", text(answer, "name"))
}

fn counted(content: &Value) -> String {
    let counts = [
        ("projects", "projects"),
        ("keys", "keys"),
        ("exchanges", "rows of the request log"),
        ("ledger_rows", "rows of the ledger"),
        ("objects", "provider-side objects known to be its"),
    ];
    counts
        .iter()
        .map(|(field, what)| format!("  {:>10} {what}\n", number(content, field)))
        .collect()
}

fn goes(content: &Value, ledger: bool) -> String {
    let money = match ledger {
        true => "Its ledger goes too: sums over all tenants become smaller.",
        false => "Its money stays in the sums, under a name of nobody's.",
    };
    format!(
        "Tenant {} goes, with\n{}{money}\n",
        text(content, "tenant"),
        counted(content)
    )
}

fn begins(answer: &Value) -> String {
    format!(
        "tenant {} is being deleted: its keys and tokens are out of force.\n",
        text(answer, "name")
    )
}

fn gone(content: &Value) -> String {
    format!(
        "tenant {} is gone, with\n{}",
        text(content, "tenant"),
        counted(content)
    )
}

fn tenants(answer: &Value) -> String {
    let mut table =
        Table::new(["TENANT", "PROJECTS", "CREATED"].map(|heading| (heading, Align::Left)));
    for tenant in list(answer) {
        let projects = tenant
            .get("projects")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let projects: Vec<&str> = projects.iter().filter_map(Value::as_str).collect();
        let mut name = text(tenant, "name");
        if tenant.get("deleting") == Some(&Value::Bool(true)) {
            name.push_str(" (being deleted)");
        }
        table.row(vec![name, projects.join(","), text(tenant, "created")]);
    }
    page(
        &table,
        answer,
        "no tenants; make one with `lintel tenant create NAME`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_stand_with_their_projects() {
        let answer = json!({"data": [{"name": "acme", "projects": ["search", "ads"], "created": "2026-11-24T00:00:00Z"}], "next": null});
        assert_eq!(
            tenants(&answer),
            "TENANT  PROJECTS    CREATED\nacme    search,ads  2026-11-24T00:00:00Z\n"
        );
        assert!(tenants(&json!({"data": []})).starts_with("no tenants"));
    }

    #[test]
    fn what_goes_is_counted_before_anybody_is_asked() {
        let content = json!({"tenant": "acme", "projects": 2, "keys": 3, "exchanges": 400, "ledger_rows": 500, "objects": 0});
        let shown = goes(&content, false);
        assert!(
            shown.contains("400 rows of the request log") && shown.contains("stays in the sums"),
            "{shown}"
        );
        assert!(goes(&content, true).contains("become smaller"));
        assert!(gone(&content).starts_with("tenant acme is gone"));
    }
}
