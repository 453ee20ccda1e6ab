//! A running gateway: its parts put together, watched, and taken apart again.
//!
//! Decides the order of start and stop and nothing about calls.

mod books;
mod boot;
mod calls;
mod declare;
mod development;
mod files;
mod hand_over;
mod keepers;
mod lines;
mod listeners;
mod notify;
pub(crate) mod outcome;
mod predecessor;
mod process;
mod reloader;
mod rounds;
mod stop;
mod talk;
mod token;
pub(crate) mod upgrade;
mod wait;
mod watch;

pub(crate) use boot::run;
