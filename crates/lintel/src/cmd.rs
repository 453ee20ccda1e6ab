//! The verbs, one file each.

pub(crate) mod api;
pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod health;
pub(crate) mod import;
pub(crate) mod key;
pub(crate) mod log;
pub(crate) mod man;
pub(crate) mod project;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod store;
pub(crate) mod tenant;
pub(crate) mod token;
pub(crate) mod upgrade;
pub(crate) mod usage;
