//! Upgrades and reloads under load: every call is answered, every stream is whole, and the books say what clients saw.
//!
//! `LINTEL_LONG` runs 500 streams and 200 calls a second; without it a tenth of each.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::harness::books::Sums;
use crate::harness::process::Key;
use crate::harness::{Client, Config, FACES, Face, Lintel, Provider, Row, eventually, until};

/// How much, and how often.
#[derive(Debug, Clone, Copy)]
struct Load {
    streams: usize,
    /// A second, all callers together.
    calls: u64,
    callers: u64,
    changes: usize,
    /// Between two events of a stream, of which there are half a dozen.
    pause: Duration,
}

fn load() -> Load {
    if std::env::var_os("LINTEL_LONG").is_some() {
        Load {
            streams: 500,
            calls: 200,
            callers: 20,
            changes: 6,
            pause: Duration::from_millis(700),
        }
    } else {
        Load {
            streams: 60,
            calls: 40,
            callers: 8,
            changes: 2,
            pause: Duration::from_millis(150),
        }
    }
}

/// What clients saw.
#[derive(Debug, Default)]
struct Seen {
    whole: AtomicUsize,
    faults: Mutex<Vec<String>>,
    stop: AtomicBool,
    next: AtomicU64,
}

impl Seen {
    fn name(&self) -> String {
        format!("load-{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn whole(&self) {
        self.whole.fetch_add(1, Ordering::Relaxed);
    }

    fn fault(&self, what: String) {
        self.faults.lock().unwrap().push(what);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn connect(addr: SocketAddr, seen: &Seen) -> Option<Client> {
    match std::net::TcpStream::connect(addr) {
        Ok(stream) => Some(Client::over(stream)),
        Err(error) => {
            seen.fault(format!("refused: {error}"));
            None
        }
    }
}

/// One stream after the other, each on a connection of its own.
fn stream(addr: SocketAddr, key: &Key, face: Face, seen: &Seen) {
    while !seen.stopped() {
        let name = seen.name();
        let Some(mut client) = connect(addr, seen) else {
            return;
        };
        let request = face
            .request(&key.secret, &face.direct("slow"), true)
            .header("x-lintel-session", &name);
        let reply = client
            .send(&request.bytes())
            .and_then(|()| client.try_reply());
        match reply {
            Ok(reply)
                if reply.status == 200
                    && reply.ended.is_ok()
                    && reply.text() == face.client_stream() =>
            {
                seen.whole()
            }
            Ok(reply) => {
                return seen.fault(format!(
                    "{name}: {} {:?} {}",
                    reply.status,
                    reply.ended,
                    reply.text()
                ));
            }
            Err(error) => return seen.fault(format!("{name}: {error}")),
        }
    }
}

/// Calls at a steady pace, on a kept connection or on fresh ones. A server that says `close` is obeyed.
fn call(addr: SocketAddr, key: &Key, kept: bool, every: Duration, seen: &Seen) {
    let (mut open, mut due) = (None, Instant::now());
    while !seen.stopped() {
        due += every;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let name = seen.name();
        let Some(mut client) = open.take().or_else(|| connect(addr, seen)) else {
            return;
        };
        let request = Face::Openai
            .request(&key.secret, "up/m", false)
            .header("x-lintel-session", &name);
        match client
            .send(&request.bytes())
            .and_then(|()| client.try_reply())
        {
            Ok(reply) if reply.status == 200 && reply.body == Face::Openai.answer() => {
                seen.whole();
                let closes = reply.header("connection") == Some("close");
                open = (kept && !closes).then_some(client);
            }
            Ok(reply) => return seen.fault(format!("{name}: {} {}", reply.status, reply.text())),
            Err(error) => return seen.fault(format!("{name}: {error}")),
        }
    }
}

/// Runs the load while `change` is made again and again; every call must be whole, and booked as such.
fn under_load(change: impl Fn(&mut Lintel, usize)) {
    let load = load();
    let provider = Provider::start(move |seen| super::slowly(seen, load.pause));
    let mut lintel = Lintel::start(&Config::of(&provider).limit("drain", "60s"));
    let key = lintel.key(&["--direct"]);
    let (addr, seen) = (lintel.addr, Arc::new(Seen::default()));
    let every = Duration::from_secs(1) * load.callers as u32 / load.calls as u32;
    let begun = Instant::now();
    let mut threads = Vec::new();
    for n in 0..load.streams {
        let (key, seen, face) = (key.clone(), Arc::clone(&seen), FACES[n % 2]);
        threads.push(std::thread::spawn(move || stream(addr, &key, face, &seen)));
    }
    for n in 0..load.callers {
        let (key, seen) = (key.clone(), Arc::clone(&seen));
        threads.push(std::thread::spawn(move || {
            call(addr, &key, n % 2 == 0, every, &seen)
        }));
    }
    until("every stream to have begun", || {
        provider.for_model("slow").len() >= load.streams
    });
    for n in 0..load.changes {
        change(&mut lintel, n);
        let before = seen.whole.load(Ordering::Relaxed);
        until("calls after the change", || {
            seen.whole.load(Ordering::Relaxed) > before + load.streams / 2
                || !seen.faults.lock().unwrap().is_empty()
        });
    }
    seen.stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
    let (whole, faults) = (
        seen.whole.load(Ordering::Relaxed),
        seen.faults.lock().unwrap(),
    );
    println!(
        "{load:?}: {whole} calls whole, {} not, {:.1?}, {} processes took over",
        faults.len(),
        begun.elapsed(),
        lintel.heirs.len()
    );
    assert!(faults.is_empty(), "{faults:#?}\n{}", lintel.output());
    let rows = eventually("a row a call", || {
        let rows = lintel.rows();
        (rows.len() == whole).then_some(rows)
    });
    assert!(
        rows.iter()
            .all(|row| row.kind() == "settled" && row.outcome() == "success")
    );
    let mut names: Vec<&str> = rows.iter().map(Row::session).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), whole, "each call once");
    until("the ledger to agree", || {
        lintel.usage() == Sums::over(&rows)
    });
    assert!(!lintel.output().contains("panicked at"));
}

#[test]
fn upgrades_under_load_fail_no_call_and_tear_no_stream() {
    under_load(|lintel, _| lintel.upgrade().unwrap());
}

#[test]
fn reloads_under_load_fail_no_call_and_tear_no_stream() {
    under_load(|lintel, n| {
        let path = lintel.dir.path().join("lintel.yaml");
        let text = std::fs::read_to_string(&path).unwrap();
        let hash = config_of(lintel);
        let next = path.with_extension("next");
        let (was, is) = (format!("drain: {}s", 60 + n), format!("drain: {}s", 61 + n));
        assert!(text.contains(&was), "{text}");
        // The file is never half written.
        std::fs::write(&next, text.replace(&was, &is)).unwrap();
        std::fs::rename(&next, &path).unwrap();
        lintel.signal("HUP");
        until("another configuration in force", || {
            config_of(lintel) != hash
        });
    });
}

fn config_of(lintel: &Lintel) -> String {
    lintel.ask("GET", "/api/v1/status").json()["config"]
        .as_str()
        .unwrap()
        .to_owned()
}
