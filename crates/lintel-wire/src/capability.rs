//! The capability matrix: what a client of one surface can have of a target that speaks another, found by trying it.
//!
//! Nothing here is typed in by hand: a probe (a request or an answer in canonical form that uses one feature) is
//! written in the client's dialect, read back as the gateway reads it, and written for the target; what the
//! dialects drop, emulate or keep is the matrix. So it can't say what the code doesn't do.

use lintel_types::Surface;
use lintel_types::canon::{Reply, Request};

use crate::dialect::{self, Dialect, Encoded, Target, Way};
use crate::hosts::{self, Host};
use crate::provider::Spoken;
use crate::surface::{self, Place};

mod features;
mod page;
mod probes;

pub use features::FEATURES;
pub use page::{of, page};

/// One thing that a call may use.
pub struct Feature {
    /// Its name, as the matrix shows it.
    pub name: &'static str,
    /// What is tried.
    pub probe: Probe,
}

/// What is tried.
pub enum Probe {
    /// A request that uses the feature, and whether a request still does.
    Asks(fn(&mut Request), fn(&Request) -> bool),
    /// An answer that uses the feature, and whether an answer still does.
    Answers(fn(&mut Reply), fn(&Reply) -> bool),
}

/// What becomes of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// Client and target speak the same: bytes pass.
    Native,
    /// It arrives as it was meant.
    Translated,
    /// It arrives in another way that comes near; the answer says so.
    Emulated,
    /// It is left out and named, or the target is passed over: as the route says.
    Refused,
    /// The client's own dialect (or the target's, for what stands in answers) has no word for it.
    Absent,
}

impl Support {
    /// The word in the matrix.
    pub const fn name(self) -> &'static str {
        match self {
            Support::Native => "native",
            Support::Translated => "translated",
            Support::Emulated => "emulated",
            Support::Refused => "refused",
            Support::Absent => "–",
        }
    }
}

/// What becomes of `feature` when a client of `from` reaches a target that is called as `to`.
pub fn support(feature: &Feature, from: Surface, to: Spoken, at: Target<'_>) -> Support {
    let (Some(client), Some(target)) = (dialect::of(from), dialect::of(to.surface)) else {
        return if from == to.surface {
            Support::Native
        } else {
            Support::Refused
        };
    };
    let found = match feature.probe {
        Probe::Asks(set, kept) => asks(client, target, at, set, kept),
        Probe::Answers(set, kept) => answers(client, target, at, set, kept),
    };
    match found {
        Support::Absent => Support::Absent,
        _ if from == to.surface => Support::Native,
        other => other,
    }
}

fn asks(
    client: &dyn Dialect,
    target: &dyn Dialect,
    at: Target<'_>,
    set: fn(&mut Request),
    kept: fn(&Request) -> bool,
) -> Support {
    let mut probe = probes::plain_request();
    set(&mut probe);
    let written = client.encode_request(&probe, &fullest(client.surface()));
    let Some(asked) = read_back(client, &written).filter(|r| clean(&written) && kept(r)) else {
        return Support::Absent;
    };
    let sent = target.encode_request(&asked, &at);
    if !sent.notes.dropped.is_empty() {
        return Support::Refused;
    }
    if !sent.notes.emulated.is_empty() {
        return Support::Emulated;
    }
    match read_back(target, &sent) {
        Some(arrived) if kept(&arrived) => Support::Translated,
        // Gone, and not named: the tests of this file refuse that.
        _ => Support::Refused,
    }
}

fn answers(
    client: &dyn Dialect,
    target: &dyn Dialect,
    at: Target<'_>,
    set: fn(&mut Reply),
    kept: fn(&Reply) -> bool,
) -> Support {
    let way = probes::way(at.host);
    let mut probe = probes::plain_reply();
    set(&mut probe);
    let given = target.encode_reply(&probe, &way);
    let read = |dialect: &dyn Dialect, from: &Encoded, way: &Way| {
        dialect.decode_reply(&from.body, way).ok()
    };
    let Some(reply) = read(target, &given, &way).filter(|r| clean(&given) && kept(r)) else {
        return Support::Absent;
    };
    let shown = client.encode_reply(&reply, &way);
    if !shown.notes.dropped.is_empty() {
        return Support::Refused;
    }
    if !shown.notes.emulated.is_empty() {
        return Support::Emulated;
    }
    match read(client, &shown, &way) {
        Some(arrived) if kept(&arrived) => Support::Translated,
        _ => Support::Refused,
    }
}

fn clean(encoded: &Encoded) -> bool {
    encoded.notes.dropped.is_empty() && encoded.notes.emulated.is_empty()
}

/// The request as the gateway reads it.
fn read_back(dialect: &dyn Dialect, written: &Encoded) -> Option<Request> {
    let place = Place {
        model: Some("m".into()),
        stream: false,
        object: None,
    };
    let head = surface::spec(dialect.surface())
        .head(&written.body, &place)
        .ok()?;
    dialect.decode_request(&written.body, &head).ok()
}

/// The target whose host knows every word of a surface's dialect: a client may use them all.
fn fullest(surface: Surface) -> Target<'static> {
    let generic = hosts::generic(surface.protocol());
    let named = |name: &str| hosts::by_name(name).unwrap_or(generic);
    let host: &'static Host = match surface.name() {
        "openai.chat" => named("openrouter"),
        "openai.responses" => named("openai"),
        _ => hosts::HOSTS
            .iter()
            .find(|h| h.protocol == surface.protocol())
            .unwrap_or(generic),
    };
    Target {
        model: probes::newest_model(surface),
        host,
    }
}

#[cfg(test)]
mod tests;
