//! A running gateway: its parts put together, watched, and taken apart again.
//!
//! Decides the order of start and stop and nothing about calls.

mod books;
mod boot;
mod calls;
mod declare;
mod development;
mod files;
mod lines;
mod listeners;
mod process;
mod reloader;
mod stop;
mod token;
mod wait;
mod watch;

pub(crate) use boot::run;
