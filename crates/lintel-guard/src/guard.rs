//! What a guard is: text and labels in, a verdict out. Incremental for streams.
//!
//! A guard must not know sockets, routes or time. It may hold a stream's last bytes until it can
//! judge them, and says how far it has settled.

use lintel_types::{ContentPart, Verdict};

/// Which way the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To a provider.
    Request,
    /// To a client.
    Reply,
}

/// What is judged. Edits of the verdict are byte ranges of `bytes`.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Which way it goes.
    pub direction: Direction,
    /// All of it.
    pub bytes: &'a [u8],
    /// Its content parts, by reference into `bytes`; empty for replies.
    pub parts: &'a [ContentPart],
}

/// A guard.
pub trait Guard: Send + Sync {
    /// Its name, in configuration and reasons.
    fn name(&self) -> &'static str;
    /// Judges a whole body.
    fn judge(&self, subject: &Subject<'_>) -> Verdict;
    /// Begins to judge a stream.
    fn stream(&self) -> Box<dyn StreamGuard>;
}

/// How far a guard has come in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Bytes from the stream's start about which the guard will not change its mind.
    pub settled: u64,
    /// What it says about them. Edits are byte ranges from the stream's start, inside what is settled.
    pub verdict: Verdict,
}

/// A guard at work on one stream.
pub trait StreamGuard: Send {
    /// Takes the next bytes.
    fn push(&mut self, bytes: &[u8]) -> Progress;
    /// The stream has ended: everything is settled now.
    fn finish(&mut self) -> Progress;
}
