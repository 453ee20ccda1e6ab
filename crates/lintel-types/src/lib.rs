//! The words of Lintel as types (floor 0).
//!
//! Everything here is a value: no sockets, no clock, no random source, no files.
//! A type lives here when two floors must agree on it and it must not move later.

pub mod audit;
pub mod body;
pub mod canon;
pub mod caps;
pub mod content;
pub mod error;
pub mod failure;
pub mod ids;
pub mod lease;
pub mod leg;
pub mod money;
pub mod principal;
pub mod record;
pub mod resource;
pub mod surface;
pub mod time;
pub mod trace;
pub mod usage;
pub mod verdict;

pub use audit::{AuditEntry, AuditSink};
pub use body::{Body, Rendered, SpanEdit};
pub use caps::{CallHeader, Caps, Priority};
pub use content::{ContentPart, ContentSource, Label, Modality};
pub use error::{Error, Kind, Retry, Side};
pub use failure::{Failure, FailureClass, Phase};
pub use ids::{AttemptId, ExchangeId, ExchangeKind, IdSource, NodeId};
pub use lease::{Denied, Grant, Lease};
pub use leg::Leg;
pub use money::{Money, PricePerMillion};
pub use principal::{Principal, PrincipalKind, RouteAccess};
pub use record::{AttemptRecord, Dispatched, MeterLine, Orphaned, Outcome, Record, Settled};
pub use resource::{Made, ResourceKind, ResourceRef};
pub use surface::{Protocol, Surface};
pub use time::{Clock, Entropy, Mono, Timestamp};
pub use trace::{SpanId, TraceParent};
pub use usage::{Meter, Usage};
pub use verdict::{Digest, Edit, Level, Verdict};
