//! Tenants declared in files, and tenants that go with all that is theirs.

use std::path::Path;

use serde_json::Value;

use crate::ends::{CONTENT, broken, choose};
use crate::harness::process::Key;
use crate::harness::script::Gate;
use crate::harness::{FACES, Face, Lintel, Stage, until};

fn write(lintel: &Lintel, name: &str, text: &str) {
    let path = lintel.dir.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

const FILE: &str = "tenants:
  globex:
    projects:
      search:
        keys:
          web:
            owner: search@globex.example
            direct: true
            max_body: 1MB
          nightly:
            secret: ${NIGHTLY_KEY}
            direct: true
            priority: batch
";

#[test]
fn files_are_planned_applied_once_and_pruned() {
    let stage = Stage::good();
    let lintel = &stage.lintel;
    let secret = "lk_nightly_0123456789abcdefghij";
    let apply = |args: &[&str]| {
        let mut command = lintel.command();
        command
            .env("NIGHTLY_KEY", secret)
            .args(["apply", "-f", "keys"])
            .args(args);
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (
            output.status.code().unwrap(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    write(lintel, "keys/globex.yaml", FILE);
    let (code, plan, _) = apply(&["--plan"]);
    assert_eq!(code, 6, "{plan}");
    assert!(
        plan.contains("+ tenant globex")
            && plan.contains("owner: not set -> \"search@globex.example\""),
        "{plan}"
    );
    assert!(!plan.contains(secret));
    // Nobody to ask.
    let (code, _, said) = apply(&[]);
    assert!(code == 2 && said.contains("--yes"), "{said}");
    let (code, done, _) = apply(&["--yes"]);
    assert_eq!(code, 0, "{done}");
    let minted = done
        .split_whitespace()
        .find(|w| w.starts_with("lk_"))
        .unwrap()
        .to_owned();
    let face = Face::Openai;
    let status = |key: &str| {
        stage
            .connect()
            .call(&face.request(key, "up/m", false))
            .status
    };
    assert_eq!((status(&minted), status(secret)), (200, 200));
    // Again: nothing.
    assert_eq!(apply(&["--plan"]).0, 0);
    let (code, again, _) = apply(&["--yes"]);
    assert!(
        code == 0 && again.contains("nothing to change") && !again.contains("lk_"),
        "{again}"
    );
    // A change is told field by field, and in force at once.
    write(
        lintel,
        "keys/globex.yaml",
        &FILE.replace("max_body: 1MB", "max_body: 1B\n            disabled: false"),
    );
    let (_, plan, _) = apply(&["--plan"]);
    assert!(
        plan.contains("~ key globex/search/web") && plan.contains("max_body: 1048576 -> 1"),
        "{plan}"
    );
    assert_eq!(apply(&["--yes"]).0, 0);
    assert_eq!(status(&minted), 413);
    // Without --prune what is gone from the files stays.
    let (kept, _) = FILE.split_once("          nightly:").unwrap();
    write(
        lintel,
        "keys/globex.yaml",
        &kept.replace("max_body: 1MB", "max_body: 1B"),
    );
    assert_eq!(apply(&["--plan"]).0, 0);
    let by_hand = lintel.key_of("globex", &["--direct"]);
    let (_, plan, _) = apply(&["--plan", "--prune"]);
    assert!(
        plan.contains("- key globex/search/nightly") && plan.contains("1 would change"),
        "{plan}"
    );
    assert_eq!(apply(&["--yes", "--prune"]).0, 0);
    assert_eq!((status(secret), status(&by_hand.secret)), (401, 200));
    let list = lintel.cli(&["key", "list", "--tenant", "globex", "--json"]);
    assert!(!list.contains(secret) && !lintel.output().contains(secret));
}

#[test]
fn files_with_problems_change_nothing() {
    let stage = Stage::good();
    write(&stage.lintel, "bad.yaml", &FILE.replace("owner:", "ownr:"));
    let output = stage.lintel.try_cli(&["apply", "-f", "bad.yaml", "--yes"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("bad.yaml:7:13") && said.contains("did you mean `owner`?"),
        "{said}"
    );
    // One key of two can't be: neither is made. `NIGHTLY_KEY` is not set.
    write(&stage.lintel, "bad.yaml", FILE);
    assert_eq!(
        stage
            .lintel
            .try_cli(&["apply", "-f", "bad.yaml", "--yes"])
            .status
            .code(),
        Some(2)
    );
    let hash = "ab".repeat(32);
    let same = FILE.replace("${NIGHTLY_KEY}", &format!("sha256:{hash}"));
    let same = same.replace(
        "          web:\n",
        &format!("          web:\n            secret: sha256:{hash}\n"),
    );
    write(&stage.lintel, "bad.yaml", &same);
    assert_eq!(
        stage
            .lintel
            .try_cli(&["apply", "-f", "bad.yaml", "--yes"])
            .status
            .code(),
        Some(1)
    );
    let tenants = stage.lintel.cli(&["tenant", "list", "--json"]);
    assert!(!tenants.contains("globex"), "{tenants}");
    let schema = stage.lintel.cli(&["config", "schema", "--apply"]);
    assert!(schema.contains("max_in_flight"));
}

#[test]
fn projects_come_and_go() {
    let stage = Stage::good();
    let lintel = &stage.lintel;
    lintel.cli(&["project", "create", "globex", "ads"]);
    assert!(
        lintel
            .cli(&["project", "list", "--tenant", "globex"])
            .contains("ads")
    );
    let key = lintel.key_of("globex", &[]);
    let held = lintel.try_cli(&["project", "delete", "globex", "search"]);
    assert!(
        !held.status.success()
            && String::from_utf8_lossy(&held.stderr).contains("revoke them first")
    );
    lintel.cli(&["key", "revoke", &key.id]);
    for project in ["search", "ads"] {
        lintel.cli(&["project", "delete", "globex", project]);
    }
    assert!(
        lintel
            .cli(&["project", "list", "--tenant", "globex"])
            .contains("no projects")
    );
    let gone = lintel.try_cli(&["project", "delete", "globex", "ads"]);
    assert_eq!(gone.status.code(), Some(3));
}

const WORDS: [&str; 3] = ["erika-mustermann", "ticket-4711", "globex-corp"];

fn files_with(dir: &Path, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, word));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(word.len()).any(|w| w == word.as_bytes())
        {
            found.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    found
}

fn call(stage: &Stage, key: &Key, face: Face, model: &str) -> u16 {
    let request = face
        .request(&key.secret, &face.direct(model), false)
        .header("x-lintel-user", WORDS[0])
        .header("x-lintel-session", WORDS[1]);
    stage.connect().call(&request).status
}

/// A tenant with calls behind it and a stream under way; the other tenant has some too.
fn two_tenants() -> (Stage, Gate, Key) {
    let gate = Gate::default();
    let held = gate.clone();
    let stage = Stage::with(move |seen| choose(seen, &held), |c| c);
    let key = stage.lintel.key_of(WORDS[2], &["--direct"]);
    for face in FACES {
        for _ in 0..5 {
            assert_eq!(call(&stage, &key, face, "m"), 200);
        }
        assert_eq!(stage.call(face, &face.direct("m"), false).0.status, 200);
    }
    until("the rows", || stage.lintel.rows().len() == 12);
    (stage, gate, key)
}

#[test]
fn a_deleted_tenant_leaves_its_money_and_no_trace() {
    let (stage, _gate, key) = two_tenants();
    let store = stage.lintel.dir.path().join("store");
    let before = stage.lintel.usage();
    let face = Face::Openai;
    let mut client = stage.connect();
    let request = face
        .request(&key.secret, "up/begun", true)
        .header("x-lintel-session", WORDS[1]);
    client.send(&request.bytes()).unwrap();
    client.head().unwrap();
    client.until(CONTENT).unwrap();
    // Its name has to be said, and somebody has to say it.
    let unsaid = stage.lintel.try_cli(&["tenant", "delete", WORDS[2]]);
    assert_eq!(unsaid.status.code(), Some(2));
    let wrong = stage
        .lintel
        .ask("DELETE", "/api/v1/tenants/globex-corp?confirm=acme");
    assert_eq!(wrong.status, 400);
    let said = stage.lintel.cli(&["tenant", "delete", WORDS[2], "--yes"]);
    assert!(
        said.contains("is gone") && said.contains("1 keys"),
        "{said}"
    );
    // The stream was cut, and the key is not known any more.
    let (rest, _) = client.rest();
    broken(face, &String::from_utf8_lossy(&rest));
    assert_eq!(call(&stage, &key, face, "m"), 401);
    // No row and no byte of it: the audit alone says that there was such a tenant.
    for word in &WORDS[..2] {
        assert_eq!(files_with(&store, word), Vec::<String>::new(), "{word}");
    }
    let named = files_with(&store, WORDS[2]);
    assert!(
        named.iter().all(|f| f.starts_with("control.sqlite")),
        "{named:?}"
    );
    assert!(
        stage
            .lintel
            .rows()
            .iter()
            .all(|r| r.0["who"]["tenant"] == "acme")
    );
    // Money ties: what was booked is booked, and the cut stream with it.
    let after = stage.lintel.usage();
    assert_eq!(after.attempts, before.attempts + 1);
    assert!(after.cost > before.cost);
    let usage: Value =
        serde_json::from_str(
            &stage
                .lintel
                .cli(&["usage", "--by", "tenant,user", "--json"]),
        )
        .unwrap();
    let text = usage.to_string();
    assert!(
        text.contains("deleted:") && !text.contains(WORDS[0]),
        "{text}"
    );
    // Again: it is not there. The name is free, and begins with nothing.
    assert_eq!(
        stage
            .lintel
            .try_cli(&["tenant", "delete", WORDS[2], "--yes"])
            .status
            .code(),
        Some(3)
    );
    let new = stage.lintel.key_of(WORDS[2], &["--direct"]);
    assert_eq!(call(&stage, &new, face, "m"), 200);
    assert!(!stage.lintel.output().contains("deleting a tenant failed"));
}

#[test]
fn a_deletion_that_a_crash_interrupts_is_ended_by_the_next_process() {
    let (mut stage, _gate, _key) = two_tenants();
    let begun = stage.lintel.cli(&[
        "tenant",
        "delete",
        WORDS[2],
        "--yes",
        "--no-wait",
        "--ledger",
    ]);
    assert!(begun.contains("being deleted"), "{begun}");
    stage.lintel.kill();
    let dir = stage.lintel.dir.clone();
    let again = Lintel::start_in(dir.clone(), &crate::harness::Config::of(&stage.provider));
    until("the tenant to be gone", || {
        again.ask("GET", "/api/v1/tenants/globex-corp").status == 404
    });
    let store = dir.path().join("store");
    for word in &WORDS[..2] {
        assert_eq!(files_with(&store, word), Vec::<String>::new(), "{word}");
    }
    let text = again.cli(&["usage", "--by", "tenant", "--json"]);
    assert!(
        text.contains("acme") && !text.contains("deleted:") && !text.contains(WORDS[2]),
        "{text}"
    );
}

#[test]
fn a_tenant_of_the_configuration_stays() {
    let stage = Stage::good();
    let yaml = stage.lintel.dir.path().join("lintel.yaml");
    let text = std::fs::read_to_string(&yaml).unwrap();
    std::fs::write(
        &yaml,
        format!("{text}tenants: {{ initech: {{ projects: {{ p: {{}} }} }} }}\n"),
    )
    .unwrap();
    stage.lintel.signal("HUP");
    until("the reload", || {
        stage.lintel.cli(&["tenant", "list"]).contains("initech")
    });
    let kept = stage
        .lintel
        .try_cli(&["tenant", "delete", "initech", "--yes"]);
    let said = String::from_utf8_lossy(&kept.stderr).into_owned();
    assert!(
        kept.status.code() == Some(1) && said.contains("declared in the configuration"),
        "{said}"
    );
}

#[test]
fn a_tenants_token_goes_with_it_and_does_not_open_the_next_of_that_name() {
    let stage = Stage::good();
    let lintel = &stage.lintel;
    let token = |name: &str, tenant: &str| {
        lintel.cli(&["tenant", "create", tenant]);
        let args = ["--role", "admin", "--tenant", tenant, "--json"];
        let made = lintel.cli(&[&["token", "create", name][..], &args].concat());
        let made: Value = serde_json::from_str(&made).unwrap();
        made["token"].as_str().unwrap().to_owned()
    };
    let status = |token: &str| {
        let request = crate::harness::Request::new("GET", "/api/v1/tokens/me")
            .header("authorization", &format!("Bearer {token}"));
        crate::harness::Client::connect(lintel.admin)
            .call(&request)
            .status
    };
    let (its, other) = (token("theirs", "globex"), token("others", "initech"));
    assert_eq!((status(&its), status(&other)), (200, 200));
    lintel.cli(&["tenant", "delete", "globex", "--yes", "--no-wait"]);
    assert_eq!((status(&its), status(&other)), (401, 200));
    until("the tenant to be gone", || {
        lintel.ask("GET", "/api/v1/tenants/globex").status == 404
    });
    lintel.cli(&["tenant", "create", "globex"]);
    assert_eq!((status(&its), status(&other)), (401, 200));
    // Files that made a tenant and do not name it any more.
    let apply = |text: &str| {
        write(lintel, "keys.yaml", text);
        lintel.cli(&["apply", "-f", "keys.yaml", "--prune", "--yes"]);
    };
    apply("tenants: { hooli: {} }\n");
    let args = ["--role", "admin", "--tenant", "hooli", "--json"];
    let made = lintel.cli(&[&["token", "create", "pruned"][..], &args].concat());
    let made: Value = serde_json::from_str(&made).unwrap();
    let pruned = made["token"].as_str().unwrap();
    assert_eq!(status(pruned), 200);
    apply("tenants: {}\n");
    assert_eq!((status(pruned), status(&other)), (401, 200));
}
