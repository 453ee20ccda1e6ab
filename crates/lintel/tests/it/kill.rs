//! `kill -9` at random moments under load: whatever a client got is settled, whatever was dispatched has a row, nothing twice.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::harness::books::Sums;
use crate::harness::config::Config;
use crate::harness::process::Key;
use crate::harness::temp::Temp;
use crate::harness::{Client, Face, Lintel, Provider, Row, dialect, eventually};

const CALLERS: u64 = 6;

/// SplitMix64: enough to choose moments, and to choose them again from a printed seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

fn seed() -> u64 {
    let fresh = || {
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_nanos() as u64
    };
    std::env::var("LINTEL_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or_else(fresh)
}

/// One caller: calls until the process is gone; the names of the calls whose whole answer it got.
fn call_until_gone(
    addr: std::net::SocketAddr,
    key: &Key,
    mut dice: Dice,
    next: &AtomicU64,
    whole: &Mutex<Vec<String>>,
) {
    let Ok(stream) = std::net::TcpStream::connect(addr) else {
        return;
    };
    let mut client = Client::over(stream);
    client.patience(Duration::from_secs(5));
    loop {
        let name = format!("k{}", next.fetch_add(1, Ordering::Relaxed));
        let face = if dice.roll(2) == 0 {
            Face::Openai
        } else {
            Face::Anthropic
        };
        let stream = dice.roll(2) == 0;
        let body = face.body(&face.direct("m"), stream).replacen(
            '{',
            &format!("{{\"x_call\":\"{name}\","),
            1,
        );
        let request = face
            .head(&key.secret)
            .header("x-lintel-session", &name)
            .body(body);
        if client.send(&request.bytes()).is_err() {
            return;
        }
        let Ok(reply) = client.try_reply() else {
            return;
        };
        let terminal = if stream {
            reply.text().ends_with(face.terminal())
        } else {
            reply.ended.is_ok()
        };
        if reply.status == 200 && terminal {
            whole.lock().unwrap().push(name);
        }
        if reply.ended.is_err() {
            return;
        }
        std::thread::sleep(Duration::from_micros(dice.roll(4_000)));
    }
}

fn by_name(rows: &[Row]) -> HashMap<String, Vec<&Row>> {
    let mut all: HashMap<String, Vec<&Row>> = HashMap::new();
    for row in rows {
        all.entry(row.session().to_owned()).or_default().push(row);
    }
    all
}

#[test]
fn what_was_answered_is_settled_and_what_was_dispatched_has_a_row() {
    let rounds = if std::env::var_os("LINTEL_LONG").is_some() {
        1_000
    } else {
        50
    };
    let seed = seed();
    println!("{rounds} rounds, LINTEL_SEED={seed}");
    let mut dice = Dice(seed);
    let provider = Provider::start(dialect::answer);
    let config = Config::of(&provider);
    let dir = Arc::new(Temp::new());
    let (next, whole) = (AtomicU64::new(1), Mutex::new(Vec::new()));
    let mut key = None;
    for _ in 0..rounds {
        let mut lintel = Lintel::start_in(dir.clone(), &config);
        let key: &Key = key.get_or_insert_with(|| lintel.key(&["--direct"]));
        let addr = lintel.addr;
        std::thread::scope(|scope| {
            for _ in 0..CALLERS {
                let dice = Dice(dice.roll(u64::MAX));
                let (next, whole) = (&next, &whole);
                scope.spawn(move || call_until_gone(addr, key, dice, next, whole));
            }
            std::thread::sleep(Duration::from_micros(20_000 + dice.roll(200_000)));
            lintel.kill();
        });
    }
    let lintel = Lintel::start_in(dir, &config);
    let (whole, seen) = (whole.into_inner().unwrap(), provider.seen());
    let dispatched: HashSet<String> = seen
        .iter()
        .map(|s| s.json()["x_call"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        whole.len() > rounds * 3,
        "too few calls to prove anything: {}",
        whole.len()
    );
    let rows = eventually("a row for every call that was dispatched", || {
        let rows = lintel.rows();
        let named = by_name(&rows);
        dispatched
            .iter()
            .all(|name| named.contains_key(name))
            .then_some(rows)
    });
    let named = by_name(&rows);
    for name in &whole {
        let of = &named[name];
        assert!(
            of.len() == 1 && of[0].kind() == "settled" && of[0].outcome() == "success",
            "answered, but: {of:#?}"
        );
        assert_eq!(
            of[0].meters().values().sum::<u64>(),
            Face::USAGE.0 + Face::USAGE.1
        );
    }
    for (name, of) in &named {
        assert_eq!(of.len(), 1, "{name} has {} rows: {of:#?}", of.len());
    }
    let sums = Sums::over(&rows);
    println!(
        "{} calls answered whole, {} dispatched, {} rows, {} orphans",
        whole.len(),
        dispatched.len(),
        rows.len(),
        sums.orphans
    );
    eventually("the ledger to agree with the log", || {
        (lintel.usage() == sums).then_some(())
    });
    assert!(!lintel.output().contains("panicked at"));
}
