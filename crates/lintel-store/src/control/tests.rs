//! Control state's promises.

use lintel_types::{AuditEntry, AuditSink, Mono, RouteAccess};

use super::*;
use crate::samples::{NOW, Scratch};

pub(crate) struct Fixed;

impl Clock for Fixed {
    fn wall(&self) -> Timestamp {
        NOW
    }

    fn mono(&self) -> Mono {
        Mono::default()
    }
}

fn control() -> (Scratch, Control) {
    let scratch = Scratch::new();
    let control = Control::open(scratch.path(), Arc::new(Fixed)).unwrap();
    (scratch, control)
}

pub(crate) fn new_key(tenant: &str) -> NewKey {
    NewKey {
        tenant: tenant.into(),
        project: "search".into(),
        name: "ci".into(),
        routes: RouteAccess::Only(vec!["chat".into()]),
        direct: true,
        expose_targets: false,
        expires: Some(NOW.plus(std::time::Duration::from_secs(60))),
    }
}

fn actions(control: &Control) -> Vec<String> {
    let mut actions: Vec<String> = control
        .audit(None, 100)
        .unwrap()
        .iter()
        .map(|r| format!("{} {}", r.entry.action, r.entry.object))
        .collect();
    actions.reverse();
    actions
}

const ID: &str = "key_0707070707070707";

#[test]
fn a_key_makes_its_tenant_and_project_and_each_is_audited() {
    let (_scratch, control) = control();
    let key = control
        .create_key(&new_key("acme"), [7; 32], "admin")
        .unwrap();
    assert_eq!(key.id, ID);
    assert_eq!(control.key(ID).unwrap(), key);
    assert_eq!(control.tenants().unwrap()[0].name, "acme");
    assert_eq!(control.projects(Some("acme")).unwrap()[0].name, "search");
    assert_eq!(
        actions(&control),
        [
            "tenant.create acme",
            "project.create acme/search",
            &format!("key.create {ID}")
        ]
    );
    let (hash, principal, state) = control.principals().unwrap().remove(0);
    assert_eq!((hash, state), ([7; 32], KeyState::Active));
    assert_eq!(
        (&*principal.tenant, &*principal.key, principal.direct),
        ("acme", ID, true)
    );
    assert!(principal.routes.allows("chat") && !principal.routes.allows("other"));
}

#[test]
fn expiry_is_kept_and_a_past_one_refused() {
    let (_scratch, control) = control();
    let key = control
        .create_key(&new_key("acme"), [7; 32], "admin")
        .unwrap();
    let expires = key.expires.unwrap();
    assert!(key.usable(NOW) && !key.usable(expires));
    let past = NewKey {
        expires: Some(NOW),
        ..new_key("acme")
    };
    assert!(matches!(
        control.create_key(&past, [8; 32], "admin"),
        Err(StoreError::Invalid { what: "expiry", .. })
    ));
    assert_eq!(control.keys(&KeyFilter::default()).unwrap().len(), 1);
}

#[test]
fn revoking_is_final_and_audited_once() {
    let (scratch, control) = control();
    control
        .create_key(&new_key("acme"), [7; 32], "admin")
        .unwrap();
    assert_eq!(
        control.disable_key(ID, "ops").unwrap().state,
        KeyState::Disabled
    );
    assert_eq!(
        control.enable_key(ID, "ops").unwrap().state,
        KeyState::Active
    );
    assert_eq!(
        control.revoke_key(ID, "ops").unwrap().state,
        KeyState::Revoked
    );
    assert_eq!(
        control.revoke_key(ID, "ops").unwrap().state,
        KeyState::Revoked
    );
    assert!(matches!(
        control.enable_key(ID, "ops"),
        Err(StoreError::Invalid { .. })
    ));
    assert!(matches!(
        control.revoke_key("key_none", "ops"),
        Err(StoreError::NotFound { .. })
    ));
    let last = control.audit(None, 1).unwrap().remove(0);
    assert_eq!(
        (&*last.entry.action, &*last.entry.actor, last.entry.at),
        ("key.revoke", "ops", NOW)
    );
    assert!(
        last.entry.before.unwrap().contains("\"active\"")
            && last.entry.after.unwrap().contains("\"revoked\"")
    );
    assert_eq!(actions(&control).len(), 6);
    drop(control);
    let again = Control::open(scratch.path(), Arc::new(Fixed)).unwrap();
    assert_eq!(again.principals().unwrap()[0].2, KeyState::Revoked);
}

#[test]
fn duplicates_change_nothing() {
    let (_scratch, control) = control();
    control.create_tenant("acme", "admin").unwrap();
    assert!(matches!(
        control.create_tenant("acme", "admin"),
        Err(StoreError::Duplicate { what: "tenant", .. })
    ));
    control.create_project("acme", "search", "admin").unwrap();
    assert!(matches!(
        control.create_project("acme", "search", "admin"),
        Err(StoreError::Duplicate { .. })
    ));
    control
        .create_key(&new_key("acme"), [7; 32], "admin")
        .unwrap();
    let before = actions(&control);
    // The tenant of a refused key isn't made either.
    assert!(matches!(
        control.create_key(&new_key("other"), [7; 32], "admin"),
        Err(StoreError::Duplicate { what: "key", .. })
    ));
    assert_eq!(control.tenants().unwrap().len(), 1);
    assert_eq!(actions(&control), before);
}

#[test]
fn names_are_checked() {
    let (_scratch, control) = control();
    for name in ["", "a b", "a/b", "é", &"x".repeat(65)] {
        assert!(
            matches!(
                control.create_tenant(name, "admin"),
                Err(StoreError::Invalid { .. })
            ),
            "{name}"
        );
    }
    let labelled = NewKey {
        name: "line\nbreak".into(),
        ..new_key("acme")
    };
    assert!(control.create_key(&labelled, [7; 32], "admin").is_err());
    assert!(control.audit(None, 9).unwrap().is_empty());
}

#[test]
fn keys_are_listed_by_tenant_and_project() {
    let (_scratch, control) = control();
    control
        .create_key(&new_key("acme"), [1; 32], "admin")
        .unwrap();
    control
        .create_key(&new_key("beta"), [2; 32], "admin")
        .unwrap();
    let count = |tenant: Option<&str>, project: Option<&str>| {
        control
            .keys(&KeyFilter {
                tenant: tenant.map(Into::into),
                project: project.map(Into::into),
            })
            .unwrap()
            .len()
    };
    assert_eq!(
        (
            count(None, None),
            count(Some("acme"), None),
            count(Some("acme"), Some("none")),
            count(None, Some("search"))
        ),
        (2, 1, 0, 2)
    );
}

#[test]
fn what_is_shown_and_audited_holds_no_hash() {
    let (_scratch, control) = control();
    control
        .create_key(&new_key("acme"), [0xab; 32], "admin")
        .unwrap();
    control.revoke_key("key_abababababababab", "admin").unwrap();
    let keys = control.keys(&KeyFilter::default()).unwrap();
    let shown = serde_json::to_string(&(keys, control.audit(None, 9).unwrap())).unwrap();
    assert!(shown.contains("key_abababababababab"));
    assert!(
        !shown.contains(&"ab".repeat(9)),
        "more of the hash than the id shows: {shown}"
    );
    assert!(!shown.contains("171,171"), "the hash as numbers: {shown}");
}

#[test]
fn audit_rows_can_only_be_added() {
    let (scratch, control) = control();
    let entry = AuditEntry {
        at: NOW,
        actor: "config".into(),
        action: "config.reload".into(),
        object: "lintel.yaml".into(),
        tenant: None,
        before: None,
        after: Some("{}".into()),
    };
    AuditSink::append(&control, &entry).unwrap();
    assert_eq!(
        control.audit(None, 9).unwrap(),
        [AuditRow { sequence: 1, entry }]
    );
    assert!(control.audit(Some(1), 9).unwrap().is_empty());
    let db = Connection::open(scratch.path().join("control.sqlite")).unwrap();
    for sql in ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"] {
        assert!(
            db.execute(sql, [])
                .unwrap_err()
                .to_string()
                .contains("append-only"),
            "{sql}"
        );
    }
}

#[test]
fn a_change_whose_audit_cannot_be_written_does_not_happen() {
    let (scratch, control) = control();
    let db = Connection::open(scratch.path().join("control.sqlite")).unwrap();
    db.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END",
    )
    .unwrap();
    assert!(
        control
            .create_key(&new_key("acme"), [7; 32], "admin")
            .is_err()
    );
    assert!(
        control.keys(&KeyFilter::default()).unwrap().is_empty()
            && control.tenants().unwrap().is_empty()
    );
}
