//! `lintel project`: makes, lists and deletes projects over the control API.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{self, Form};
use crate::query::{Query, escape};
use crate::table::{Align, Table};
use crate::view::{flag, list, page, text};

/// Make, list and delete projects.
#[derive(Debug, Args)]
pub(crate) struct Project {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a project. The tenant is made when new.
    Create {
        /// The tenant.
        tenant: String,
        /// The project's name.
        name: String,
    },
    /// List projects.
    List {
        /// Only this tenant's.
        #[arg(long)]
        tenant: Option<String>,
        /// At most this many.
        #[arg(long)]
        limit: Option<u32>,
        /// Go on after this: the `next` of the answer before.
        #[arg(long)]
        after: Option<String>,
    },
    /// Delete a project whose keys are all revoked. What the ledger says of it stays.
    Delete {
        /// The tenant.
        tenant: String,
        /// The project's name.
        name: String,
    },
}

impl Project {
    /// Does it.
    ///
    /// # Errors
    /// As the control API answers; see [`crate::exit::Why`].
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let client = Client::new(&self.remote)?;
        let (answer, human): (Value, fn(&Value) -> String) = match &self.what {
            What::Create { tenant, name } => {
                let body = json!({ "tenant": tenant, "name": name });
                (client.post("/api/v1/projects", &body)?, created)
            }
            What::List {
                tenant,
                limit,
                after,
            } => {
                let query = Query::default()
                    .with("tenant", tenant.as_ref())
                    .with("limit", *limit)
                    .with("after", after.as_ref());
                (client.get("/api/v1/projects", &query)?, projects)
            }
            What::Delete { tenant, name } => {
                let path = format!("/api/v1/projects/{}/{}", escape(tenant), escape(name));
                (client.delete(&path)?, gone)
            }
        };
        Ok(output::answer(form, &answer, human)?)
    }
}

fn created(answer: &Value) -> String {
    format!(
        "project {}/{} stands.\n",
        text(answer, "tenant"),
        text(answer, "name")
    )
}

fn gone(answer: &Value) -> String {
    format!(
        "project {}/{} is gone.\n",
        text(answer, "tenant"),
        text(answer, "name")
    )
}

fn projects(answer: &Value) -> String {
    let headings = ["TENANT", "PROJECT", "MANAGED", "CREATED"];
    let mut table = Table::new(headings.map(|heading| (heading, Align::Left)));
    for project in list(answer) {
        table.row(vec![
            text(project, "tenant"),
            text(project, "name"),
            flag(project, "managed"),
            text(project, "created"),
        ]);
    }
    page(
        &table,
        answer,
        "no projects; make one with `lintel project create TENANT NAME`",
    )
}
