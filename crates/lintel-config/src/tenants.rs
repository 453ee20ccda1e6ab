//! Tenants and projects that the file declares.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::names::refuse_name;
use crate::path::Path;
use crate::problem::Report;
use crate::raw::{ProjectConfig, TenantConfig};
use crate::snapshot::{DeclaredProject, DeclaredTenant};

/// Resolves all tenants. `routes` are the names of every route that the text declares.
pub(crate) fn resolve(
    raw: &BTreeMap<String, TenantConfig>,
    routes: &[String],
    report: &mut Report<'_>,
) -> Vec<DeclaredTenant> {
    let tenant = |(name, config): (&String, &TenantConfig)| {
        let path = Path::of(&["tenants", name]);
        check_name(name, &path, report);
        let project = |(name, config): (&String, &ProjectConfig)| {
            let path = path.key("projects").key(name);
            check_name(name, &path, report);
            check_routes(config, &path, routes, report);
            let shared = |list: &Vec<String>| list.iter().map(|r| Arc::from(r.as_str())).collect();
            DeclaredProject {
                name: Arc::from(name.as_str()),
                routes: config.routes.as_ref().map(shared),
            }
        };
        DeclaredTenant {
            name: Arc::from(name.as_str()),
            projects: config.projects.iter().map(project).collect(),
        }
    };
    raw.iter().map(tenant).collect()
}

fn check_name(name: &str, path: &Path, report: &mut Report<'_>) {
    if let Some(why) = refuse_name(name) {
        report.problem_at_key(path, why);
    }
}

fn check_routes(config: &ProjectConfig, path: &Path, routes: &[String], report: &mut Report<'_>) {
    for (i, route) in config.routes.iter().flatten().enumerate() {
        if !routes.contains(route) {
            let message = format!("no route is called `{route}`: declare it under `routes`");
            report.problem_near(
                &path.key("routes").index(i),
                message,
                route,
                routes.iter().map(String::as_str),
            );
        }
    }
}
