//! `lintel key`: makes, lists, disables, enables and revokes virtual keys over the control API.
//!
//! Prints a new key's secret once; nothing here writes it anywhere else.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::cli::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{self, Form};
use crate::query::{Query, escape};
use crate::table::{Align, Table};
use crate::view::{flag, list, text};

/// Make, list, disable, enable and revoke virtual keys.
#[derive(Debug, Args)]
pub(crate) struct Key {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a key. Its secret is printed once and can't be read again. The tenant and the project are made when new.
    Create(Create),
    /// List keys, oldest first.
    List(List),
    /// Disable a key: calls with it are refused until it is enabled.
    Disable {
        /// The key's id, `key_…`.
        id: String,
    },
    /// Enable a disabled key again. One that is revoked stays so.
    Enable {
        /// The key's id, `key_…`.
        id: String,
    },
    /// Revoke a key for good: calls with it are refused from then on.
    Revoke {
        /// The key's id, `key_…`.
        id: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// The tenant that pays.
    #[arg(long)]
    tenant: String,
    /// The tenant's project.
    #[arg(long)]
    project: String,
    /// What to call the key.
    #[arg(long)]
    name: Option<String>,
    /// A route that the key may name; may be given many times. Without any: every route of the project.
    #[arg(long = "route", value_name = "ROUTE")]
    routes: Vec<String>,
    /// Let the key name `provider/model` without a route.
    #[arg(long)]
    direct: bool,
    /// Tell the key's holder which targets served a degraded answer.
    #[arg(long)]
    expose_targets: bool,
    /// When the key stops being valid: a span such as 30d, or an RFC 3339 time.
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
}

#[derive(Debug, Args)]
struct List {
    /// Only this tenant's keys.
    #[arg(long)]
    tenant: Option<String>,
    /// Only this project's keys.
    #[arg(long)]
    project: Option<String>,
    /// Only keys in this state: active, disabled, revoked or expired.
    #[arg(long)]
    state: Option<String>,
    /// At most this many.
    #[arg(long)]
    limit: Option<u32>,
    /// Go on after this: the `next` of the answer before.
    #[arg(long, value_name = "NEXT")]
    after: Option<String>,
}

impl Key {
    /// Does it.
    ///
    /// # Errors
    /// As the control API answers; see [`crate::exit::Why`].
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        let client = Client::new(&self.remote)?;
        let (answer, human): (Value, fn(&Value) -> String) = match &self.what {
            What::Create(create) => (client.post("/api/v1/keys", &create.body())?, created),
            What::List(list) => (client.get("/api/v1/keys", &list.query())?, keys),
            What::Disable { id } => (switch(&client, id, true)?, now),
            What::Enable { id } => (switch(&client, id, false)?, now),
            What::Revoke { id } => (client.delete(&path(id))?, now),
        };
        Ok(output::answer(form, &answer, human)?)
    }
}

fn path(id: &str) -> String {
    format!("/api/v1/keys/{}", escape(id))
}

fn switch(client: &Client, id: &str, disabled: bool) -> Result<Value, Failure> {
    client.patch(&path(id), &json!({ "disabled": disabled }))
}

impl Create {
    fn body(&self) -> Value {
        let mut body = json!({
            "tenant": self.tenant, "project": self.project, "direct": self.direct, "expose_targets": self.expose_targets,
        });
        if let Some(fields) = body.as_object_mut() {
            let routes = (!self.routes.is_empty()).then(|| json!(self.routes));
            let optional = [
                ("name", self.name.as_ref().map(|n| json!(n))),
                ("routes", routes),
                ("expires", self.expires.as_ref().map(|e| json!(e))),
            ];
            fields.extend(
                optional
                    .into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value?))),
            );
        }
        body
    }
}

impl List {
    fn query(&self) -> Query {
        Query::default()
            .with("tenant", self.tenant.as_ref())
            .with("project", self.project.as_ref())
            .with("state", self.state.as_ref())
            .with("limit", self.limit)
            .with("after", self.after.as_ref())
    }
}

fn created(answer: &Value) -> String {
    format!(
        "{}\n\n{} of {}/{}. This is the only time the key is shown: keep it now.\n",
        text(answer, "key"),
        text(answer, "id"),
        text(answer, "tenant"),
        text(answer, "project"),
    )
}

/// How a key stands after a change; an enabled one may be past its time, and is then called expired.
fn now(answer: &Value) -> String {
    format!(
        "{} of {}/{} is {}.\n",
        text(answer, "id"),
        text(answer, "tenant"),
        text(answer, "project"),
        text(answer, "state")
    )
}

fn keys(answer: &Value) -> String {
    let headings = [
        "ID", "TENANT", "PROJECT", "NAME", "STATE", "ROUTES", "DIRECT", "CREATED", "EXPIRES",
    ];
    let mut table = Table::new(headings.map(|heading| (heading, Align::Left)));
    for key in list(answer) {
        let routes = key.get("routes").and_then(Value::as_array).map(|routes| {
            routes
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(",")
        });
        table.row(vec![
            text(key, "id"),
            text(key, "tenant"),
            text(key, "project"),
            text(key, "name"),
            text(key, "state"),
            routes.unwrap_or_else(|| "all".into()),
            flag(key, "direct"),
            text(key, "created"),
            text(key, "expires"),
        ]);
    }
    crate::view::page(
        &table,
        answer,
        "no keys; make one with `lintel key create --tenant T --project P`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_key_is_shown_with_its_warning() {
        let answer = json!({"id": "key_1", "key": "lk_x", "tenant": "acme", "project": "search"});
        assert_eq!(
            created(&answer),
            "lk_x\n\nkey_1 of acme/search. This is the only time the key is shown: keep it now.\n"
        );
    }

    #[test]
    fn a_change_says_how_the_key_stands_now() {
        for state in ["active", "disabled", "revoked", "expired"] {
            let answer =
                json!({"id": "key_1", "tenant": "acme", "project": "search", "state": state});
            assert_eq!(now(&answer), format!("key_1 of acme/search is {state}.\n"));
        }
    }

    #[test]
    fn only_what_was_said_is_sent() {
        let create = Create {
            tenant: "acme".into(),
            project: "search".into(),
            name: None,
            routes: vec![],
            direct: true,
            expose_targets: false,
            expires: Some("30d".into()),
        };
        assert_eq!(
            create.body(),
            json!({"tenant": "acme", "project": "search", "direct": true, "expose_targets": false, "expires": "30d"})
        );
    }

    #[test]
    fn keys_are_a_table_and_a_hint_where_to_go_on() {
        let key = json!({"id": "key_1", "tenant": "acme", "project": "search", "name": null, "state": "active", "routes": ["chat", "fast"], "direct": true, "created": "2026-11-24T07:32:13Z", "expires": null});
        let shown = keys(&json!({"data": [key], "next": "key_1"}));
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(
            lines[1],
            "key_1  acme    search   -     active  chat,fast  yes     2026-11-24T07:32:13Z  -"
        );
        assert_eq!(lines[3], "more: --after key_1");
    }
}
