//! Typed events to metrics and log lines (floor 1).
//!
//! Decides what is counted, under which name and label, and what a log line holds. Knows no socket,
//! no file and no clock: whoever writes lines or serves `/metrics` is above, and times are arguments.
//! Nothing here can block or exhaust the data plane: label sets, label lengths and the line queue are
//! bounded, and what does not fit is counted.

pub mod call_line;
pub mod cell;
pub mod event;
mod expose;
pub mod lines;
pub mod log_page;
pub mod metrics;
pub mod names;
pub mod page;
mod plain;
mod series;
mod settings;
mod settled;
mod shed;
pub mod transport;
mod upstream;

pub use call_line::CallLine;
pub use event::{Field, Level, LogEvent};
pub use lines::{LineReader, LineWriter};
pub use metrics::{AdminRefusal, Held, Metrics, Process, Reload};
pub use settings::{Form, REFUSALS_A_SECOND, Settings};
pub use shed::Shed;
pub use transport::{Cut, Handshake, Listener};
pub use upstream::OpenConnection;
