//! A disk that is really full: the store lies on a small tmpfs in a mount namespace of the process's own, and calls run while
//! it fills, is full and is freed.
//!
//! Needs `unshare` and leave to mount in a namespace; where neither a user namespace nor root gives it, the test fails and says
//! so. `LINTEL_LONG` keeps the disk full for a minute.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::ends::{CONTENT, choose};
use crate::harness::books::Sums;
use crate::harness::client::Reply;
use crate::harness::process::{ADMIN_TOKEN, binary};
use crate::harness::script::Gate;
use crate::harness::temp::Temp;
use crate::harness::{Client, Config, FACES, Face, Lintel, Provider, Request, eventually, until};

/// Clients that call without a pause longer than `PAUSE`.
const CALLERS: usize = 4;
const PAUSE: Duration = Duration::from_millis(10);

/// Mounts the store's disk where only this process and its children see it, then becomes the program.
const MOUNT: &str = "mount -t tmpfs -o size=4m,mode=0700 lintel-test store && exec \"$@\"";

fn full_for() -> Duration {
    match std::env::var_os("LINTEL_LONG") {
        Some(_) => Duration::from_secs(60),
        None => Duration::from_secs(4),
    }
}

/// The options of `unshare` that let this user mount something: root of a user namespace, or root as it is.
fn namespace() -> &'static str {
    let mut said = String::new();
    for options in ["-Urm", "-m"] {
        let dir = Temp::new();
        std::fs::create_dir(dir.path().join("store")).unwrap();
        let tried = Command::new("unshare")
            .args([options, "sh", "-c", MOUNT, "sh", "true"])
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|e| panic!("can't run `unshare` (package util-linux): {e}"));
        if tried.status.success() {
            return options;
        }
        let error = String::from_utf8_lossy(&tried.stderr);
        said.push_str(&format!("\n  unshare {options}: {}", error.trim()));
    }
    panic!(
        "NOT TESTED: no disk could be made to fill, for this user may not mount a tmpfs in a namespace:{said}\n\
         Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0), \
         or run as root; in a container with --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined."
    );
}

fn start(provider: &Provider) -> Lintel {
    let dir = Arc::new(Temp::new());
    std::fs::create_dir(dir.path().join("store")).unwrap();
    Lintel::write_config(&dir, &Config::of(provider));
    let binary = binary();
    let program = ["sh", "-c", MOUNT, "sh", binary.to_str().unwrap()];
    let args = [
        &[namespace()][..],
        &program,
        &["serve", "--config", "lintel.yaml"],
    ]
    .concat();
    // `unshare` and `sh` become the binary: the process has their id.
    Lintel::try_run(dir, "unshare".as_ref(), &args, &[])
        .unwrap_or_else(|said| panic!("did not start: {said}"))
}

/// The file that takes the room, on the process's own disk.
fn filler(lintel: &Lintel) -> PathBuf {
    let store = lintel.dir.path().join("store").canonicalize().unwrap();
    let seen_by = format!("/proc/{}/root{}", lintel.pid(), store.display());
    PathBuf::from(seen_by).join("filler")
}

/// Takes all room that there is, and all that comes free, until `free`; then gives it back: the moment.
fn fill(path: PathBuf, free: &AtomicBool) -> Instant {
    let mut file = File::create(&path).unwrap();
    while !free.load(Ordering::SeqCst) {
        match file.write_all(&[7; 4096]) {
            Ok(()) => {}
            Err(e) if e.kind() == ErrorKind::StorageFull => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(e) => panic!("{}: {e}", path.display()),
        }
    }
    std::fs::remove_file(&path).unwrap();
    drop(file);
    Instant::now()
}

fn patient(lintel: &Lintel) -> Client {
    let mut client = lintel.connect();
    client.patience(full_for() + Duration::from_secs(60));
    client
}

/// What a client saw of its calls.
#[derive(Debug, Default)]
struct Told {
    answered: Vec<String>,
    refused: Vec<String>,
}

/// Calls until `stop`; anything but an answer and the refusal is a failure.
fn run(lintel: &Lintel, key: &str, caller: usize, stop: &AtomicBool) -> Told {
    let mut told = Told::default();
    for n in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let face = FACES[n % 2];
        let session = format!("caller-{caller}-{n}");
        let request = face
            .request(key, &face.direct("m"), n % 4 > 1)
            .header("x-lintel-session", &session);
        let reply = patient(lintel).call(&request);
        if reply.status == 200 {
            assert!(reply.ended.is_ok(), "{session}: {reply:?}");
            told.answered.push(session);
        } else {
            refused(face, &reply);
            told.refused.push(session);
        }
        std::thread::sleep(PAUSE);
    }
    told
}

fn refused(face: Face, reply: &Reply) {
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert!(reply.header("retry-after").is_some(), "{reply:?}");
    assert_eq!(reply.header("x-should-retry"), Some("true"), "{reply:?}");
    let fault = face.error(reply);
    let code = reply.header("x-lintel-error-code").unwrap_or(&fault.code);
    assert_eq!(code, "ledger_unavailable", "{reply:?}");
}

fn make_tenant(lintel: &Lintel, name: &str) -> Reply {
    let request = Request::new("POST", "/api/v1/tenants")
        .header("authorization", &format!("Bearer {ADMIN_TOKEN}"))
        .header("content-type", "application/json")
        .body(format!("{{\"name\":\"{name}\"}}"));
    Client::connect(lintel.admin).call(&request)
}

/// A stream of each surface that has begun.
fn streams(lintel: &Lintel, key: &str) -> Vec<(Face, String, Client, Vec<u8>)> {
    let begin = |face: Face| {
        let session = format!("stream-{}", face.name());
        let request = face
            .request(key, &face.direct("gated"), true)
            .header("x-lintel-session", &session);
        let mut client = patient(lintel);
        client.send(&request.bytes()).unwrap();
        assert!(client.head().unwrap().start.contains(" 200 "));
        let begun = client.until(CONTENT).unwrap();
        (face, session, client, begun)
    };
    FACES.into_iter().map(begin).collect()
}

/// Changes are refused once the database has used up the room in its own files; those that were made before then stand.
fn changes_are_refused(lintel: &Lintel) -> Vec<String> {
    let mut made = Vec::new();
    let reply = eventually("a refused change", || {
        let name = format!("while-full-{}", made.len());
        let reply = make_tenant(lintel, &name);
        if reply.status != 201 {
            return Some(reply);
        }
        made.push(name);
        None
    });
    assert_eq!(reply.status, 503, "{}", reply.text());
    assert_eq!(reply.json()["code"], "ledger_unavailable");
    made
}

#[test]
fn a_full_disk_refuses_calls_and_loses_none() {
    let gate = Gate::default();
    let held = gate.clone();
    let provider = Provider::start(move |seen| choose(seen, &held));
    let mut lintel = start(&provider);
    let key = lintel.key(&["--direct"]).secret;
    let mut running = streams(&lintel, &key);
    let (stop, free) = (AtomicBool::new(false), AtomicBool::new(false));
    let (told, made) = std::thread::scope(|scope| {
        let (lintel, key, stop, free) = (&lintel, &key, &stop, &free);
        let run = |caller| scope.spawn(move || run(lintel, key, caller, stop));
        let callers: Vec<_> = (0..CALLERS).map(run).collect();
        let calls = |more: usize| {
            let wanted = provider.seen().len() + more;
            until("calls", || provider.seen().len() >= wanted);
        };
        calls(100);
        let filling = scope.spawn(|| fill(filler(lintel), free));
        until("the process to say that it is full", || {
            lintel.ask("GET", "/readyz").status == 503
        });
        let full = Instant::now();
        let made = changes_are_refused(lintel);
        gate.open();
        std::thread::sleep(full_for().saturating_sub(full.elapsed()));
        assert_eq!(lintel.ask("GET", "/readyz").status, 503);
        free.store(true, Ordering::SeqCst);
        let freed = filling.join().unwrap();
        let request = Face::Openai
            .request(key, "up/m", false)
            .header("x-lintel-session", "first-again");
        until("calls to be taken again", || {
            patient(lintel).call(&request).status == 200
        });
        println!(
            "full for {:?}; an answer {:?} after room came free",
            freed - full,
            freed.elapsed()
        );
        until("changes to be taken again", || {
            make_tenant(lintel, "after").status != 503
        });
        until("ready", || lintel.ask("GET", "/readyz").status == 200);
        calls(100);
        stop.store(true, Ordering::SeqCst);
        let told: Vec<Told> = callers.into_iter().map(|c| c.join().unwrap()).collect();
        (told, made)
    });
    let mut answered: Vec<String> = told.iter().flat_map(|t| t.answered.clone()).collect();
    let refused: Vec<&String> = told.iter().flat_map(|t| &t.refused).collect();
    assert!(!refused.is_empty(), "no call was refused");
    for (face, session, client, begun) in &mut running {
        let (rest, ended) = client.rest();
        let whole = [&begun[..], &rest].concat();
        assert!(ended.is_ok(), "{face:?}: {ended:?}");
        assert_eq!(String::from_utf8_lossy(&whole), face.client_stream());
        answered.push(session.clone());
    }
    answered.push("first-again".to_owned());
    println!(
        "{} calls answered, {} refused",
        answered.len(),
        refused.len()
    );
    books(&lintel, &provider, answered, &refused);
    let tenants = lintel.cli(&["tenant", "list", "--json"]);
    for name in made.iter().map(String::as_str).chain(["after"]) {
        assert!(
            tenants.contains(&format!("\"{name}\"")),
            "{name}: {tenants}"
        );
    }
    assert!(!lintel.output().contains("panicked at"));
    lintel.stop();
}

/// Clients, provider, log and ledger tell the same: each answered call once, and of the refused ones nothing that cost.
fn books(lintel: &Lintel, provider: &Provider, mut answered: Vec<String>, refused: &[&String]) {
    answered.sort();
    let mut rows = Vec::new();
    until(
        "the ledger to say what the log says, and both everything",
        || {
            rows = lintel.rows();
            rows.len() >= answered.len() && {
                let usage = lintel.usage();
                usage == Sums::over(&rows) && usage.requests >= answered.len() as u64
            }
        },
    );
    let (paid, unpaid): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.outcome() == "success");
    let mut recorded: Vec<&str> = paid.iter().map(|row| row.session()).collect();
    recorded.sort_unstable();
    assert_eq!(recorded, answered, "one row for each answered call");
    for row in &unpaid {
        // A call whose dispatch could not be written down has its attempt in its row, and was not sent.
        assert_eq!(
            (row.kind(), &row.0["cost"]),
            ("settled", &"0".into()),
            "{}",
            row.0
        );
        let known = refused.iter().any(|session| *session == row.session());
        assert!(known || row.session() == "first-again", "{}", row.0);
    }
    assert_eq!(lintel.usage().orphans, 0);
    assert_eq!(
        provider.seen().len(),
        answered.len(),
        "the provider's count"
    );
}
