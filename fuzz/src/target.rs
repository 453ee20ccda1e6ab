//! The list of targets. A new one is a file in `targets`, its `mod` line and its entry here.

use crate::corpus::Part;
use crate::targets;

/// One fuzz target.
#[derive(Debug)]
pub struct Target {
    /// Its name: `make fuzz TARGET=name`, and its folder in `fuzz/corpus`.
    pub name: &'static str,
    /// The laws that it holds, as one line.
    pub laws: &'static str,
    /// Runs it on one input; panics when a law is broken.
    pub run: fn(&[u8]),
    /// What of the recorded calls is a seed.
    pub(crate) seeds: Part,
    /// Words of its language, for the mutator.
    pub words: &'static [&'static str],
}

/// Every target.
pub const TARGETS: &[Target] = &[
    targets::json::TARGET,
    targets::heads::TARGET,
    targets::places::TARGET,
    targets::requests::TARGET,
    targets::replies::TARGET,
    targets::streams::TARGET,
    targets::sse::TARGET,
    targets::aws_frames::TARGET,
    targets::errors::TARGET,
    targets::headers::TARGET,
    targets::sigv4::TARGET,
    targets::config::TARGET,
    targets::prices::TARGET,
    targets::journal::TARGET,
];

/// The target called `name`.
pub fn by_name(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|t| t.name == name)
}
