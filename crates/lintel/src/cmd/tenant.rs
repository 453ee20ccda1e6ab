//! `lintel tenant`: makes and lists tenants over the control API.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{self, Form};
use crate::query::Query;
use crate::table::{Align, Table};
use crate::view::{list, page, text};

/// Make and list tenants.
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
        #[arg(long, value_name = "NEXT")]
        after: Option<String>,
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
        };
        Ok(output::answer(form, &answer, human)?)
    }
}

fn created(answer: &Value) -> String {
    format!("tenant {} stands.\n", text(answer, "name"))
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
        table.row(vec![
            text(tenant, "name"),
            projects.join(","),
            text(tenant, "created"),
        ]);
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
}
