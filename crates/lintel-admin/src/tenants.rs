//! `/api/v1/tenants`: makes and lists tenants, each with its projects.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use lintel_store::{Project, Tenant};
use serde::{Deserialize, Serialize};

use crate::auth::Actor;
use crate::extract::{JsonBody, NoParams, Params};
use crate::page::{self, Page};
use crate::problem::Problem;
use crate::state::Admin;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    name: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    name: String,
    projects: Vec<String>,
    created: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    after: Option<String>,
    limit: Option<usize>,
}

pub(crate) async fn create(
    State(admin): State<Arc<Admin>>,
    Extension(Actor(actor)): Extension<Actor>,
    Params(NoParams {}): Params<NoParams>,
    JsonBody(wanted): JsonBody<Wanted>,
) -> Result<Response, Problem> {
    let tenant = admin
        .blocking(move |admin| admin.control.create_tenant(&wanted.name, &actor))
        .await?;
    let shown = Shown {
        name: tenant.name,
        projects: Vec::new(),
        created: tenant.made.to_string(),
    };
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

pub(crate) async fn list(
    State(admin): State<Arc<Admin>>,
    Params(filter): Params<Filter>,
) -> Result<Json<Page<Shown>>, Problem> {
    let limit = page::limit(filter.limit)?;
    let (tenants, mut projects) = admin
        .blocking(|admin| {
            Ok((
                admin.control.tenants()?,
                projects_of(admin.control.projects(None)?),
            ))
        })
        .await?;
    let shown = |tenant: Tenant| Shown {
        projects: projects.remove(&tenant.name).unwrap_or_default(),
        created: tenant.made.to_string(),
        name: tenant.name,
    };
    let shown = tenants.into_iter().map(shown).collect();
    Ok(Json(page::cut(
        shown,
        filter.after.as_deref(),
        limit,
        |tenant| &tenant.name,
    )?))
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
