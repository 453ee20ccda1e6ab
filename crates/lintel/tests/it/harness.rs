//! What the tests stand on: a process under test, a provider that follows a script, a client that sends exact bytes.

pub(crate) mod books;
pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod dialect;
pub(crate) mod doors;
pub(crate) mod http;
pub(crate) mod metrics;
pub(crate) mod process;
pub(crate) mod provider;
pub(crate) mod script;
pub(crate) mod stage;
pub(crate) mod temp;
pub(crate) mod tongues;
pub(crate) mod wait;

pub(crate) use books::Row;
pub(crate) use client::{Client, Request};
pub(crate) use config::{Config, Route};
pub(crate) use dialect::{FACES, Face};
pub(crate) use doors::{DOORS, Door, Tongue};
pub(crate) use metrics::Metrics;
pub(crate) use process::Lintel;
pub(crate) use provider::{Provider, Seen};
pub(crate) use script::{Act, Script};
pub(crate) use stage::Stage;
pub(crate) use tongues::Speech;
pub(crate) use wait::{eventually, until};
