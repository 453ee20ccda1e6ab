//! `/api/v1/projects`: makes, lists, shows and deletes projects.

use lintel_store::{Project, StoreError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answer::{Created, One};
use crate::codes;
use crate::extract::JsonBody;
use crate::operation::{Call, Nothing};
use crate::page::{self, Order, Page};
use crate::problem::Problem;
use crate::words::{Moment, Name};

/// A project to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewProject")]
pub(crate) struct Wanted {
    /// The tenant; made when new.
    tenant: Name,
    /// What to call the project.
    name: Name,
}

/// A project as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Project")]
pub(crate) struct Shown {
    tenant: Name,
    name: Name,
    /// Whether files declare it (`lintel apply`).
    managed: bool,
    created: Moment,
}

/// Which projects.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    /// Only this tenant's.
    tenant: Option<Name>,
    /// Go on after this: the `next` of the page before.
    after: Option<String>,
    /// At most this many; 100 when absent.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u16>,
}

/// The project that a path names.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct ByName {
    /// The tenant's name.
    tenant: Name,
    /// The project's name.
    project: Name,
}

pub(crate) async fn create(
    call: Call<Nothing, Nothing, JsonBody<Wanted>>,
) -> Result<Created<Shown>, Problem> {
    let (actor, JsonBody(wanted)) = (call.caller.name, call.body);
    let project = call
        .admin
        .blocking(move |admin| {
            let control = &admin.control;
            control.create_project(&wanted.tenant.0, &wanted.name.0, &actor)
        })
        .await?;
    let id = format!("{}/{}", project.tenant, project.name);
    let shown = || Shown::of(project.clone());
    Ok(Created::new("/projects", &id, &shown(), shown()))
}

pub(crate) async fn list(call: Call<Nothing, Filter>) -> Result<Page<Shown>, Problem> {
    let limit = page::limit(call.query.limit)?;
    let tenant = call.query.tenant.map(|Name(name)| name);
    let projects = call
        .admin
        .blocking(move |admin| admin.control.projects(tenant.as_deref()))
        .await?;
    let shown = projects.into_iter().map(Shown::of).collect();
    page::cut(
        shown,
        call.query.after.as_deref(),
        limit,
        Order::Ascending,
        |project| {
            // A character below all that names may have: it sorts as the pair does, which `/` does not.
            format!("{}\u{1}{}", project.tenant.0, project.name.0)
        },
    )
}

pub(crate) async fn one(call: Call<ByName>) -> Result<One<Shown>, Problem> {
    let ByName { tenant, project } = call.path;
    let found = call
        .admin
        .blocking(move |admin| {
            let all = admin.control.projects(Some(&tenant.0))?;
            let found = all.into_iter().find(|p| p.name == project.0);
            found.ok_or_else(|| StoreError::NotFound {
                what: "project",
                name: format!("{}/{}", tenant.0, project.0),
            })
        })
        .await?;
    Ok(One(Shown::of(found)))
}

/// Takes a project away, with its revoked keys. What the ledger says of it stays.
pub(crate) async fn delete(call: Call<ByName>) -> Result<One<Shown>, Problem> {
    let (admin, actor, ByName { tenant, project }) = (call.admin, call.caller.name, call.path);
    let snapshot = admin.plane.snapshot();
    let declared = snapshot
        .tenants
        .iter()
        .any(|t| *t.name == *tenant.0 && t.projects.iter().any(|p| *p.name == *project.0));
    if declared {
        let text = format!(
            "project `{}/{}` is declared in the configuration: take it out there first",
            tenant.0, project.0
        );
        return Err(Problem::new(&codes::CONFLICT, text));
    }
    let gone = admin
        .blocking(move |admin| {
            let gone = admin
                .control
                .delete_project(&tenant.0, &project.0, &actor)?;
            admin.keyring.publish()?;
            Ok(gone)
        })
        .await?;
    Ok(One(Shown::of(gone)))
}

impl Shown {
    fn of(project: Project) -> Self {
        Self {
            tenant: Name(project.tenant),
            name: Name(project.name),
            managed: project.managed,
            created: Moment(project.made),
        }
    }
}
