//! What a simulated answer is: a status, headers and timed steps. Data; whoever plays it owns the clock.

use std::time::Duration;

use bytes::Bytes;

/// A provider's whole answer, as a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The HTTP status.
    pub status: u16,
    /// The headers, without framing (no content-length, no transfer-encoding). Names are lower case.
    pub headers: Vec<(&'static str, String)>,
    /// Whether the body is an event stream.
    pub stream: bool,
    /// What happens, in order. The head leaves with the first [`Step::Send`] or [`Step::End`]: a wait
    /// in front of it delays the head. The last step is `End`, `Tear` or `Stall`.
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing is sent for this long.
    Wait(Duration),
    /// These bytes of the body are sent at once.
    Send(Bytes),
    /// The body ends properly.
    End,
    /// The connection closes without the body's proper end.
    Tear,
    /// Nothing is ever sent again; the connection stays open.
    Stall,
}
