//! The record of an exchange that nobody settled.

use serde::{Deserialize, Serialize};

use super::Dispatched;
use crate::time::Timestamp;

/// A dispatched exchange whose process died before settling it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orphaned {
    /// The last dispatch of the exchange: attribution and estimate come from it.
    pub dispatched: Dispatched,
    /// How many attempts had been dispatched.
    pub attempts: u8,
    /// When the orphan was found.
    pub found: Timestamp,
}
