//! The bad-provider matrix: every misbehaviour in every protocol, answered to a client of the same protocol and of
//! another, whole and streamed.

use std::collections::BTreeMap;

use super::upstream_rows::ROWS;
use crate::harness::client::Reply;
use crate::harness::config::UPSTREAM_SECRET;
use crate::harness::{
    Config, Door, Metrics, Provider, Route, Row, Script, Seen, Speech, Stage, Tongue,
};

/// What a row must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wants {
    /// It is not tried so.
    Nothing,
    /// A good answer: nothing of it is the client's affair.
    Passes,
    /// A good answer, booked as a failure of this class all the same.
    Booked(&'static str),
    /// An error before any content: status, code, and the attempt's class.
    Error(u16, &'static str, &'static str),
    /// A client of the same protocol gets it as it came, with its status; another one 502 `upstream_malformed`.
    AsItCame(u16, &'static str),
    /// The stream begins and ends with an error event of the client's dialect, or the provider's own.
    Broken(&'static str),
}

/// A provider's misbehaviour.
pub(super) struct Misdeed {
    pub(super) name: &'static str,
    /// What it does: in which protocol, and whether a stream was asked for.
    pub(super) script: fn(Speech, bool) -> Script,
    pub(super) whole: Wants,
    pub(super) streamed: Wants,
    /// Whether the route waits for 300 ms only, for what never comes.
    pub(super) hasty: bool,
}

/// Providers by name, with their protocols; `{}` is the provider's address.
const PROVIDERS: &[(&str, &str)] = &[
    (
        "oa",
        "protocol: openai, base_url: 'http://{}/v1', api_key: \"${TEST_UPSTREAM_KEY}\"",
    ),
    (
        "an",
        "protocol: anthropic, base_url: 'http://{}', api_key: \"${TEST_UPSTREAM_KEY}\"",
    ),
    (
        "ge",
        "protocol: gemini, base_url: 'http://{}/v1beta', api_key: \"${TEST_UPSTREAM_KEY}\"",
    ),
    (
        "be",
        "protocol: bedrock, base_url: 'http://{}', api_key: \"${TEST_UPSTREAM_KEY}\"",
    ),
];

/// A client's door, whole and streamed, and the provider behind it.
const WAYS: &[(&str, &str, bool)] = &[
    ("chat", "oa", true),
    ("responses", "oa", true),
    ("messages", "an", true),
    ("gemini", "ge", true),
    ("converse", "be", true),
    ("chat", "an", false),
    ("chat", "ge", false),
    ("chat", "be", false),
    ("responses", "an", false),
    ("messages", "oa", false),
    ("messages", "ge", false),
    ("messages", "be", false),
    ("gemini", "oa", false),
    ("gemini", "an", false),
    ("converse", "oa", false),
    ("converse", "ge", false),
];

fn config(base: Config, provider: &Provider) -> Config {
    let dead = format!("127.0.0.1:{}", Provider::dead_port());
    let config = PROVIDERS.iter().fold(base, |c, (name, yaml)| {
        let at = |address: &str| format!("{{ {} }}", yaml.replace("{}", address));
        c.provider(name, &at(&provider.addr.to_string()))
            .provider(&format!("{name}-dead"), &at(&dead))
    });
    let config = config.limit("event", "64KB").limit("response", "256KB");
    let rows = PROVIDERS.iter().flat_map(|(name, _)| {
        ROWS.iter()
            .enumerate()
            .map(move |(at, row)| (name, at, row))
    });
    rows.fold(config, |c, (name, at, row)| {
        let provider = if row.name == REFUSES {
            format!("{name}-dead")
        } else {
            (*name).to_owned()
        };
        let patience = if row.hasty { "300ms" } else { "30s" };
        let route = Route::to(&format!("{provider}/{at}")).set("attempts", "1");
        c.route(
            &format!("{name}-{at}"),
            route
                .set("first_token", patience)
                .set("idle", patience)
                .set("deadline", "40s"),
        )
    })
}

/// The row without a provider.
pub(super) const REFUSES: &str = "refuses the connection";

fn choose(seen: &Seen) -> Script {
    if seen.head.start.contains("/chat/completions") && seen.model() == "m" {
        return crate::harness::dialect::answer(seen);
    }
    let (speech, model, stream) = Speech::of(seen);
    let row = model.parse::<usize>().unwrap();
    (ROWS[row].script)(speech, stream)
}

pub(super) fn stage() -> Stage {
    let provider = Provider::start(choose);
    Stage::on(provider, |p| config(Config::of(p), p))
}

/// One try: what came, and what should have.
struct Tried {
    what: String,
    session: String,
    wants: Wants,
}

/// Whether a stream's body ended as whole ones do.
fn looks_whole(door: &Door, body: &str) -> bool {
    match (door.tongue, door.name.starts_with("responses")) {
        (_, true) => body.contains("response.completed"),
        (Tongue::Openai, _) => body.contains("data: [DONE]"),
        (Tongue::Anthropic, _) => body.contains("\"type\":\"message_stop\""),
        (Tongue::Gemini, _) => {
            body.contains("\"finishReason\":\"STOP\"") && !body.contains("\"error\"")
        }
        (Tongue::Bedrock, _) => body.contains("messageStop") && !body.contains("Exception"),
    }
}

/// Whether a stream's body ends with an error event.
fn ends_in_error(door: &Door, body: &str) -> bool {
    match (door.tongue, door.name.starts_with("responses")) {
        (_, true) => body.contains("response.failed") || body.contains("\"type\":\"error\""),
        (Tongue::Bedrock, _) => body.contains(":exception-type"),
        _ => body.contains("\"error\""),
    }
}

/// What is wrong with an answer, if anything.
fn wrong(door: &Door, reply: &Reply, wants: Wants, native: bool) -> Option<String> {
    let body = reply.text();
    let shown: String = body.chars().take(300).collect();
    let error = |status: u16, code: &str| {
        if reply.status != status {
            return Some(format!("{}, not {status}: {shown}", reply.status));
        }
        let json = || serde_json::from_str::<serde_json::Value>(&body).unwrap_or_default();
        // A provider of Gemini's own protocol says its number itself.
        if door.tongue == Tongue::Gemini && !native && json()["error"]["code"] != reply.status {
            return Some(format!("the body's code is not the status: {shown}"));
        }
        // Where the code is the provider's own, its words are judged elsewhere.
        let told = if code.is_empty() {
            String::new()
        } else {
            door.code_of(reply)
        };
        let origin = reply.header("x-lintel-error-origin");
        (told != code && !code.is_empty() || origin != Some("provider"))
            .then(|| format!("`{told}` of {origin:?}, not `{code}`: {shown}"))
    };
    match wants {
        Wants::Nothing => None,
        Wants::Passes | Wants::Booked(_) => {
            let whole = reply.status == 200
                && reply.ended.is_ok()
                && (!door.stream || looks_whole(door, &body))
                && !body.is_empty();
            (!whole).then(|| format!("{} {:?}: {shown}", reply.status, reply.ended))
        }
        Wants::Error(status, code, _) => error(status, code),
        Wants::AsItCame(status, _) if native => {
            (reply.status != status).then(|| format!("{}, not {status}: {shown}", reply.status))
        }
        Wants::AsItCame(..) => error(502, ""),
        Wants::Broken(_) => {
            let broken =
                reply.status == 200 && ends_in_error(door, &body) && !looks_whole(door, &body);
            (!broken).then(|| format!("{} does not end in an error: {shown}", reply.status))
        }
    }
}

fn leaks(stage: &Stage, reply: &Reply) -> Option<String> {
    let text = format!("{:?} {}", reply.head, reply.text());
    let address = stage.provider.addr.to_string();
    let never = [
        UPSTREAM_SECRET,
        &address,
        "set-cookie",
        "evil.example",
        "alt-svc",
        "x-powered-by",
        "www-authenticate",
    ];
    never
        .iter()
        .find(|n| text.contains(**n))
        .map(|n| format!("{n} reaches the client: {text}"))
}

/// The class and phase of a row.
fn booked(tried: &Tried, row: &Row) -> Option<String> {
    let (outcome, class) = (
        row.outcome(),
        row.classes().first().copied().unwrap_or("none").to_owned(),
    );
    let phase = row
        .attempts()
        .first()
        .map_or("", |a| a["phase"].as_str().unwrap_or_default());
    let wanted = match tried.wants {
        Wants::Nothing => return None,
        Wants::Passes => {
            return ((outcome, class.as_str()) != ("success", ""))
                .then(|| format!("{}: booked as {outcome} {class}", tried.what));
        }
        Wants::Error(_, _, class) => (class, "before_first_byte"),
        Wants::AsItCame(_, class) => (class, "before_first_byte"),
        Wants::Broken(class) | Wants::Booked(class) => (class, "mid_stream"),
    };
    let before_send = wanted.0 == "connect" && phase == "before_send";
    let fits = class == wanted.0
        && (phase == wanted.1 || before_send)
        && matches!(outcome, "provider_error" | "client_error");
    (!fits || row.attempts().len() != 1).then(|| {
        format!(
            "{}: booked as {outcome} {class} {phase}, not {wanted:?}: {}",
            tried.what, row.0
        )
    })
}

/// Tries every row in every way, some at a time; what is wrong, and how many calls were made.
pub(super) fn all(stage: &Stage) -> (Vec<String>, usize) {
    let mut jobs: Vec<(usize, Door, &str, bool)> = Vec::new();
    for at in 0..ROWS.len() {
        for (door, provider, native) in WAYS {
            jobs.push((at, Door::called(door), provider, *native));
            jobs.push((
                at,
                Door::called(&format!("{door}, streamed")),
                provider,
                *native,
            ));
        }
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    let (mut problems, mut tried) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let (mut problems, mut tried) = (Vec::new(), Vec::new());
                    while let Some((at, door, provider, native)) =
                        jobs.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                    {
                        let row = &ROWS[*at];
                        let wants = if door.stream { row.streamed } else { row.whole };
                        if wants == Wants::Nothing {
                            continue;
                        }
                        let what = format!("{}, {} at {provider}", row.name, door.name);
                        let session = stage.session();
                        let request = door
                            .request(&stage.key.secret, &format!("{provider}-{at}"))
                            .header("x-lintel-session", &session);
                        let mut client = stage.connect();
                        let _ = client.send(&request.bytes());
                        match client.try_reply() {
                            Err(e) => problems.push(format!("{what}: no answer: {e}")),
                            Ok(reply) => {
                                problems.extend(
                                    wrong(door, &reply, wants, *native)
                                        .map(|w| format!("{what}: {w}")),
                                );
                                problems
                                    .extend(leaks(stage, &reply).map(|w| format!("{what}: {w}")));
                            }
                        }
                        tried.push(Tried {
                            what,
                            session,
                            wants,
                        });
                    }
                    (problems, tried)
                })
            })
            .collect();
        for worker in workers {
            let (more, also) = worker.join().unwrap();
            problems.extend(more);
            tried.extend(also);
        }
    });
    stage.idle();
    let rows = crate::harness::eventually("every row", || {
        let rows = stage.lintel.rows();
        (rows.len() >= tried.len()).then_some(rows)
    });
    let mut by_session: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        by_session.entry(row.session()).or_default().push(row);
    }
    for tried in &tried {
        match by_session.get(tried.session.as_str()).map(Vec::as_slice) {
            Some([row]) => problems.extend(booked(tried, row)),
            other => problems.push(format!(
                "{}: {} rows",
                tried.what,
                other.map_or(0, <[_]>::len)
            )),
        }
    }
    (problems, tried.len())
}

/// The table of the page.
pub(super) fn table() -> String {
    let told = |wants: Wants| match wants {
        Wants::Nothing => "–".to_owned(),
        Wants::Passes => "a good answer".to_owned(),
        Wants::Booked(class) => format!("passes on; `{class}`"),
        Wants::Error(status, "", class) => format!("{status}, `{class}`"),
        Wants::Error(status, code, class) => format!("{status} `{code}`, `{class}`"),
        Wants::AsItCame(status, class) => format!("as it came ({status}), or 502; `{class}`"),
        Wants::Broken(class) => format!("begins, ends with an error event; `{class}`"),
    };
    let mut out = String::from("| the provider … | whole | streamed |\n|---|---|---|\n");
    for row in ROWS {
        out.push_str(&format!(
            "| {} | {} | {} |\n",
            row.name,
            told(row.whole),
            told(row.streamed)
        ));
    }
    out
}

#[test]
fn every_misdeed_has_its_documented_outcome() {
    let stage = stage();
    let (problems, calls) = all(&stage);
    println!("{calls} calls");
    assert!(
        problems.is_empty(),
        "{} of {calls} wrong:\n{}",
        problems.len(),
        problems.join("\n")
    );
    stage.balance(calls);
    let metrics = Metrics::of(&stage.lintel);
    assert_eq!(metrics.sum("lintel_attempts_total", &[]), calls as f64);
    let good = stage
        .connect()
        .call(&Door::called("chat").request(&stage.key.secret, "up/m"));
    assert_eq!(good.status, 200, "{}", good.text());
}
