//! `GET /api/v1/config`: the configuration in force, with every default filled in. It holds references to secrets
//! as they were written (`${NAME}`, `file:/path`), never a secret and nothing about one.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::answer::Fact;
use crate::operation::Call;
use crate::problem::Problem;

/// The configuration in force.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct InForce {
    /// Its hash: which configuration decided.
    config: Arc<str>,
    /// The configuration as a file would say it, every default filled in.
    resolved: Map<String, Value>,
}

pub(crate) async fn config(call: Call) -> Result<Fact<InForce>, Problem> {
    let snapshot = call.admin.plane.snapshot();
    Ok(Fact(InForce {
        config: Arc::clone(&snapshot.hash),
        resolved: snapshot.resolved().as_object().cloned().unwrap_or_default(),
    }))
}
