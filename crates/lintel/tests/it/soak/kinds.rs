//! The kinds of traffic: what each client does, what the provider does for it, and what must be booked.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::harness::{Act, Client, Door, Face, Request, Script, Seen, Speech, Stage, dialect};

/// What one client does again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Calls, reads the whole answer, on one connection.
    Polite,
    /// The same on a new connection each time.
    Churning,
    /// Reads a stream's first content and hangs up, politely or with a reset in turn.
    HangsUp,
    /// Reads a stream a little at a time.
    Slow,
    /// Sends a good call after a head that never ends was begun on another connection, and left.
    Slowloris,
}

/// One kind of traffic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// Its name: the feature under which the ledger books it.
    pub(crate) name: &'static str,
    pub(crate) door: &'static str,
    /// The model that is called: a route or `provider/model`.
    model: &'static str,
    pub(crate) route: Option<(&'static str, &'static str)>,
    manner: Manner,
    /// The status that every call gets.
    status: u16,
    /// Whether a provider was asked: then the ledger has the call.
    pub(crate) dispatched: bool,
    /// Tokens of one call, where the provider says them.
    pub(crate) tokens: Option<u64>,
}

const fn kind(
    name: &'static str,
    door: &'static str,
    model: &'static str,
    tokens: Option<u64>,
) -> Kind {
    Kind {
        name,
        door,
        model,
        route: None,
        manner: Manner::Polite,
        status: 200,
        dispatched: true,
        tokens,
    }
}

const fn manner(manner: Manner, kind: Kind) -> Kind {
    Kind { manner, ..kind }
}

const fn refused(status: u16, kind: Kind) -> Kind {
    Kind {
        status,
        dispatched: false,
        tokens: Some(0),
        ..kind
    }
}

const fn failing(
    name: &'static str,
    door: &'static str,
    route: (&'static str, &'static str),
    status: u16,
) -> Kind {
    Kind {
        route: Some(route),
        status,
        ..kind(name, door, route.0, None)
    }
}

/// Every kind; one thread each.
pub(crate) const KINDS: &[Kind] = &[
    kind("chat", "chat", "up/m", Some(12)),
    kind("chat-stream", "chat, streamed", "up/m", Some(12)),
    kind("messages", "messages", "claude/m", Some(12)),
    kind(
        "messages-stream",
        "messages, streamed",
        "claude/m",
        Some(12),
    ),
    kind("chat-to-claude", "chat, streamed", "claude/m", Some(12)),
    kind("messages-to-openai", "messages, streamed", "up/m", Some(12)),
    kind("responses", "responses", "claude/m", Some(12)),
    kind("gemini", "gemini", "up/m", Some(12)),
    kind("gemini-stream", "gemini, streamed", "claude/m", Some(12)),
    kind("converse", "converse", "claude/m", Some(12)),
    kind("converse-stream", "converse, streamed", "up/m", Some(12)),
    kind("embeddings", "embeddings", "up/m", Some(12)),
    kind("completions", "completions", "up/m", Some(12)),
    manner(
        Manner::Churning,
        kind("new-connections", "chat", "up/m", Some(12)),
    ),
    manner(
        Manner::HangsUp,
        kind("hang-ups", "chat, streamed", "up/long", None),
    ),
    manner(
        Manner::HangsUp,
        kind("hang-ups-translated", "messages, streamed", "up/long", None),
    ),
    manner(
        Manner::Slow,
        kind("slow-readers", "chat, streamed", "up/long", Some(12)),
    ),
    manner(
        Manner::Slowloris,
        kind("slow-heads", "messages", "claude/m", Some(12)),
    ),
    refused(404, kind("no-such-model", "chat", "nowhere/m", None)),
    refused(400, kind("no-json", "gemini", "up/bad-request", None)),
    failing("provider-500", "chat", ("fails", "up/500"), 500),
    failing("provider-cut", "messages", ("cut", "claude/cut"), 502),
    failing(
        "provider-nonsense",
        "chat",
        ("nonsense", "claude/nonsense"),
        502,
    ),
    failing("provider-resets", "converse", ("resets", "up/reset"), 502),
];

/// What the clients counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
}

impl Tally {
    /// What must be booked: calls, and tokens where they are known.
    pub(crate) fn wanted(&self, kind: &Kind) -> (u64, Option<u64>) {
        let requests = if kind.dispatched { self.calls } else { 0 };
        (requests, kind.tokens.map(|t| t * self.calls))
    }
}

const VECTORS: &str = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-0.5]}],"model":"m","usage":{"prompt_tokens":12,"total_tokens":12}}"#;
const TEXT: &str = r#"{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"text":"hello","index":0,"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}"#;

/// What the provider does.
pub(crate) fn choose(seen: &Seen) -> Script {
    let path = seen.head.start.split(' ').nth(1).unwrap_or_default();
    match path {
        "/v1/embeddings" => return Script::json("200 OK", VECTORS.as_bytes()),
        "/v1/responses" if seen.stream() => return Script::stream(&Speech::Responses.events()),
        "/v1/responses" => return Script::json("200 OK", Speech::Responses.answer()),
        "/v1/completions" => return Script::json("200 OK", TEXT.as_bytes()),
        _ if path.starts_with("/v1/messages/count_tokens") => {
            return Script::json("200 OK", br#"{"input_tokens":9}"#);
        }
        _ => {}
    }
    let face = dialect::face_of(seen);
    match seen.model().as_str() {
        "500" => Script::json("500 Internal Server Error", face.provider_error("server_error", "not today").as_bytes()),
        "cut" => Script::default().raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{\"id\":").then(Act::Close),
        "nonsense" => Script::json("200 OK", b"<html>"),
        "reset" => Script::default().then(Act::Reset),
        "long" => long(face),
        _ => dialect::answer(seen),
    }
}

/// A stream of some 60 KB, a piece every few milliseconds.
fn long(face: Face) -> Script {
    let events = face.events();
    let at = events.iter().position(|e| e.contains("hel")).unwrap();
    let piece = events[at].replacen("hel", &"x".repeat(500), 1);
    let mut script = events[..=at]
        .iter()
        .fold(Script::stream_head(), |s, e| s.chunk(e.as_bytes()));
    for _ in 0..60 {
        script = script
            .then(Act::Wait(Duration::from_millis(5)))
            .chunk(piece.as_bytes());
    }
    events[at + 1..]
        .iter()
        .fold(script, |s, e| s.chunk(e.as_bytes()))
        .end()
}

/// Runs one kind until told to stop.
pub(crate) fn run(stage: &Stage, kind: &Kind, stop: &AtomicBool) -> Tally {
    let mut tally = Tally::default();
    let mut client = stage.connect();
    // A long run leaves the machine some air: it is about time, not about load.
    let long = std::env::var_os("LINTEL_SOAK").is_some();
    let pause = Duration::from_millis(if long { 100 } else { 20 });
    while !stop.load(Ordering::Relaxed) {
        tally.calls += 1;
        let request = request(stage, kind);
        match kind.manner {
            Manner::Polite => whole(&mut client, kind, &request),
            Manner::Churning => whole(&mut stage.connect(), kind, &request),
            Manner::HangsUp => hang_up(stage, kind, &request, tally.calls),
            Manner::Slow => slowly(stage, kind, &request),
            Manner::Slowloris => {
                let mut other = stage.connect();
                let _ = other.send(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-slow: ");
                whole(&mut client, kind, &request);
                let _ = other.send(b"y");
            }
        }
        if tally.calls.is_multiple_of(200) {
            client = stage.connect();
        }
        std::thread::sleep(pause);
    }
    tally
}

fn request(stage: &Stage, kind: &Kind) -> Request {
    let door = Door::called(kind.door);
    let request = door
        .request(&stage.key.secret, kind.model)
        .header("x-lintel-feature", kind.name);
    if kind.model == "up/bad-request" {
        request.body("{\"contents\":")
    } else {
        request
    }
}

fn whole(client: &mut Client, kind: &Kind, request: &Request) {
    let reply = client.call(request);
    assert_eq!(reply.status, kind.status, "{}: {}", kind.name, reply.text());
    assert!(reply.ended.is_ok(), "{}: {reply:?}", kind.name);
}

fn hang_up(stage: &Stage, kind: &Kind, request: &Request, call: u64) {
    let mut client = stage.connect();
    client.send(&request.bytes()).unwrap();
    let head = client.head().unwrap();
    assert!(head.start.contains(" 200 "), "{}: {head:?}", kind.name);
    let _ = client.piece().unwrap();
    if call.is_multiple_of(2) {
        client.reset()
    } else {
        client.hang_up()
    }
}

fn slowly(stage: &Stage, kind: &Kind, request: &Request) {
    let mut client = Client::narrow(stage.lintel.addr, 2_048);
    client.send(&request.bytes()).unwrap();
    client.head().unwrap();
    let mut read = 0;
    while let Some(piece) = client.piece().unwrap() {
        read += piece.len();
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(read > 30_000, "{}: {read} bytes", kind.name);
    let _ = std::io::stdout().flush();
}
