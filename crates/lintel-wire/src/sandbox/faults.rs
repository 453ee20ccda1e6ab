//! Puts an answer on the time line, and breaks it where it is told to.

use bytes::{Bytes, BytesMut};

use super::answer::wait;
use super::config::{Malformed, SandboxConfig};
use super::dialect::Frame;
use super::script::{Script, Step};

const EVENTS: &str = "text/event-stream; charset=utf-8";
const JSON: &str = "application/json";
const HTML: &str = "<!DOCTYPE html><html><head><title>Sandbox</title></head><body><h1>Not the API</h1></body></html>\n";
/// The long line: so many pieces of so many bytes, 64 MB in all; every piece shares one allocation.
const LONG_PIECES: usize = 1024;
const LONG_PIECE: usize = 64 * 1024;

/// A stream's script: every frame is sent on its own. `faults` is the configuration when they strike.
pub(super) fn stream(
    events: Vec<Frame>,
    config: &SandboxConfig,
    faults: Option<&SandboxConfig>,
    error: impl Fn() -> Bytes,
) -> Script {
    let malformed = faults.and_then(|f| f.malformed);
    let first = wait(config.first_token);
    if malformed == Some(Malformed::Html) {
        return html(first);
    }
    let mut steps: Vec<Step> = first.into_iter().collect();
    let (torn, stall) = (
        faults.and_then(|f| f.torn_after),
        faults.and_then(|f| f.stall_after),
    );
    let broken = faults.and_then(|f| f.error_event_after);
    let events = if malformed == Some(Malformed::Empty) {
        Vec::new()
    } else {
        events
    };
    let (mut last, mut tokens) = (Step::End, 0u32);
    for (i, frame) in (0u32..).zip(events) {
        if torn == Some(i) || stall == Some(i) {
            last = if torn == Some(i) {
                Step::Tear
            } else {
                Step::Stall
            };
            break;
        }
        if broken == Some(i) {
            steps.push(Step::Send(error()));
            break;
        }
        if frame.token {
            steps.extend(wait(config.per_token).filter(|_| tokens > 0));
            tokens += 1;
        }
        match malformed.filter(|_| i == 1) {
            Some(Malformed::LongLine) => long_line(&mut steps, &frame.bytes),
            Some(what) => steps.push(Step::Send(spoil(&frame.bytes, what, b"\n\n"))),
            None => steps.push(Step::Send(frame.bytes)),
        }
    }
    steps.push(last);
    Script {
        status: 200,
        headers: vec![("content-type", EVENTS.to_owned())],
        stream: true,
        steps,
    }
}

/// A whole answer's script: it comes when its `tokens` would have been made.
pub(super) fn whole(
    body: Vec<u8>,
    tokens: u32,
    config: &SandboxConfig,
    faults: Option<&SandboxConfig>,
    error: impl Fn() -> Vec<u8>,
) -> Script {
    let generation = config
        .per_token
        .map(|p| p.0.saturating_mul(tokens.saturating_sub(1)));
    let total = config
        .first_token
        .map(|p| p.0)
        .unwrap_or_default()
        .saturating_add(generation.unwrap_or_default());
    let pause = wait(Some(super::config::Pause(total)));
    let malformed = faults.and_then(|f| f.malformed);
    if malformed == Some(Malformed::Html) {
        return html(pause);
    }
    let body = Bytes::from(if faults.is_some_and(|f| f.error_event_after.is_some()) {
        error()
    } else {
        body
    });
    let mut steps: Vec<Step> = pause.into_iter().collect();
    let half = |body: &Bytes| Step::Send(body.slice(..body.len() / 2));
    match (
        malformed,
        faults.and_then(|f| f.torn_after),
        faults.and_then(|f| f.stall_after),
    ) {
        (Some(Malformed::Empty), ..) => steps.push(Step::End),
        (Some(Malformed::LongLine), ..) => {
            long_line(&mut steps, &body);
            steps.push(Step::End);
        }
        (Some(what), ..) => steps.extend([Step::Send(spoil(&body, what, b"")), Step::End]),
        (None, Some(_), _) => steps.extend([half(&body), Step::Tear]),
        (None, None, Some(_)) => steps.extend([half(&body), Step::Stall]),
        (None, None, None) => steps.extend([Step::Send(body), Step::End]),
    }
    Script {
        status: 200,
        headers: vec![("content-type", JSON.to_owned())],
        stream: false,
        steps,
    }
}

fn html(pause: Option<Step>) -> Script {
    let steps = pause
        .into_iter()
        .chain([Step::Send(Bytes::from_static(HTML.as_bytes())), Step::End])
        .collect();
    Script {
        status: 200,
        headers: vec![("content-type", "text/html; charset=utf-8".to_owned())],
        stream: false,
        steps,
    }
}

/// `bytes` cut in half, or with a byte in its middle that UTF-8 never has; `tail` follows.
fn spoil(bytes: &Bytes, what: Malformed, tail: &[u8]) -> Bytes {
    let text = bytes.strip_suffix(tail).unwrap_or(bytes);
    let (head, rest) = text.split_at_checked(middle(text)).unwrap_or((text, b""));
    let mut out = BytesMut::from(head);
    if what == Malformed::Utf8 {
        out.extend_from_slice(b"\xff\xfe");
        out.extend_from_slice(rest);
    }
    out.extend_from_slice(tail);
    out.freeze()
}

/// `bytes` with 64 MB of `x` inside the model's name: one line, and still JSON.
fn long_line(steps: &mut Vec<Step>, bytes: &Bytes) {
    let at = middle(bytes);
    let piece = Bytes::from(vec![b'x'; LONG_PIECE]);
    steps.push(Step::Send(bytes.slice(..at)));
    steps.extend(std::iter::repeat_n(Step::Send(piece), LONG_PIECES));
    steps.push(Step::Send(bytes.slice(at..)));
}

/// Where to break in: right after the first opening quote of a string value, else halfway.
fn middle(bytes: &[u8]) -> usize {
    bytes
        .windows(2)
        .position(|pair| pair == b":\"")
        .map_or(bytes.len() / 2, |at| at + 2)
}
