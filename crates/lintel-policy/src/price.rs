//! Prices: what a model's meters cost, since when, and who says so.
//!
//! An unknown model is an explicit policy, never a silent zero.

mod book;
mod entry;
mod rate;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use book::{PriceBook, PriceError, Priced};
pub use entry::{Date, LongContext, PRICE_FORMAT, Price, PriceEntry, PriceFile};
pub use rate::ModelPrices;

/// What happens to a call whose model has no price.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownModel {
    /// It is refused.
    #[default]
    Refuse,
    /// It passes, and its rows are marked unpriced.
    AllowUnpriced,
    /// It passes at the prices of this model of the price book.
    Assume(Arc<str>),
}
