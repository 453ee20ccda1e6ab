//! The table of paths: what exists, under which method, and what answers everything else.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::problem::Problem;
use crate::state::{Admin, Deps};
use crate::{auth, exchanges, keys, reload, signs, status, tenants, usage};

/// The admin listener's service.
pub fn router(deps: Deps) -> Router {
    let admin = Arc::new(Admin::new(deps));
    let api = Router::new()
        .route("/keys", get(keys::list).post(keys::create))
        .route(
            "/keys/{id}",
            get(keys::one).patch(keys::switch).delete(keys::revoke),
        )
        .route("/tenants", get(tenants::list).post(tenants::create))
        .route("/usage", get(usage::sums))
        .route("/exchanges", get(exchanges::list))
        .route("/exchanges/{id}", get(exchanges::one))
        .route("/status", get(status::status))
        .route("/reload", post(reload::reload))
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(from_fn_with_state(Arc::clone(&admin), auth::require));
    Router::new()
        .route("/healthz", get(signs::healthz))
        .route("/readyz", get(signs::readyz))
        .route("/metrics", get(signs::metrics))
        .nest("/api/v1", api)
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .with_state(admin)
}

async fn unknown_path(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(128).collect();
    Problem::not_found(format!("no path `{path}` here; docs/api.md lists them"))
}

async fn unknown_method(method: Method, uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(128).collect();
    let method: String = method.as_str().chars().take(16).collect();
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("`{path}` does not take {method}; the `allow` header says what it takes"),
    )
}
