//! The admin listener's service: the table of operations as a router, signs of life, and what answers everything else.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, MethodRouter, get, on};
use lintel_store::StoreError;

use crate::operation::{BASE, Operation};
use crate::perform::perform;
use crate::problem::Problem;
use crate::state::{Admin, Deps};
use crate::{auth, codes, operations, signs};

/// The admin listener's service.
///
/// # Errors
/// When the store's tokens can't be read.
pub fn router(deps: Deps) -> Result<Router, StoreError> {
    let admin = Arc::new(Admin::new(deps)?);
    let rows = operations::all().iter();
    let api = rows.fold(Router::new(), |router, row| {
        router.route(row.path, route(row))
    });
    let api = api
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(from_fn_with_state(Arc::clone(&admin), auth::require));
    Ok(Router::new()
        .route("/healthz", get(signs::healthz))
        .route("/readyz", get(signs::readyz))
        .route("/metrics", get(signs::metrics))
        .nest(BASE, api)
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .with_state(admin))
}

fn route(row: &Arc<Operation>) -> MethodRouter<Arc<Admin>> {
    let operation = Arc::clone(row);
    let handler = move |State(admin): State<Arc<Admin>>, request: Request| {
        perform(Arc::clone(&operation), admin, request)
    };
    // Every method of the table has a filter; the table's tests walk it.
    let filter = MethodFilter::try_from(row.method.clone()).unwrap_or(MethodFilter::GET);
    on(filter, handler)
}

async fn unknown_path(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(128).collect();
    Problem::not_found(format!("no path `{path}` here; docs/api.md lists them"))
}

async fn unknown_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(128).collect();
    let method: String = method.as_str().chars().take(16).collect();
    let detail = format!("`{path}` does not take {method}; the `allow` header says what it takes");
    Problem::new(&codes::METHOD_NOT_ALLOWED, detail)
}
