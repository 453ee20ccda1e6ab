//! Who calls.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::caps::Caps;
use crate::time::Timestamp;

/// How the caller was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// By a virtual key.
    Key,
    /// By a signed token of an identity provider.
    Jwt,
    /// By a client certificate.
    Mtls,
    /// Lintel itself: evaluation runs, judges, probes.
    Internal,
}

/// Which routes a caller may name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteAccess {
    /// Every route.
    All,
    /// These and no others.
    Only(Vec<Arc<str>>),
}

impl RouteAccess {
    /// Whether `route` may be named.
    pub fn allows(&self, route: &str) -> bool {
        match self {
            RouteAccess::All => true,
            RouteAccess::Only(names) => names.iter().any(|n| &**n == route),
        }
    }
}

/// The caller of an exchange, as authentication found it. Immutable; shared by reference count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// How it was recognised.
    pub kind: PrincipalKind,
    /// The key's public id (`key_…`); for other kinds, the subject.
    pub key: Arc<str>,
    /// The tenant.
    pub tenant: Arc<str>,
    /// The tenant's project.
    pub project: Arc<str>,
    /// Which routes it may name.
    pub routes: RouteAccess,
    /// Whether it may name `provider/model` without a route.
    pub direct: bool,
    /// Whether answers may tell it the names of targets.
    pub expose_targets: bool,
    /// When it stops being valid.
    pub expires: Option<Timestamp>,
    /// What its calls may ask for.
    pub caps: Caps,
}
