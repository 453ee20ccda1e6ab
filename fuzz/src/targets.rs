//! The targets, a file each.

pub(crate) mod aws_frames;
pub(crate) mod config;
pub(crate) mod errors;
pub(crate) mod headers;
pub(crate) mod heads;
pub(crate) mod journal;
pub(crate) mod json;
pub(crate) mod places;
pub(crate) mod prices;
pub(crate) mod replies;
pub(crate) mod requests;
pub(crate) mod sigv4;
pub(crate) mod sse;
pub(crate) mod streams;
