//! Backups and the store's files over the control API.

use serde_json::{Value, json};

use crate::bench::Bench;

#[tokio::test]
async fn a_backup_is_begun_seen_and_listed() {
    let bench = Bench::new();
    let none = bench.get("/api/v1/backups/latest").await;
    assert_eq!((none.0, &none.1["state"]), (200, &json!("none")));
    let begun = bench.ask("POST", "/api/v1/backups", None).await;
    assert_eq!(
        (begun.0, &begun.1["state"]),
        (200, &json!("running")),
        "{begun:?}"
    );
    let done = loop {
        let (status, latest) = bench.get("/api/v1/backups/latest").await;
        assert_eq!(status, 200);
        if latest["state"] != "running" {
            break latest;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    assert_eq!(done["state"], "done", "{done}");
    let checked =
        lintel_store::backup::verify(std::path::Path::new(done["path"].as_str().unwrap())).unwrap();
    assert_eq!(checked.problems, Vec::<String>::new());
    let (_, page) = bench.get("/api/v1/backups").await;
    let listed = page["data"].as_array().unwrap();
    assert_eq!(
        (
            listed.len(),
            &listed[0]["finished"],
            &listed[0]["ledger_rows"]
        ),
        (1, &json!(true), &json!(0))
    );
    let audit = bench.control.audit(None, 1).unwrap();
    assert_eq!(
        (&*audit[0].entry.action, &*audit[0].entry.actor),
        ("backup.create", "admin")
    );
    // No request names a path.
    let (status, problem) = bench
        .ask("POST", "/api/v1/backups", Some(json!({"to": "/tmp/x"})))
        .await;
    assert_eq!(status, 400, "{problem}");
    assert!(!std::path::Path::new("/tmp/x").exists());
}

#[tokio::test]
async fn the_store_is_looked_at_and_compacted() {
    let bench = Bench::new();
    let (status, state) = bench.get("/api/v1/store?count=true").await;
    assert_eq!(status, 200, "{state}");
    let files: Vec<&Value> = state["databases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| &d["file"])
        .collect();
    assert_eq!(
        files,
        [
            &json!("control.sqlite"),
            &json!("ledger.sqlite"),
            &json!("log.sqlite")
        ]
    );
    assert_eq!(state["databases"][1]["rows"], 0);
    assert!(state["disk_free_bytes"].as_u64().unwrap() > 0);
    let (status, done) = bench.ask("POST", "/api/v1/store/compact", None).await;
    assert!(status == 200 && done["freed_bytes"].is_u64(), "{done}");
    assert_eq!(
        &*bench.control.audit(None, 1).unwrap()[0].entry.action,
        "store.compact"
    );
}
