//! `lintel token`: makes, lists, shows and revokes tokens of the control API, and says what each role may do.
//!
//! Prints a new token's secret once; nothing here writes it anywhere else.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use lintel_admin::{Permission, Role};
use serde_json::{Value, json};

use crate::cli::Remote;
use crate::client::Client;
use crate::exit::Failure;
use crate::output::{self, Form};
use crate::query::{Query, escape};
use crate::table::{Align, Table};
use crate::view::{list, page, text};

/// Make, list, show and revoke tokens of the control API.
#[derive(Debug, Args)]
pub(crate) struct Token {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a token. Its secret is printed once and can't be read again.
    Create(Create),
    /// List tokens, oldest first.
    List(List),
    /// Show a token.
    Show {
        /// The token's id, `tok_…`.
        id: String,
    },
    /// Revoke a token for good: it is refused from then on.
    Revoke {
        /// The token's id, `tok_…`.
        id: String,
    },
    /// Show whose token this command line uses, and what it may do.
    Whoami,
    /// Show what each role may do. Asks no gateway.
    Roles,
}

#[derive(Debug, Args)]
struct Create {
    /// What the audit will call its holder. Given once, and never again.
    name: String,
    /// What it may do: no more than the token that makes it.
    #[arg(long, value_parser = roles())]
    role: String,
    /// The one tenant that it sees and changes.
    #[arg(long)]
    tenant: Option<String>,
    /// When it stops being valid: a span such as 30d, or an RFC 3339 time.
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
}

#[derive(Debug, Args)]
struct List {
    /// Only of this role.
    #[arg(long, value_parser = roles())]
    role: Option<String>,
    /// Only in this state.
    #[arg(long, value_parser = ["active", "revoked", "expired"])]
    state: Option<String>,
    /// Only of this tenant.
    #[arg(long)]
    tenant: Option<String>,
    /// At most this many.
    #[arg(long)]
    limit: Option<u32>,
    /// Go on after this: the `next` of the answer before.
    #[arg(long, value_name = "NEXT")]
    after: Option<String>,
}

fn roles() -> PossibleValuesParser {
    PossibleValuesParser::new(Role::ALL.map(Role::name))
}

impl Token {
    /// Does it.
    ///
    /// # Errors
    /// As the control API answers; see [`crate::exit::Why`].
    pub(crate) fn run(&self, form: Form) -> Result<(), Failure> {
        if let What::Roles = self.what {
            return Ok(output::answer(form, &roles_json(), |_| roles_table())?);
        }
        let client = Client::new(&self.remote)?;
        let none = Query::default();
        let (answer, human): (Value, fn(&Value) -> String) = match &self.what {
            What::Create(create) => (client.post("/api/v1/tokens", &create.body())?, created),
            What::List(wanted) => (client.get("/api/v1/tokens", &wanted.query())?, tokens),
            What::Show { id } => (client.get(&path(id), &none)?, one),
            What::Revoke { id } => (client.delete(&path(id))?, one),
            What::Whoami | What::Roles => (client.get("/api/v1/tokens/me", &none)?, whoami),
        };
        Ok(output::answer(form, &answer, human)?)
    }
}

impl Create {
    fn body(&self) -> Value {
        let mut body = json!({ "name": self.name, "role": self.role });
        if let Some(fields) = body.as_object_mut() {
            let optional = [("tenant", &self.tenant), ("expires", &self.expires)];
            for (name, value) in optional {
                fields.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
            }
        }
        body
    }
}

impl List {
    fn query(&self) -> Query {
        Query::default()
            .with("role", self.role.as_ref())
            .with("state", self.state.as_ref())
            .with("tenant", self.tenant.as_ref())
            .with("limit", self.limit)
            .with("after", self.after.as_ref())
    }
}

fn path(id: &str) -> String {
    format!("/api/v1/tokens/{}", escape(id))
}

fn created(answer: &Value) -> String {
    format!(
        "{}\n\nthe token of {} ({}, {}). It is shown this once: keep it now.\n",
        text(answer, "token"),
        text(answer, "name"),
        text(answer, "role"),
        text(answer, "id"),
    )
}

const COLUMNS: [(&str, &str); 8] = [
    ("ID", "id"),
    ("NAME", "name"),
    ("ROLE", "role"),
    ("TENANT", "tenant"),
    ("STATE", "state"),
    ("LAST USED", "last_used"),
    ("EXPIRES", "expires"),
    ("CREATED BY", "created_by"),
];

fn tokens(answer: &Value) -> String {
    let mut table = Table::new(COLUMNS.map(|(heading, _)| (heading, Align::Left)));
    for token in list(answer) {
        table.row(COLUMNS.map(|(_, field)| text(token, field)).to_vec());
    }
    let empty = "no tokens but the one that the gateway was started with; make one with `lintel token create NAME --role ROLE`";
    page(&table, answer, empty)
}

fn one(token: &Value) -> String {
    let mut table = Table::new([("TOKEN", Align::Left), (&*text(token, "id"), Align::Left)]);
    for field in [
        "name",
        "role",
        "tenant",
        "state",
        "created",
        "created_by",
        "expires",
        "last_used",
        "revoked",
    ] {
        table.row(vec![field.to_owned(), text(token, field)]);
    }
    table.render()
}

fn whoami(answer: &Value) -> String {
    let permissions = answer.get("permissions").and_then(Value::as_array);
    let permissions = permissions.into_iter().flatten().filter_map(Value::as_str);
    let tenant = match answer.get("tenant").and_then(Value::as_str) {
        Some(tenant) => format!(" of the tenant {tenant}"),
        None => String::new(),
    };
    format!(
        "{} ({}), {}{tenant}: {}\n",
        text(answer, "name"),
        text(answer, "id"),
        text(answer, "role"),
        permissions.collect::<Vec<_>>().join(", "),
    )
}

fn roles_json() -> Value {
    let role = |role: Role| {
        let permissions = Permission::all().filter(|each| role.may(*each));
        let permissions: Vec<&str> = permissions.map(Permission::name).collect();
        json!({ "role": role.name(), "summary": role.summary(), "permissions": permissions })
    };
    json!({ "data": Role::ALL.map(role) })
}

fn roles_table() -> String {
    let mut heads = vec![("PERMISSION".to_owned(), Align::Left)];
    heads.extend(Role::ALL.map(|role| (role.name().to_uppercase(), Align::Left)));
    let mut table = Table::new(heads);
    for permission in Permission::all() {
        let mut cells = vec![permission.name().to_owned()];
        let mark = |role: Role| if role.may(permission) { "yes" } else { "-" }.to_owned();
        cells.extend(Role::ALL.map(mark));
        table.row(cells);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_stands_alone_on_the_first_line() {
        let answer = json!({"token": "at_x", "name": "ci", "role": "viewer", "id": "tok_1"});
        assert_eq!(created(&answer).lines().next(), Some("at_x"));
    }

    #[test]
    fn the_table_of_roles_has_a_row_for_each_permission() {
        let table = roles_table();
        assert_eq!(table.lines().count(), Permission::all().count() + 1);
        assert!(
            table
                .lines()
                .any(|line| line.starts_with("owners.write") && line.matches("yes").count() == 1)
        );
        assert_eq!(roles_json()["data"].as_array().unwrap().len(), 6);
    }

    #[test]
    fn whoami_says_whose_it_is_and_what_it_may() {
        let answer = json!({"id": "tok_1", "name": "ci", "role": "viewer", "tenant": "acme", "permissions": ["own", "status.read"]});
        assert_eq!(
            whoami(&answer),
            "ci (tok_1), viewer of the tenant acme: own, status.read\n"
        );
    }
}
