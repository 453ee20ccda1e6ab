//! `lintel key`: makes, lists, changes, rotates and revokes virtual keys over the control API.
//!
//! Prints a new key's secret once; nothing here writes it anywhere else.

mod args;
mod show;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::args::Facts;
use crate::cli::Remote;
use crate::client::Client;
use crate::exit::{Failure, Why};
use crate::output::{self, Form};
use crate::query::{Query, escape};

/// Make, list, change, rotate, disable, enable and revoke virtual keys.
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
    /// Show a key with its caps and secrets.
    Show {
        /// The key's id, `key_…`.
        id: String,
    },
    /// Change a key: what is not said stays, and `none` takes away. Counts for the next call.
    Update(Update),
    /// Give a key another secret, printed once. The former ones stay accepted for the overlap; id, caps and ledger stay.
    Rotate {
        /// The key's id, `key_…`.
        id: String,
        /// How long former secrets stay accepted, such as 24h, which is the default. 0s ends them at once, and the calls
        /// that run with them.
        #[arg(long, value_name = "SPAN")]
        overlap: Option<String>,
    },
    /// Disable a key: calls with it are refused until it is enabled, and running ones end within a second.
    Disable {
        /// The key's id, `key_…`.
        id: String,
    },
    /// Enable a disabled key again. One that is revoked stays so.
    Enable {
        /// The key's id, `key_…`.
        id: String,
    },
    /// Revoke a key for good: calls with it are refused from then on, and running ones end within a second.
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
    #[command(flatten)]
    facts: Facts,
    /// Let the key name `provider/model` without a route.
    #[arg(long)]
    direct: bool,
    /// Tell the key's holder which targets served a degraded answer.
    #[arg(long)]
    expose_targets: bool,
}

#[derive(Debug, Args)]
struct Update {
    /// The key's id, `key_…`.
    id: String,
    #[command(flatten)]
    facts: Facts,
    /// Whether the key may name `provider/model` without a route.
    #[arg(long, value_name = "BOOL")]
    direct: Option<bool>,
    /// Whether the key's holder is told which targets served a degraded answer.
    #[arg(long, value_name = "BOOL")]
    expose_targets: Option<bool>,
}

#[derive(Debug, Default, Args)]
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
    /// Only keys that were neither made nor used since: a span such as 30d counts back from now.
    #[arg(long, value_name = "WHEN")]
    unused_since: Option<String>,
    /// At most this many.
    #[arg(long)]
    limit: Option<u32>,
    /// Go on after this: the `next` of the answer before.
    #[arg(long)]
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
            What::Create(create) => (client.post("/api/v1/keys", &create.body()?)?, show::created),
            What::List(list) => (client.get("/api/v1/keys", &list.query())?, show::keys),
            What::Show { id } => (client.get(&path(id), &Query::default())?, show::one),
            What::Update(update) => (client.patch(&path(&update.id), &update.body()?)?, show::one),
            What::Rotate { id, overlap } => {
                let body = match overlap {
                    Some(overlap) => json!({ "overlap": overlap }),
                    None => json!({}),
                };
                let path = format!("{}/rotate", path(id));
                (client.post(&path, &body)?, show::rotated)
            }
            What::Disable { id } => (switch(&client, id, true)?, show::now),
            What::Enable { id } => (switch(&client, id, false)?, show::now),
            What::Revoke { id } => (client.delete(&path(id))?, show::now),
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
    fn body(&self) -> Result<Value, Failure> {
        let mut fields = self.facts.fields()?;
        fields.retain(|_, value| !value.is_null());
        fields.insert("tenant".to_owned(), json!(self.tenant));
        fields.insert("project".to_owned(), json!(self.project));
        fields.insert("direct".to_owned(), json!(self.direct));
        fields.insert("expose_targets".to_owned(), json!(self.expose_targets));
        Ok(Value::Object(fields))
    }
}

impl Update {
    fn body(&self) -> Result<Value, Failure> {
        let mut fields = self.facts.fields()?;
        let flags = [
            ("direct", self.direct),
            ("expose_targets", self.expose_targets),
        ];
        for (name, flag) in flags {
            if let Some(flag) = flag {
                fields.insert(name.to_owned(), json!(flag));
            }
        }
        if fields.is_empty() {
            let text = "nothing to change was said: `lintel key update --help` lists what can be";
            return Err(Failure::new(Why::Usage, text));
        }
        Ok(Value::Object(fields))
    }
}

impl List {
    fn query(&self) -> Query {
        Query::default()
            .with("tenant", self.tenant.as_ref())
            .with("project", self.project.as_ref())
            .with("state", self.state.as_ref())
            .with("unused_since", self.unused_since.as_ref())
            .with("limit", self.limit)
            .with("after", self.after.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_sent() {
        let create = Create {
            tenant: "acme".into(),
            project: "search".into(),
            facts: Facts::default(),
            direct: true,
            expose_targets: false,
        };
        assert_eq!(
            create.body().unwrap(),
            json!({"tenant": "acme", "project": "search", "direct": true, "expose_targets": false})
        );
        let update = Update {
            id: "key_1".into(),
            facts: Facts::default(),
            direct: Some(false),
            expose_targets: None,
        };
        assert_eq!(update.body().unwrap(), json!({"direct": false}));
        let nothing = Update {
            direct: None,
            ..update
        };
        assert_eq!(nothing.body().unwrap_err().why, Why::Usage);
        let list = List {
            unused_since: Some("30d".into()),
            ..List::default()
        };
        assert_eq!(list.query().text(), "?unused_since=30d");
    }
}
