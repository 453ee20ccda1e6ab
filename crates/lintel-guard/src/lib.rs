//! Guards (floor 1): what may pass, and the only maker of [`Cleared`].
//!
//! Invariant: the gateway's writers take `Cleared<T>`, and only this crate can make one. So bytes that
//! no guard stage has seen can't be written: the path doesn't compile. The stage exists with an
//! empty list of guards too; detectors join it one file and one entry at a time.

mod chain;
mod cleared;
mod guard;
mod stream;

pub use chain::Chain;
pub use cleared::{Clearance, Cleared, Uninspected};
pub use guard::{Direction, Guard, Progress, StreamGuard, Subject};
pub use stream::StreamChain;
