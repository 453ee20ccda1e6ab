//! The matrix as a page: one table a client's surface, a column a provider's protocol.

use std::fmt::Write as _;

use lintel_types::{Protocol, Surface};

use super::{FEATURES, Feature, Support, probes, support};
use crate::dialect::{self, Target};
use crate::hosts::{self, Host};
use crate::provider::{PROVIDERS, speak};
use crate::surface::SURFACES;

/// The generated part of `docs/compatibility.md`.
pub fn page() -> String {
    let mut out = String::new();
    for surface in SURFACES.iter().map(|s| s.surface()) {
        if dialect::of(surface).is_some() {
            table(surface, &mut out);
        }
    }
    others(&mut out);
    out
}

/// What stands in one cell: every feature of a surface at a provider.
pub fn of(surface: Surface, protocol: Protocol, feature: &Feature) -> Support {
    let host = representative(protocol);
    match speak(protocol, host, surface, None) {
        None => Support::Refused,
        Some(spoken) => {
            let model = probes::newest_model(spoken.surface);
            support(feature, surface, spoken, Target { model, host })
        }
    }
}

/// The protocol's first host: whose protocol it is.
fn representative(protocol: Protocol) -> &'static Host {
    let own = hosts::HOSTS.iter().find(|h| h.protocol == protocol);
    own.unwrap_or(hosts::generic(protocol))
}

fn protocols() -> impl Iterator<Item = Protocol> {
    PROVIDERS.iter().map(|p| p.protocol())
}

fn head(first: &str, out: &mut String) {
    // Writing to a String can't fail.
    let _ = write!(out, "| {first} |");
    protocols().for_each(|p| {
        let _ = write!(out, " {} |", p.name());
    });
    out.push_str("\n|---|");
    protocols().for_each(|_| out.push_str("---|"));
    out.push('\n');
}

fn table(surface: Surface, out: &mut String) {
    let _ = writeln!(out, "### A client of `{}`\n", surface.name());
    head("what the call uses", out);
    for feature in FEATURES {
        let cells: Vec<Support> = protocols().map(|p| of(surface, p, feature)).collect();
        // A word that the client's dialect doesn't have is no line of its table.
        if cells.iter().all(|c| *c == Support::Absent) {
            continue;
        }
        let _ = write!(out, "| {} |", feature.name);
        for cell in cells {
            let _ = write!(out, " {} |", cell.name());
        }
        out.push('\n');
    }
    out.push('\n');
}

/// Surfaces that are no conversation: bytes pass, or the call is refused.
fn others(out: &mut String) {
    out.push_str("### Surfaces that are not translated\n\n");
    head("surface", out);
    for surface in SURFACES.iter().map(|s| s.surface()) {
        if dialect::of(surface).is_some() {
            continue;
        }
        let _ = write!(out, "| `{}` |", surface.name());
        for protocol in protocols() {
            let spoken = speak(protocol, representative(protocol), surface, None);
            let cell = match spoken {
                Some(_) => Support::Native,
                None => Support::Refused,
            };
            let _ = write!(out, " {} |", cell.name());
        }
        out.push('\n');
    }
}
