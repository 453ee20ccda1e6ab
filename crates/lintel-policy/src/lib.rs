//! Pure decisions: routes, plans, retries, limits, prices (floor 1).
//!
//! Everything here takes facts, the time that is left and a random number, and returns a decision
//! with its reason. No clock, no socket, no file: those are arguments.

pub mod backoff;
pub mod limit;
pub mod plan;
pub mod price;
pub mod priority;
pub mod route;
pub mod table;
pub mod units;

pub use limit::{Counter, Held};
pub use plan::{Plan, Planned, place_after, plan};
pub use price::{ModelPrices, PriceBook, PriceEntry, PriceError, PriceFile, Priced, UnknownModel};
pub use route::{
    Inspection, OnDisconnect, Route, RouteConfig, Target, TargetConfig, Tier, TierConfig,
    Unsupported,
};
pub use table::{Action, Decision, Row, decide};
pub use units::{NotAUnit, Period, Size};
