//! `/api/v1/tenants`: makes and lists tenants, each with its projects.

use std::collections::HashMap;

use lintel_store::{KeyFilter, Project, Tenant};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::{Accepted, Created, Fact, One};
use crate::codes;
use crate::extract::JsonBody;
use crate::mint;
use crate::operation::{Call, Nothing};
use crate::page::{self, Order, Page};
use crate::problem::Problem;
use crate::words::{Moment, Name};

/// A tenant to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewTenant")]
pub(crate) struct Wanted {
    /// What to call it.
    name: Name,
}

/// A tenant as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tenant")]
pub(crate) struct Shown {
    name: Name,
    /// Whether files declare it (`lintel apply`).
    managed: bool,
    /// Whether it is being deleted: its keys and tokens are revoked, its rows are on their way out.
    deleting: bool,
    /// The names of its projects.
    projects: Vec<String>,
    created: Moment,
}

/// A page of tenants.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Go on after this: the `next` of the page before.
    after: Option<String>,
    /// At most this many; 100 when absent.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u16>,
}

/// The tenant that a path names.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ByName {
    /// The tenant's name.
    tenant: Name,
}

pub(crate) async fn create(
    call: Call<Nothing, Nothing, JsonBody<Wanted>>,
) -> Result<Created<Shown>, Problem> {
    let (actor, JsonBody(Wanted { name: Name(name) })) = (call.caller.name, call.body);
    let tenant = call
        .admin
        .blocking(move |admin| admin.control.create_tenant(&name, &actor))
        .await?;
    let (name, shown) = (tenant.name.clone(), || {
        Shown::of(tenant.clone(), Vec::new())
    });
    Ok(Created::new("/tenants", &name, &shown(), shown()))
}

pub(crate) async fn list(call: Call<Nothing, Filter>) -> Result<Page<Shown>, Problem> {
    let limit = page::limit(call.query.limit)?;
    let own = call.caller.tenant;
    let (tenants, mut projects) = call
        .admin
        .blocking(|admin| {
            Ok((
                admin.control.tenants()?,
                projects_of(admin.control.projects(None)?),
            ))
        })
        .await?;
    let visible = |tenant: &Tenant| own.as_ref().is_none_or(|own| **own == *tenant.name);
    let shown = tenants.into_iter().filter(visible).map(|tenant| {
        let projects = projects.remove(&tenant.name).unwrap_or_default();
        Shown::of(tenant, projects)
    });
    page::cut(
        shown.collect(),
        call.query.after.as_deref(),
        limit,
        Order::Ascending,
        |tenant| tenant.name.0.clone(),
    )
}

pub(crate) async fn one(call: Call<ByName>) -> Result<One<Shown>, Problem> {
    let Name(name) = call.path.tenant;
    call.caller.sees("tenant", &name, Some(&name))?;
    let found = call
        .admin
        .blocking(move |admin| {
            let tenant = admin.control.tenant(&name)?;
            let projects = admin.control.projects(Some(&tenant.name))?;
            let projects = projects.into_iter().map(|project| project.name).collect();
            Ok(Shown::of(tenant, projects))
        })
        .await?;
    Ok(One(found))
}

/// What goes when a tenant is deleted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TenantContent")]
pub(crate) struct Content {
    tenant: Name,
    projects: u64,
    keys: u64,
    /// Rows of the request log.
    exchanges: u64,
    /// Rows of the ledger.
    ledger_rows: u64,
    /// Provider-side objects that are known to be its.
    objects: u64,
}

pub(crate) async fn content(call: Call<ByName>) -> Result<Fact<Content>, Problem> {
    let Name(name) = call.path.tenant;
    let content = call
        .admin
        .blocking(move |admin| {
            admin.control.tenant(&name)?;
            let keys = KeyFilter {
                tenant: Some(name.clone()),
                project: None,
            };
            let rows = admin.queries.of_tenant(&name)?;
            Ok(Content {
                projects: admin.control.projects(Some(&name))?.len() as u64,
                keys: admin.control.keys(&keys)?.len() as u64,
                exchanges: rows.exchanges,
                ledger_rows: rows.ledger_rows,
                objects: rows.objects,
                tenant: Name(name),
            })
        })
        .await?;
    Ok(Fact(content))
}

/// How a tenant is deleted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deletion {
    /// The tenant's name once more.
    confirm: Name,
    /// What becomes of its ledger.
    #[serde(default)]
    ledger: Ledger,
}

/// What becomes of a deleted tenant's ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ledger {
    /// Its money stays under a name of nobody's, so that sums still tie.
    #[default]
    Keep,
    /// It goes: sums over all tenants become smaller.
    Delete,
}

/// Begins to delete a tenant with its data. Its keys and the tokens tied to it are out of force, and its calls cut, before this is answered.
pub(crate) async fn delete(call: Call<ByName, Deletion>) -> Result<Accepted<Shown>, Problem> {
    let (admin, actor, Name(name)) = (call.admin, call.caller.name, call.path.tenant);
    let Deletion { confirm, ledger } = call.query;
    if confirm.0 != name {
        let text = format!("confirm: say the tenant's name once more, as in `confirm={name}`");
        return Err(Problem::new(&codes::INVALID_VALUE, text));
    }
    let declared = |t: &lintel_config::DeclaredTenant| *t.name == *name;
    if admin.plane.snapshot().tenants.iter().any(declared) {
        let text = format!(
            "tenant `{name}` is declared in the configuration: take it out there and reload, or it would be made again"
        );
        return Err(Problem::new(&codes::CONFLICT, text));
    }
    let pseudonym = mint::random_text("deleted:")
        .map_err(|error| admin.fault("can't make a pseudonym", &error.to_string()))?;
    let shown = admin
        .blocking(move |admin| {
            let pseudonym: String = pseudonym.chars().take(20).collect();
            let whole = ledger == Ledger::Delete;
            admin
                .control
                .begin_erasure(&name, &pseudonym, whole, &actor)?;
            // Both, whatever becomes of the other: neither keys nor tokens may outlive the answer.
            let (keys, tokens) = (admin.keyring.publish(), admin.tokens.reread());
            keys?;
            tokens?;
            let projects = admin.control.projects(Some(&name))?;
            let projects = projects.into_iter().map(|project| project.name).collect();
            Ok(Shown::of(admin.control.tenant(&name)?, projects))
        })
        .await?;
    Ok(Accepted(shown))
}

impl Shown {
    fn of(tenant: Tenant, projects: Vec<String>) -> Self {
        Self {
            name: Name(tenant.name),
            managed: tenant.managed,
            deleting: tenant.deleting,
            projects,
            created: Moment(tenant.made),
        }
    }
}

fn projects_of(projects: Vec<Project>) -> HashMap<String, Vec<String>> {
    let mut by_tenant: HashMap<String, Vec<String>> = HashMap::new();
    for project in projects {
        by_tenant
            .entry(project.tenant)
            .or_default()
            .push(project.name);
    }
    by_tenant
}
