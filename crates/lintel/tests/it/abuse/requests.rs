//! The bad-input matrix: every fault at every door that it applies to, in every phase that it can stand in.

use std::collections::BTreeMap;
use std::net::Shutdown;

use super::bodies::BODIES;
use super::heads::HEADS;
use super::keyring::{Keyring, keys};
use crate::harness::client::Reply;
use crate::harness::config::UPSTREAM_SECRET;
use crate::harness::http::chunk;
use crate::harness::{Client, DOORS, Door, Metrics, Request, Script, Seen, Stage};

/// What a row must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The code; empty for a success.
    pub(super) code: &'static str,
}

pub(super) const fn answer(status: u16, code: &'static str) -> Answer {
    Answer { status, code }
}

/// A request that is wrong in one thing.
pub(super) struct Fault {
    /// What is wrong.
    pub(super) name: &'static str,
    /// The request at a door; none where the fault can't be made there.
    pub(super) make: fn(&Door, &Keyring) -> Option<Request>,
    pub(super) answer: Answer,
    /// Whether it is about the body: then it comes whole and in chunks.
    pub(super) of_body: bool,
}

/// How a request comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// On a new connection, with its length.
    Whole,
    /// On a new connection, in chunks.
    Chunked,
    /// On a connection that has carried a good call.
    Kept,
    /// Half of the body, and then nothing more.
    Cut,
}

/// The cap on bodies in this matrix.
pub(super) const CAP: usize = 64 * 1024;

pub(super) fn faults() -> impl Iterator<Item = &'static Fault> {
    BODIES.iter().chain(HEADS).chain(keys())
}

/// A good answer for whatever door the provider is asked through. What reaches a provider may hold numbers that this
/// test's own reader has no room for.
pub(super) fn choose(seen: &Seen) -> Script {
    if readable(seen) {
        return crate::soak::choose(seen);
    }
    let asked = String::from_utf8_lossy(&seen.body).contains("\"stream\":true");
    let face = crate::harness::Face::Openai;
    if asked {
        Script::stream(face.events())
    } else {
        Script::json("200 OK", face.answer())
    }
}

fn readable(seen: &Seen) -> bool {
    seen.body.is_empty() || serde_json::from_slice::<serde_json::Value>(&seen.body).is_ok()
}

fn phases(fault: &Fault, request: &Request) -> Vec<Phase> {
    let body = request.body_len();
    let mut phases = vec![Phase::Whole, Phase::Kept];
    if fault.of_body && body > 0 {
        phases.push(Phase::Chunked);
    }
    // A body that broke off is told so whatever is wrong with it; but what is wrong with the head comes first.
    if fault.of_body && body > 1 && body < CAP {
        phases.push(Phase::Cut);
    }
    phases
}

/// Sends `request` as `phase` says; the answer, and the connection.
fn send(
    stage: &Stage,
    keys: &Keyring,
    request: &Request,
    phase: Phase,
    calls: &mut Count,
) -> (std::io::Result<Reply>, Client) {
    let mut client = stage.connect();
    if phase == Phase::Kept {
        good(&mut client, keys, calls);
    }
    let sent = match phase {
        Phase::Whole | Phase::Kept => client.send(&request.bytes()),
        Phase::Chunked => {
            let (head, body) = request.unframed();
            let (first, second) = body.split_at(body.len() / 2);
            let pieces = [first, second].map(|p| if p.is_empty() { Vec::new() } else { chunk(p) });
            client.send(&[head, pieces.concat(), b"0\r\n\r\n".to_vec()].concat())
        }
        Phase::Cut => {
            let bytes = request.bytes();
            let sent = client.send(&bytes[..bytes.len() - request.body_len() / 2]);
            client.shutdown(Shutdown::Write);
            sent
        }
    };
    // A peer that has seen enough may close before all is sent.
    let _ = sent;
    (client.try_reply(), client)
}

/// Calls made and errors told, by code.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) calls: usize,
    pub(super) codes: BTreeMap<String, usize>,
}

/// A good call on `client`.
fn good(client: &mut Client, keys: &Keyring, calls: &mut Count) {
    let reply = client.call(&Door::called("chat").request(&keys.good, "up/m"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    calls.calls += 1;
}

/// What no answer may hold.
fn nothing_leaks(stage: &Stage, keys: &Keyring, reply: &Reply, what: &str) {
    let text = format!("{:?} {}", reply.head, reply.text());
    let address = stage.provider.addr.to_string();
    for secret in [UPSTREAM_SECRET, &address].into_iter().chain(keys.all()) {
        assert!(!text.contains(secret), "{what}: {secret} in {text}");
    }
}

/// Tries one fault at one door in one phase; what it came to, if that is wrong.
fn try_one(
    stage: &Stage,
    keys: &Keyring,
    door: &Door,
    fault: &Fault,
    phase: Phase,
    calls: &mut Count,
) -> Option<String> {
    let request = (fault.make)(door, keys)?;
    let what = format!("{} at {}, {phase:?}", fault.name, door.name);
    let (reply, mut client) = send(stage, keys, &request, phase, calls);
    let reply = match reply {
        Ok(reply) => reply,
        Err(e) => return Some(format!("{what}: no answer: {e}")),
    };
    calls.calls += 1;
    let wanted = if phase == Phase::Cut {
        answer(400, "incomplete_body")
    } else {
        fault.answer
    };
    let code = if reply.status < 400 {
        String::new()
    } else {
        code_of(door, &request, &reply)
    };
    if !code.is_empty() {
        *calls.codes.entry(code.clone()).or_default() += 1;
    }
    nothing_leaks(stage, keys, &reply, &what);
    if (reply.status, code.as_str()) != (wanted.status, wanted.code) {
        return Some(format!(
            "{what}: {} `{code}`, not {} `{}`: {}",
            reply.status,
            wanted.status,
            wanted.code,
            reply.text()
        ));
    }
    if wanted.status >= 400 {
        assert_eq!(
            reply.header("x-lintel-error-origin"),
            Some("client"),
            "{what}"
        );
        assert_eq!(reply.header("x-should-retry"), Some("false"), "{what}");
        assert!(
            reply
                .header("x-request-id")
                .is_some_and(|id| id.starts_with("ex_")),
            "{what}"
        );
        assert_eq!(
            reply.header("allow").is_some(),
            wanted.status == 405,
            "{what}"
        );
        assert_eq!(
            reply.header("x-lintel-attempts"),
            None,
            "{what}: a provider was asked"
        );
    }
    // Refused after its body was read: the connection is as good as before.
    if fault.of_body && phase == Phase::Kept && request.body_len() < CAP {
        good(&mut client, keys, calls);
    }
    None
}

/// The code in the door's dialect; where the path names no door any more, in whichever dialect answers.
fn code_of(door: &Door, request: &Request, reply: &Reply) -> String {
    // What is no call is answered in the dialect that its key's header speaks of.
    if door.has_body() && request.is_at(&door.path_for(MODEL)) {
        return door.code_of(reply);
    }
    let json = reply.json();
    let told = ["/error/details/0/reason", "/error/code", "/code"];
    let told = told.iter().find_map(|p| json.pointer(p)?.as_str());
    told.unwrap_or_else(|| panic!("no code: {json}")).to_owned()
}

/// The model that requests name.
pub(super) const MODEL: &str = "up/m";

/// Every row once; what is wrong.
pub(super) fn all(stage: &Stage, keys: &Keyring, calls: &mut Count) -> Vec<String> {
    let mut wrong = Vec::new();
    for fault in faults() {
        for door in DOORS {
            let Some(request) = (fault.make)(door, keys) else {
                continue;
            };
            for phase in phases(fault, &request) {
                wrong.extend(try_one(stage, keys, door, fault, phase, calls));
            }
        }
    }
    wrong
}

pub(super) fn stage() -> Stage {
    Stage::with(choose, |c| {
        c.limit("body", "64KB").limit("header_timeout", "5s")
    })
}

#[test]
fn every_bad_request_gets_its_documented_answer() {
    let stage = stage();
    let keys = Keyring::of(&stage);
    let mut calls = Count::default();
    let before = Metrics::of(&stage.lintel).calls(&[]) as usize;
    let wrong = all(&stage, &keys, &mut calls);
    println!("{} calls", calls.calls);
    assert!(
        wrong.is_empty(),
        "{} of {} wrong:\n{}",
        wrong.len(),
        calls.calls,
        wrong.join("\n")
    );
    stage.idle();
    let metrics = Metrics::of(&stage.lintel);
    assert_eq!(
        metrics.calls(&[]) as usize - before,
        calls.calls,
        "every call is counted once"
    );
    for (code, count) in &calls.codes {
        let counted = metrics.sum("lintel_errors_total", &[("code", code), ("side", "client")]);
        assert!(
            counted as usize >= *count,
            "{code}: {counted} counted of {count}"
        );
    }
    // Nothing but good calls reached the provider.
    let odd = |s: &std::sync::Arc<Seen>| readable(s) && s.model() != "m";
    assert!(!stage.provider.seen().iter().any(odd));
    stage.quiet();
}
