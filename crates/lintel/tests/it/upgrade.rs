//! A new process takes over from the old one: nothing that runs notices, and what fails changes nothing.

mod inherited;
mod load;
mod notify;

use crate::ends::{CONTENT, choose};
use crate::harness::books::Sums;
use crate::harness::process::{binary, signalled};
use crate::harness::script::Gate;
use crate::harness::{Client, Config, FACES, Face, Lintel, Stage, dialect, eventually, until};

/// A stage whose gated streams wait for the gate, with one of each face begun.
fn begun(stage: &Stage) -> Vec<(Face, Client)> {
    let begin = |face: Face| {
        let mut client = stage.connect();
        let request = stage.request(face, &face.direct("gated"), true, &stage.session());
        client.send(&request.bytes()).unwrap();
        client.head().unwrap();
        let seen = client.until(CONTENT).unwrap();
        assert!(!seen.is_empty());
        (face, client)
    };
    FACES.into_iter().map(begin).collect()
}

fn gated() -> (Stage, Gate) {
    let gate = Gate::default();
    let held = gate.clone();
    let stage = Stage::with(move |seen| choose(seen, &held), |c| c.limit("drain", "60s"));
    (stage, gate)
}

#[test]
fn streams_end_in_the_old_process_while_the_new_one_serves() {
    let (mut stage, gate) = gated();
    let mut kept = stage.connect();
    let call = |stage: &Stage, client: &mut Client, name: &str| {
        client.call(&stage.request(Face::Openai, "up/m", false, name))
    };
    assert_eq!(call(&stage, &mut kept, "before").status, 200);
    let streams = begun(&stage);
    let old = stage.lintel.pid();
    stage.lintel.upgrade().unwrap();
    assert_ne!(stage.lintel.pid(), old);
    // A connection that was idle is still taken, and asked to go.
    let reply = call(&stage, &mut kept, "kept");
    assert_eq!(
        (reply.status, reply.header("connection")),
        (200, Some("close"))
    );
    assert_eq!(call(&stage, &mut stage.connect(), "new").status, 200);
    let other = stage.lintel.key(&["--direct"]);
    assert!(
        other.secret.starts_with("lk_"),
        "the new process makes changes"
    );
    gate.open();
    for (face, mut client) in streams {
        let (rest, ended) = client.rest();
        ended.unwrap();
        assert!(
            String::from_utf8_lossy(&rest).ends_with(face.terminal()),
            "{face:?}"
        );
    }
    assert!(stage.lintel.ended().success());
    let rows = eventually("a row a call", || {
        let rows = stage.lintel.rows();
        (rows.len() == 5).then_some(rows)
    });
    assert!(
        rows.iter().all(|row| row.outcome() == "success"),
        "{rows:#?}"
    );
    until("the ledger to agree", || {
        stage.lintel.usage() == Sums::over(&rows)
    });
    stage.quiet();
    let heir = stage.lintel.pid();
    stage.lintel.signal("TERM");
    stage.lintel.gone(heir);
    let again = Lintel::start_in(stage.lintel.dir.clone(), &Config::of(&stage.provider));
    assert_eq!(again.rows().len(), 5);
    assert!(
        !stage
            .lintel
            .dir
            .path()
            .join("store/journal-00000000000000000000.log")
            .exists(),
        "what is applied of a process that has gone is removed"
    );
}

#[test]
fn a_configuration_that_is_refused_changes_nothing() {
    let mut stage = Stage::good();
    let path = stage.lintel.dir.path().join("lintel.yaml");
    let sound = std::fs::read_to_string(&path).unwrap();
    let check = |stage: &mut Stage, text: &str, reason: &str| {
        std::fs::write(&path, text).unwrap();
        let refused = stage.lintel.upgrade().unwrap_err();
        assert!(
            refused.contains("goes on as before") && refused.contains(reason),
            "{refused}"
        );
        stage.still_serves("m");
        stage.lintel.key(&["--direct"]);
    };
    check(&mut stage, "routes: 3\n", "the configuration is not sound");
    let elsewhere = format!("{sound}node: 7\n");
    check(&mut stage, &elsewhere, "`node` is 7 and was 0");
    std::fs::write(&path, &sound).unwrap();
    stage.lintel.upgrade().unwrap();
    stage.still_serves("m");
    assert!(stage.lintel.ended().success());
}

#[test]
fn a_program_that_dies_or_is_none_changes_nothing() {
    let mut stage = Stage::good();
    let program = stage.lintel.dir.path().join("lintel");
    std::fs::copy(binary(), &program).unwrap();
    stage.lintel.stop();
    stage.lintel = Lintel::try_run(
        stage.lintel.dir.clone(),
        &program,
        &["serve", "--config", "lintel.yaml"],
        &[],
    )
    .unwrap();
    let check = |stage: &mut Stage, file: &[u8], reason: &str| {
        let next = program.with_extension("next");
        std::fs::write(&next, file).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&next, mode).unwrap();
        std::fs::rename(&next, &program).unwrap();
        let refused = stage.lintel.upgrade().unwrap_err();
        assert!(refused.contains(reason), "{refused}");
        stage.still_serves("m");
    };
    check(&mut stage, b"#!/bin/sh\nexit 3\n", "exit status: 3");
    check(&mut stage, b"#!/bin/sh\nkill -9 $$\n", "signal: 9");
    std::fs::remove_file(&program).unwrap();
    let refused = stage.lintel.upgrade().unwrap_err();
    assert!(refused.contains("can't start"), "{refused}");
    stage.still_serves("m");
    stage.lintel.key(&["--direct"]);
}

#[test]
fn an_old_process_that_is_killed_leaves_orphans_to_the_new_one() {
    let (mut stage, _gate) = gated();
    let streams = begun(&stage);
    stage.lintel.upgrade().unwrap();
    stage.lintel.kill();
    let rows = eventually("a row for every stream", || {
        let rows = stage.lintel.rows();
        (rows.len() == streams.len()).then_some(rows)
    });
    assert!(rows.iter().all(|row| row.kind() == "orphaned"), "{rows:#?}");
    stage.still_serves("m");
}

#[test]
fn a_new_process_that_is_killed_leaves_the_store_to_the_next_start() {
    let (mut stage, gate) = gated();
    let streams = begun(&stage);
    stage.lintel.upgrade().unwrap();
    let mut lost = stage.connect();
    let held = stage.request(Face::Openai, "up/hold", false, "lost");
    lost.send(&held.bytes()).unwrap();
    stage.provider.wait_for("hold", 1);
    assert!(signalled(stage.lintel.pid(), "KILL"));
    let heir = stage.lintel.pid();
    stage.lintel.gone(heir);
    let again = Lintel::start_in(stage.lintel.dir.clone(), &Config::of(&stage.provider));
    until("the orphan of the process that was killed", || {
        again
            .rows()
            .iter()
            .any(|row| row.session() == "lost" && row.kind() == "orphaned")
    });
    gate.open();
    for (face, mut client) in streams {
        let (rest, _) = client.rest();
        assert!(
            String::from_utf8_lossy(&rest).ends_with(face.terminal()),
            "{face:?}"
        );
    }
    assert!(stage.lintel.ended().success());
    until("the rows of the first process", || {
        let rows = again.rows();
        rows.len() == 3 && rows.iter().filter(|row| row.outcome() == "success").count() == 2
    });
}

#[test]
fn a_key_that_is_revoked_in_the_new_process_is_revoked_in_the_old_one() {
    let (mut stage, gate) = gated();
    let streams = begun(&stage);
    let key = stage.lintel.key(&["--direct"]);
    let mut kept: Vec<Client> = (0..40).map(|_| stage.connect()).collect();
    for client in &mut kept {
        let reply = client.call(&Face::Openai.request(&stage.key.secret, "up/m", false));
        assert_eq!(reply.status, 200);
    }
    stage.lintel.upgrade().unwrap();
    stage.lintel.cli(&["key", "revoke", &key.id]);
    let mut kept = kept.into_iter();
    until("the old process to refuse the key", || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let mut client = kept.next().expect("a connection of the old process");
        client
            .call(&Face::Openai.request(&key.secret, "up/m", false))
            .status
            == 401
    });
    gate.open();
    drop(streams);
}

#[test]
fn nobody_to_replace_is_told() {
    let stage = Stage::good();
    let out = stage.lintel.try_cli(&["upgrade", "--store", "nowhere"]);
    assert_eq!(out.status.code(), Some(5));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(
        said.contains("no process runs on the store nowhere"),
        "{said}"
    );
}

/// A provider that answers at once, or streams slowly: an event every `pause`.
pub(crate) fn slowly(
    seen: &crate::harness::Seen,
    pause: std::time::Duration,
) -> crate::harness::Script {
    use crate::harness::{Act, Script};
    if seen.model() != "slow" {
        return dialect::answer(seen);
    }
    let events = dialect::face_of(seen).events();
    let paced =
        |script: Script, event: &&str| script.chunk(event.as_bytes()).then(Act::Wait(pause));
    events.iter().fold(Script::stream_head(), paced).end()
}
