//! The simulated provider: answers as the real APIs do, without a model.
//!
//! Decides what a provider would answer, and when, as a [`Script`]: data that the gateway plays. It
//! must not know sockets, tasks, clocks or a random source; the same arguments always give the same
//! script. Invariant: what one request is answered as a stream and as a whole is the same text, the
//! same calls and the same usage.
//!
//! # Behaviour from the model name
//!
//! A model named `sandbox` behaves as configured ([`SandboxConfig`]). Options follow after dashes and
//! override the configuration, so that a test needs none: `sandbox-d60-i10-n20` answers 20 tokens,
//! the first after 60 ms, one every 10 ms. A model that is neither `sandbox` nor starts with
//! `sandbox-` has no options in its name.
//!
//! ```text
//! model  = "sandbox" *( "-" option )
//! option = word [ number ]          ; one of sandbox::OPTIONS
//! ```
//!
//! An option that isn't in the list, or lacks its number, is answered with 404 `model_not_found`
//! naming it. The list with a sentence for each is [`OPTIONS`]; `docs/sandbox.md` shows it.
//!
//! # Rules
//!
//! - A token is as many characters as fit in four bytes: output tokens are counted so, and a stream
//!   sends one token an event. Input tokens are the bytes of all strings in the conversation, the
//!   system prompt and the tools, divided by four, rounded up.
//! - The text derives from the request alone. The seed decides ids, and whether a fault strikes.

mod answer;
mod anthropic;
mod ask;
mod config;
mod dialect;
mod dice;
mod errors;
mod faults;
mod fill;
mod name;
mod number;
mod openai;
mod pattern;
mod reply;
mod schema;
mod script;
#[cfg(test)]
mod tests;
mod text;

pub use answer::{answer, speaks};
pub use config::{Malformed, Pause, Percent, SandboxConfig, Status, UsageReport};
pub use name::{OPTIONS, OptionRow};
pub use script::{Script, Step};
