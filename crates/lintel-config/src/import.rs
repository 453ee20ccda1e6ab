//! Reading the configuration of another gateway and writing a `lintel.yaml` that does the same, as far as it can.
//!
//! Invariants: no secret is copied; nothing is left out silently: whatever has no counterpart is in the list, with the
//! line where it stands, why, and what comes nearest.

pub mod litellm;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// What came of an import.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The text of the `lintel.yaml`.
    pub text: String,
    /// What has no counterpart, in the order of the source.
    pub lost: Vec<Lost>,
    /// The environment variables that the new file refers to.
    pub variables: BTreeSet<String>,
}

/// Something that has no counterpart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The file.
    pub origin: String,
    /// From 1.
    pub line: usize,
    /// Where it stands: `router_settings.routing_strategy`.
    pub path: String,
    /// How much it matters.
    pub severity: Severity,
    /// Why it has none.
    pub reason: String,
    /// What comes nearest, or what to do.
    pub nearest: String,
}

/// How much a loss matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Calls go otherwise than before, or something has to be done before they go at all.
    Behaviour,
    /// Calls go as before.
    Cosmetic,
}

impl Severity {
    /// The word in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Behaviour => "behaviour",
            Severity::Cosmetic => "cosmetic",
        }
    }
}

/// A configuration that is being put together, with comments by path.
#[derive(Debug, Default)]
struct Draft {
    tree: Map<String, Value>,
    comments: BTreeMap<String, String>,
}
