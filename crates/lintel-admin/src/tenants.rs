//! `/api/v1/tenants`: makes and lists tenants, each with its projects.

use std::collections::HashMap;

use lintel_store::{Project, StoreError, Tenant};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::{Created, One};
use crate::extract::JsonBody;
use crate::operation::{Call, Nothing};
use crate::page::{self, Page};
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
        |tenant| tenant.name.0.clone(),
    )
}

pub(crate) async fn one(call: Call<ByName>) -> Result<One<Shown>, Problem> {
    let Name(name) = call.path.tenant;
    call.caller.sees("tenant", &name, Some(&name))?;
    let found = call
        .admin
        .blocking(move |admin| {
            let found = admin
                .control
                .tenants()?
                .into_iter()
                .find(|tenant| tenant.name == name);
            let tenant = found.ok_or(StoreError::NotFound {
                what: "tenant",
                name,
            })?;
            let projects = admin.control.projects(Some(&tenant.name))?;
            let projects = projects.into_iter().map(|project| project.name).collect();
            Ok(Shown::of(tenant, projects))
        })
        .await?;
    Ok(One(found))
}

impl Shown {
    fn of(tenant: Tenant, projects: Vec<String>) -> Self {
        Self {
            name: Name(tenant.name),
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
