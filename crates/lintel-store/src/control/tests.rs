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

pub(super) fn control() -> (Scratch, Control) {
    let scratch = Scratch::new();
    let control = Control::open(scratch.path(), Arc::new(Fixed)).unwrap();
    (scratch, control)
}

pub(crate) fn new_key(tenant: &str) -> NewKey {
    NewKey {
        tenant: tenant.into(),
        project: "search".into(),
        spec: KeySpec {
            name: "ci".into(),
            routes: RouteAccess::Only(vec!["chat".into()]),
            direct: true,
            expires: Some(NOW.plus(std::time::Duration::from_secs(60))),
            ..KeySpec::default()
        },
    }
}

pub(super) fn secret(byte: u8) -> NewSecret {
    NewSecret {
        hash: [byte; 32],
        prefix: Some(format!("lk_{byte}")),
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
        .create_key(&new_key("acme"), &secret(7), "admin")
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
    let stored = control.secrets().unwrap().remove(0);
    assert_eq!((stored.hash, stored.state), ([7; 32], KeyState::Active));
    let principal = stored.principal;
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
        .create_key(&new_key("acme"), &secret(7), "admin")
        .unwrap();
    let expires = key.spec.expires.unwrap();
    assert!(key.usable(NOW) && !key.usable(expires));
    let mut past = new_key("acme");
    past.spec.expires = Some(NOW);
    assert!(matches!(
        control.create_key(&past, &secret(8), "admin"),
        Err(StoreError::Invalid { what: "expiry", .. })
    ));
    assert_eq!(control.keys(&KeyFilter::default()).unwrap().len(), 1);
}

#[test]
fn revoking_is_final_and_audited_once() {
    let (scratch, control) = control();
    control
        .create_key(&new_key("acme"), &secret(7), "admin")
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
        Err(StoreError::Revoked { .. })
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
    assert_eq!(again.secrets().unwrap()[0].state, KeyState::Revoked);
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
        .create_key(&new_key("acme"), &secret(7), "admin")
        .unwrap();
    let before = actions(&control);
    // The tenant of a refused key isn't made either.
    assert!(matches!(
        control.create_key(&new_key("other"), &secret(7), "admin"),
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
    let mut labelled = new_key("acme");
    labelled.spec.name = "line\nbreak".into();
    assert!(control.create_key(&labelled, &secret(7), "admin").is_err());
    assert!(control.audit(None, 9).unwrap().is_empty());
}

#[test]
fn keys_are_listed_by_tenant_and_project() {
    let (_scratch, control) = control();
    control
        .create_key(&new_key("acme"), &secret(1), "admin")
        .unwrap();
    control
        .create_key(&new_key("beta"), &secret(2), "admin")
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
        .create_key(&new_key("acme"), &secret(0xab), "admin")
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
            .create_key(&new_key("acme"), &secret(7), "admin")
            .is_err()
    );
    assert!(
        control.keys(&KeyFilter::default()).unwrap().is_empty()
            && control.tenants().unwrap().is_empty()
    );
}

#[test]
fn a_key_is_changed_field_by_field_and_audited_when_it_is() {
    use lintel_types::{Caps, Priority};
    let (_scratch, control) = control();
    let made = control
        .create_key(&new_key("acme"), &secret(7), "admin")
        .unwrap();
    let spec = KeySpec {
        owner: "search@acme.example".into(),
        caps: Caps {
            max_body: Some(1_000),
            models: Some(vec!["up/*".into()]),
            priority: Some(Priority::Batch),
            ..Caps::default()
        },
        expires: None,
        ..made.spec.clone()
    };
    let changed = control
        .change_key(ID, None, "ops", |_| spec.clone())
        .unwrap();
    assert_eq!(changed.spec, spec);
    assert_eq!(control.key(ID).unwrap(), changed);
    let before = actions(&control).len();
    control
        .change_key(ID, None, "ops", |now| now.spec.clone())
        .unwrap();
    assert_eq!(actions(&control).len(), before, "nothing changed");
    let last = control.audit(None, 1).unwrap().remove(0).entry;
    assert_eq!((&*last.action, &*last.actor), ("key.update", "ops"));
    assert!(last.before.unwrap().contains("\"caps\":{}"));
    assert!(last.after.unwrap().contains("\"max_body\":1000"));
    let principal = control.secrets().unwrap().remove(0).principal;
    assert_eq!(principal.caps, spec.caps);
    for (bad, what) in [
        (
            Caps {
                max_body: Some(0),
                ..Caps::default()
            },
            "max_body",
        ),
        (
            Caps {
                models: Some(vec!["gpt".into()]),
                ..Caps::default()
            },
            "model",
        ),
        (
            Caps {
                feature: Some("a\nb".into()),
                ..Caps::default()
            },
            "feature",
        ),
    ] {
        let refused = control.change_key(ID, None, "ops", |now| KeySpec {
            caps: bad,
            ..now.spec.clone()
        });
        assert!(refused.unwrap_err().to_string().starts_with(what), "{what}");
    }
    control.revoke_key(ID, "ops").unwrap();
    let late = control.change_key(ID, None, "ops", |_| KeySpec::default());
    assert!(late.unwrap_err().to_string().contains("revoked"));
}

#[test]
fn a_rotation_gives_the_old_secret_an_end_and_keeps_everything_else() {
    use std::time::Duration;
    let (_scratch, control) = control();
    let mut new = new_key("acme");
    new.spec.expires = None;
    let made = control.create_key(&new, &secret(7), "admin").unwrap();
    let hour = Duration::from_secs(3_600);
    let rotated = control.rotate_key(ID, &secret(8), hour, "ops").unwrap();
    assert_eq!((&rotated.id, &rotated.spec), (&made.id, &made.spec));
    let ends = |key: &KeyRow| -> Vec<(String, Option<Timestamp>)> {
        let end = |s: &SecretRow| (s.prefix.clone().unwrap(), s.expires);
        key.secrets.iter().map(end).collect()
    };
    let first = Some(NOW.plus(hour));
    assert_eq!(
        ends(&rotated),
        [("lk_8".into(), None), ("lk_7".into(), first)]
    );
    // A second rotation within the overlap doesn't lengthen the first secret's life.
    let twice = control.rotate_key(ID, &secret(9), 2 * hour, "ops").unwrap();
    assert_eq!(
        ends(&twice),
        [
            ("lk_9".into(), None),
            ("lk_8".into(), Some(NOW.plus(2 * hour))),
            ("lk_7".into(), first)
        ]
    );
    // Both stand for one caller.
    let stored = control.secrets().unwrap();
    assert!(stored.iter().all(|s| &*s.principal.key == ID) && stored.len() == 3);
    // A secret of another key can't become this one's.
    assert!(matches!(
        control.rotate_key(ID, &secret(7), hour, "ops"),
        Err(StoreError::Duplicate { .. })
    ));
    for byte in [10, 11] {
        control.rotate_key(ID, &secret(byte), hour, "ops").unwrap();
    }
    assert!(matches!(
        control.rotate_key(ID, &secret(12), hour, "ops"),
        Err(StoreError::Conflict { .. })
    ));
    // Without an overlap every former secret ends now.
    let alone = control
        .rotate_key(ID, &secret(13), Duration::ZERO, "ops")
        .unwrap();
    assert!(
        ends(&alone)
            .iter()
            .skip(1)
            .all(|(_, end)| *end == Some(NOW))
    );
    let shown = serde_json::to_string(&control.audit(None, 99).unwrap()).unwrap();
    assert!(
        shown.contains("key.rotate") && !shown.contains(&"0d".repeat(9)),
        "{shown}"
    );
    control.revoke_key(ID, "ops").unwrap();
    assert!(control.rotate_key(ID, &secret(14), hour, "ops").is_err());
}

#[test]
fn use_only_moves_forward_and_is_not_audited() {
    let (_scratch, control) = control();
    control
        .create_key(&new_key("acme"), &secret(7), "admin")
        .unwrap();
    let audited = actions(&control).len();
    let at = |seconds| NOW.plus(std::time::Duration::from_secs(seconds));
    control
        .note_used(&[([7; 32], at(60)), ([9; 32], at(60))])
        .unwrap();
    control.note_used(&[([7; 32], at(10))]).unwrap();
    let key = control.key(ID).unwrap();
    assert_eq!(
        (key.used, key.secrets[0].used),
        (Some(at(60)), Some(at(60)))
    );
    assert_eq!(control.secrets().unwrap()[0].used, Some(at(60)));
    assert_eq!(actions(&control).len(), audited);
}
