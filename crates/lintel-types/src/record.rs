//! What the journal holds: one record when an attempt is dispatched, one when its exchange is settled.
//!
//! Records are the ledger's source of truth. They grow by adding optional fields; a field is never
//! renamed or given another meaning, so that an old journal can always be read.

mod orphaned;
mod outcome;
mod text;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::caps::Priority;
use crate::error::Side;
use crate::failure::{FailureClass, Phase};
use crate::ids::{ExchangeId, ExchangeKind, NodeId};
use crate::leg::Leg;
use crate::money::Money;
use crate::resource::Made;
use crate::time::Timestamp;
use crate::usage::Meter;

pub use self::orphaned::Orphaned;
pub use self::outcome::Outcome;

/// A journal record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "records are read one at a time; a box would cost an allocation a dispatch"
)]
pub enum Record {
    /// An attempt is about to be sent. Written before the first byte goes to the provider.
    Dispatched(Dispatched),
    /// An exchange has ended. Written before the terminal bytes go to the client.
    Settled(Box<Settled>),
    /// A dispatched exchange whose process died. Written at the next start.
    Orphaned(Box<Orphaned>),
}

impl Record {
    /// Whose record it is.
    pub fn exchange(&self) -> ExchangeId {
        match self {
            Record::Dispatched(d) => d.exchange,
            Record::Settled(s) => s.exchange,
            Record::Orphaned(o) => o.dispatched.exchange,
        }
    }
}

/// Who called and what for: the attribution that every row carries.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Attribution {
    /// The tenant.
    #[serde(deserialize_with = "text::shared")]
    pub tenant: Arc<str>,
    /// The tenant's project.
    #[serde(deserialize_with = "text::shared")]
    pub project: Arc<str>,
    /// The key's public id.
    #[serde(deserialize_with = "text::shared")]
    pub key: Arc<str>,
    /// `x-lintel-feature`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub feature: Option<Arc<str>>,
    /// `x-lintel-user`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub user: Option<Arc<str>>,
    /// `x-lintel-session`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub session: Option<Arc<str>>,
    /// `x-lintel-tag-*`, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(Arc<str>, Arc<str>)>,
    /// The release that was served.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub release: Option<Arc<str>>,
    /// The prompt version that was rendered.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub prompt_version: Option<Arc<str>>,
    /// The experiment and its arm.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub experiment: Option<Arc<str>>,
    /// Hash of the policy that decided.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub policy_hash: Option<Arc<str>>,
}

/// An attempt is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispatched {
    /// The exchange.
    pub exchange: ExchangeId,
    /// The attempt's ordinal.
    pub attempt: u8,
    /// When.
    pub at: Timestamp,
    /// The node.
    pub node: NodeId,
    /// Why this attempt.
    pub leg: Leg,
    /// The client's surface.
    pub surface: Arc<str>,
    /// The route, or `provider/model` for a direct call.
    #[serde(deserialize_with = "text::shared")]
    pub route: Arc<str>,
    /// The provider.
    #[serde(deserialize_with = "text::shared")]
    pub provider: Arc<str>,
    /// The model at the provider.
    #[serde(deserialize_with = "text::shared")]
    pub model: Arc<str>,
    /// Who pays.
    pub who: Attribution,
    /// Input tokens by estimate: what an orphan is booked with.
    pub estimated_input: u64,
    /// Price of an input token at dispatch.
    #[serde(default, deserialize_with = "text::optional")]
    pub price: Option<Arc<str>>,
    /// What `estimated_input` costs.
    pub estimated_cost: Money,
    /// Hash of the configuration that decided.
    #[serde(deserialize_with = "text::shared")]
    pub config: Arc<str>,
}

/// One line of usage with its price: quantity × price, rounded once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeterLine {
    /// What was counted.
    pub meter: Meter,
    /// How much.
    pub quantity: u64,
    /// The price book entry; none when the policy let an unpriced model through.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub price: Option<Arc<str>>,
    /// What it costs.
    pub cost: Money,
}

/// One attempt of a settled exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// 1 for the first dispatch.
    pub ordinal: u8,
    /// Why it was made.
    pub leg: Leg,
    /// 1 for the first tier of the route.
    pub tier: u8,
    /// The provider.
    #[serde(deserialize_with = "text::shared")]
    pub provider: Arc<str>,
    /// The model at the provider.
    #[serde(deserialize_with = "text::shared")]
    pub model: Arc<str>,
    /// The provider's HTTP status, if an answer began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<FailureClass>,
    /// How far it had come when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why this target was chosen.
    #[serde(deserialize_with = "text::shared")]
    pub reason: Arc<str>,
    /// The provider's own request id.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub provider_request_id: Option<Arc<str>>,
    /// The surface that the target was called by, when the call was translated.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub spoken: Option<Arc<str>>,
    /// Objects that the provider keeps from now on, for this tenant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Made>,
    /// JSON paths of what could not be carried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped: Vec<Arc<str>>,
    /// JSON paths of what was said in another way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emulated: Vec<Arc<str>>,
    /// Start, in microseconds after the exchange's start.
    pub start_us: u64,
    /// To the first content, in microseconds after the attempt's start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_us: Option<u64>,
    /// To the end of the attempt, in microseconds after its start.
    pub duration_us: u64,
    /// What it used.
    pub lines: Vec<MeterLine>,
    /// Sum of the lines.
    pub cost: Money,
    /// The lines are our estimate.
    #[serde(default, skip_serializing_if = "is_false")]
    pub estimated: bool,
    /// The provider's numbers contradict each other.
    #[serde(default, skip_serializing_if = "is_false")]
    pub inconsistent: bool,
    /// No price was known, and the policy let it through.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unpriced: bool,
    /// The provider's usage as it stood in the answer; kept when it is inconsistent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_usage: Option<String>,
}

/// An exchange has ended: the request log's row and the ledger's rows are both made from this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The exchange.
    pub exchange: ExchangeId,
    /// Call, session or job.
    pub exchange_kind: ExchangeKind,
    /// 1 for the first settlement; corrections count on.
    pub sequence: u32,
    /// When it began.
    pub started: Timestamp,
    /// The node.
    pub node: NodeId,
    /// Who pays and what for.
    pub who: Attribution,
    /// The client's surface; none for a path that is no surface.
    pub surface: Option<Arc<str>>,
    /// The route that was named (bounded: unknown names are not kept here).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub route: Option<Arc<str>>,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// The priority that it was admitted with; none: normal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status sent, 0 when none was.
    pub status: u16,
    /// The error's stable code.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub code: Option<Arc<str>>,
    /// Whose fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Why it ended this way, for the person who reads the log.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub reason: Option<Arc<str>>,
    /// Every attempt, in the order of dispatch.
    pub attempts: Vec<AttemptRecord>,
    /// Sum over the attempts.
    pub cost: Money,
    /// First byte in to last byte out, in microseconds.
    pub duration_us: u64,
    /// First byte in to first content out, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_us: Option<u64>,
    /// Lintel's own share of the time to the first answer byte, in microseconds.
    pub overhead_us: u64,
    /// Bytes of the request's body.
    pub request_bytes: u64,
    /// Bytes of the answer's body.
    pub response_bytes: u64,
    /// The client's `x-request-id`: a correlation field, never an id.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub client_request_id: Option<Arc<str>>,
    /// The trace id of `traceparent`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub trace_id: Option<Arc<str>>,
    /// The subject of the certificate that the client showed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub client_subject: Option<Arc<str>>,
    /// `tier=2; cause=…` when the answer is not what the first tier would have given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub degraded: Option<Arc<str>>,
    /// Why the model stopped, in the provider's word.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "text::optional"
    )]
    pub finish_reason: Option<Arc<str>>,
    /// Hash of the configuration that decided.
    #[serde(deserialize_with = "text::shared")]
    pub config: Arc<str>,
}

fn is_false(b: &bool) -> bool {
    !*b
}
