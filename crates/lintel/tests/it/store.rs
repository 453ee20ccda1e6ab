//! The store's directory, the process's start, and the verbs that need no process.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use crate::harness::process::command;
use crate::harness::temp::Temp;
use crate::harness::{Config, Face, Lintel, Provider, Stage, dialect, until};

fn run(dir: &Temp, args: &[&str]) -> Output {
    command(dir).args(args).output().unwrap()
}

fn said(out: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    )
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    entries
        .flat_map(|p| if p.is_dir() { files(&p) } else { vec![p] })
        .collect()
}

#[test]
fn a_second_process_on_the_store_is_refused() {
    let stage = Stage::good();
    let second = Lintel::try_start(
        stage.lintel.dir.clone(),
        &["serve", "--config", "lintel.yaml"],
        &[],
    );
    let said = second.err().expect("a second process must not start");
    assert!(
        said.contains("another") || said.contains("lock") || said.contains("in use"),
        "{said}"
    );
    assert!(!said.contains("panicked"), "{said}");
    stage.still_serves("m");
    stage.balance(4);
}

#[test]
fn the_store_is_the_owners_alone() {
    let stage = Stage::good();
    stage.still_serves("m");
    stage.balance(4);
    let store = stage.lintel.dir.path().join("store");
    let mode = |p: &Path| p.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&store), 0o700);
    for file in files(&store) {
        assert_eq!(mode(&file) & 0o077, 0, "{}", file.display());
        let bytes = std::fs::read(&file).unwrap();
        let holds = |needle: &str| crate::harness::http::find(&bytes, needle.as_bytes()).is_some();
        assert!(
            !holds(&stage.key.secret),
            "the key's secret in {}",
            file.display()
        );
        assert!(
            !holds(crate::harness::config::UPSTREAM_SECRET),
            "the provider's credential in {}",
            file.display()
        );
    }
}

/// The journal's newest file: names are in order.
fn last_segment(store: &Path) -> PathBuf {
    let is_segment = |p: &PathBuf| {
        p.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with("journal-"))
    };
    files(store).into_iter().filter(is_segment).max().unwrap()
}

#[test]
fn a_torn_journal_tail_is_repaired() {
    let mut stage = Stage::good();
    for _ in 0..5 {
        assert_eq!(stage.call(Face::Openai, "up/m", false).0.status, 200);
    }
    stage.balance(5);
    stage.lintel.kill();
    let config = Config::of(&stage.provider);
    let tails: [&[u8]; 4] = [
        b"\x07",
        &[0; 300],
        b"\xff\xff\xff\x7f\x00\x00\x00\x00torn",
        b"\x20\x00\x00\x00\x01\x02\x03\x04{\"kind\":\"settled\"",
    ];
    for (turn, tail) in tails.into_iter().enumerate() {
        let last = last_segment(&stage.lintel.dir.path().join("store"));
        let mut bytes = std::fs::read(&last).unwrap();
        bytes.extend_from_slice(tail);
        std::fs::write(&last, bytes).unwrap();
        let mut lintel = Lintel::start_in(stage.lintel.dir.clone(), &config);
        let request = Face::Openai.request(&stage.key.secret, "up/m", false);
        assert_eq!(lintel.connect().call(&request).status, 200);
        until("the rows of before and now", || {
            lintel.rows().len() == 6 + turn
        });
        assert_eq!(lintel.usage().requests, 6 + turn as u64);
        lintel.kill();
    }
}

/// Starts on what is there; what it said instead of serving.
fn refused(dir: &Arc<Temp>, env: &[(&str, &str)]) -> String {
    let args = ["serve", "--config", "lintel.yaml"];
    let said = Lintel::try_start(dir.clone(), &args, env);
    let said = said.err().expect("must not start");
    assert!(!said.contains("panicked"), "{said}");
    said
}

#[test]
fn a_damaged_file_is_named_with_what_to_do() {
    let mut stage = Stage::good();
    stage.still_serves("m");
    stage.balance(4);
    stage.lintel.stop();
    let dir = stage.lintel.dir.clone();
    let store = dir.path().join("store");
    for file in ["control.sqlite", "ledger.sqlite", "log.sqlite"] {
        let path = store.join(file);
        let whole = std::fs::read(&path).unwrap();
        for damaged in [&whole[..whole.len() / 2], &[b'x'; 4096], b""] {
            std::fs::write(&path, damaged).unwrap();
            let said = refused(&dir, &[]);
            for words in [file, "is damaged", "lintel backup restore DIR --store"] {
                assert!(said.contains(words), "{words} is missing: {said}");
            }
        }
        std::fs::write(&path, whole).unwrap();
    }
    // Without a token in the environment the one of the file counts.
    std::fs::write(store.join("admin.token"), b"").unwrap();
    let said = refused(&dir, &[("LINTEL_ADMIN_TOKEN", "")]);
    for words in ["admin.token", "remove the file"] {
        assert!(said.contains(words), "{words} is missing: {said}");
    }
    // With everything as it was, it serves.
    stage.lintel = Lintel::start_in(dir, &Config::of(&stage.provider));
    assert_eq!(stage.call(Face::Openai, "up/m", false).0.status, 200);
}

#[test]
fn check_reports_every_error_at_once() {
    let dir = Temp::new();
    let bad = "listen: 127.0.0.1:0\nlimits: { evnt: 1MB }\nproviders:\n  up: { protocol: openia, base_url: \"http://127.0.0.1:1/v1\" }\n  two: { protocol: openai, api_key: \"${NO_SUCH_VARIABLE}\" }\nroutes:\n  chat:\n    deadlin: 10s\n    tiers:\n      - targets: [ { provider: nowhere, model: m } ]\n";
    std::fs::write(dir.path().join("lintel.yaml"), bad).unwrap();
    let out = run(&dir, &["check", "--config", "lintel.yaml"]);
    let text = said(&out);
    assert!(!out.status.success(), "{text}");
    for words in [
        "evnt",
        "event",
        "openia",
        "NO_SUCH_VARIABLE",
        "deadlin",
        "deadline",
    ] {
        assert!(text.contains(words), "{words} is missing:\n{text}");
    }
    for line in [2, 4, 5, 8] {
        assert!(
            text.contains(&format!("lintel.yaml:{line}")) || text.contains(&format!("line {line}")),
            "line {line} is not named:\n{text}"
        );
    }
    // The same file doesn't start.
    let refused = Lintel::try_start(
        Arc::new(Temp::new()),
        &[
            "serve",
            "--config",
            dir.path().join("lintel.yaml").to_str().unwrap(),
        ],
        &[],
    );
    assert!(refused.err().expect("must not start").contains("evnt"));
    // What no reader of fields sees, only who compares names.
    let dangling = "providers:\n  up: { protocol: openai, base_url: \"http://127.0.0.1:1/v1\" }\nroutes:\n  chat:\n    tiers:\n      - targets: [ { provider: nowhere, model: m } ]\n";
    std::fs::write(dir.path().join("lintel.yaml"), dangling).unwrap();
    let out = run(&dir, &["check", "--config", "lintel.yaml"]);
    assert!(
        !out.status.success() && said(&out).contains("nowhere"),
        "{}",
        said(&out)
    );
    Lintel::write_config(&dir, &Config::of(&Provider::start(dialect::answer)));
    let out = run(&dir, &["check", "--config", "lintel.yaml"]);
    assert!(out.status.success(), "{}", said(&out));
    assert!(!dir.path().join("store").exists(), "checking makes nothing");
}

#[test]
fn the_schema_is_json_and_knows_the_words() {
    let dir = Temp::new();
    let out = run(&dir, &["config", "schema"]);
    assert!(out.status.success(), "{}", said(&out));
    let schema: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(schema["$schema"].is_string());
    for word in [
        "listen",
        "admin",
        "store",
        "providers",
        "routes",
        "prices",
        "limits",
        "tenants",
    ] {
        assert!(schema["properties"][word].is_object(), "{word}");
    }
}

#[test]
fn off_loopback_without_tls_or_keys_it_says_no_or_asks_for_keys() {
    let dir = Arc::new(Temp::new());
    let env = [
        ("LINTEL_LISTEN", "0.0.0.0:0"),
        ("LINTEL_ADMIN_LISTEN", "0.0.0.0:0"),
        ("LINTEL_STORE", "store"),
    ];
    if let Ok(lintel) = Lintel::try_start(dir, &["serve"], &env) {
        let reply = lintel
            .connect()
            .call(&crate::harness::Request::new("GET", "/v1/models"));
        assert_eq!(reply.status, 401);
        let bare = crate::harness::Client::connect(lintel.admin)
            .call(&crate::harness::Request::new("GET", "/api/v1/keys"));
        assert_eq!(bare.status, 401);
    }
}

#[test]
fn without_a_file_it_runs_on_defaults_and_prints_a_key_that_works() {
    let dir = Arc::new(Temp::new());
    let env = [
        ("LINTEL_LISTEN", "127.0.0.1:0"),
        ("LINTEL_ADMIN_LISTEN", "127.0.0.1:0"),
    ];
    let mut lintel =
        Lintel::try_start(dir.clone(), &["serve"], &env).unwrap_or_else(|said| panic!("{said}"));
    let said = lintel.output();
    let at = said.find("lk_").expect("a development key");
    let key = &said[at..at + 46];
    let curl = said
        .lines()
        .find(|l| l.contains("curl"))
        .expect("a curl line");
    assert!(
        curl.contains(&lintel.addr.to_string()) || said.contains(&format!("{}/v1", lintel.addr)),
        "the line names the real port: {said}"
    );
    for face in [Face::Openai, Face::Anthropic] {
        for stream in [false, true] {
            let reply = lintel
                .connect()
                .call(&face.request(key, "sandbox/hello", stream));
            assert_eq!(reply.status, 200, "{face:?}: {}", reply.text());
            assert!(
                !stream || reply.text().ends_with(face.terminal()),
                "{}",
                reply.text()
            );
        }
    }
    until("rows", || lintel.rows().len() == 4);
    assert_eq!(
        std::fs::metadata(dir.path().join(".lintel"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o700
    );
    println!(
        "ready after {:?}, {} KB resident after four calls, {} threads",
        lintel.ready_in,
        lintel.resident() / 1024,
        lintel.threads()
    );
    // The key dies with the process.
    let key = key.to_owned();
    lintel.stop();
    let lintel = Lintel::try_start(dir, &["serve"], &env).unwrap_or_else(|said| panic!("{said}"));
    assert_eq!(
        lintel
            .connect()
            .call(&Face::Openai.request(&key, "sandbox/hello", false))
            .status,
        401
    );
}

#[test]
fn verbs_fail_with_words_and_a_status() {
    let dir = Temp::new();
    let out = command(&dir)
        .args(["key", "list"])
        .env("LINTEL_ADMIN_URL", "http://127.0.0.1:1")
        .output()
        .unwrap();
    assert!(!out.status.success());
    assert!(
        said(&out).contains("127.0.0.1:1") && !said(&out).contains("panicked"),
        "{}",
        said(&out)
    );
    for args in [
        &["serve", "--config", "missing.yaml"][..],
        &["no-such-verb"],
        &["check", "--config", "missing.yaml"],
    ] {
        let out = run(&dir, args);
        assert!(
            !out.status.success() && !said(&out).contains("panicked"),
            "{args:?}: {}",
            said(&out)
        );
    }
    assert!(run(&dir, &["--version"]).status.success() && run(&dir, &["--help"]).status.success());
}
