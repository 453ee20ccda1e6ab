//! Tokens: made once under a name, revoked for good, audited without their hash; and the audit's filters.

use std::sync::Arc;

use super::*;
use crate::control::AuditFilter;
use crate::control::tests::Fixed;
use crate::samples::{NOW, Scratch};

const ID: &str = "tok_0707070707070707";

fn control() -> (Scratch, Control) {
    let scratch = Scratch::new();
    let control = Control::open(scratch.path(), Arc::new(Fixed)).unwrap();
    (scratch, control)
}

fn new(name: &str) -> NewToken {
    NewToken {
        name: name.into(),
        role: "viewer".into(),
        tenant: None,
        expires: None,
    }
}

#[test]
fn a_token_is_made_read_used_and_revoked_for_good() {
    let (_scratch, control) = control();
    let made = control.create_token(&new("ci"), [7; 32], "admin").unwrap();
    assert_eq!((made.id.as_str(), made.made_by.as_str()), (ID, "admin"));
    assert_eq!(control.token(ID).unwrap(), made);
    assert_eq!(control.token_hashes().unwrap(), [([7; 32], made.clone())]);

    control.token_used(ID, NOW).unwrap();
    control.token_used(ID, Timestamp::from_micros(1)).unwrap();
    assert_eq!(
        control.token(ID).unwrap().last_used,
        Some(NOW),
        "never moved back"
    );

    for _ in 0..2 {
        assert_eq!(control.revoke_token(ID, "ops").unwrap().revoked, Some(NOW));
    }
    let actions: Vec<_> = control
        .audit(None, 9)
        .unwrap()
        .into_iter()
        .map(|row| row.entry)
        .collect();
    let told: Vec<_> = actions
        .iter()
        .map(|entry| (&*entry.action, &*entry.actor))
        .collect();
    assert_eq!(told, [("token.revoke", "ops"), ("token.create", "admin")]);
    let (before, after) = (
        actions[0].before.as_ref().unwrap(),
        actions[0].after.as_ref().unwrap(),
    );
    assert!(
        before.contains("\"revoked\":null") && !after.contains("\"revoked\":null"),
        "{after}"
    );
    assert!(
        !format!("{actions:?}").contains(&"07".repeat(9)),
        "the hash"
    );
    assert!(matches!(
        control.revoke_token("tok_1", "ops"),
        Err(StoreError::NotFound { .. })
    ));
}

#[test]
fn a_name_is_given_once_and_never_to_what_is_no_token() {
    let (_scratch, control) = control();
    control.create_token(&new("ci"), [7; 32], "admin").unwrap();
    control.revoke_token(ID, "admin").unwrap();
    for name in ["ci", "admin", "config"] {
        let again = control.create_token(&new(name), [8; 32], "admin");
        assert!(matches!(again, Err(StoreError::Duplicate { .. })), "{name}");
    }
    for name in ["", "a b", "a\n"] {
        let refused = control.create_token(&new(name), [8; 32], "admin");
        assert!(
            matches!(refused, Err(StoreError::Invalid { .. })),
            "{name:?}"
        );
    }
    let past = NewToken {
        expires: Some(NOW),
        ..new("late")
    };
    assert!(matches!(
        control.create_token(&past, [8; 32], "admin"),
        Err(StoreError::Invalid { .. })
    ));
    let nowhere = NewToken {
        tenant: Some("none".into()),
        ..new("scoped")
    };
    assert!(matches!(
        control.create_token(&nowhere, [8; 32], "admin"),
        Err(StoreError::NotFound { .. })
    ));
    assert_eq!(control.tokens(None).unwrap().len(), 1);
}

#[test]
fn the_audit_is_asked_by_each_of_its_members() {
    let (_scratch, control) = control();
    control.create_tenant("acme", "ops").unwrap();
    control.create_token(&new("ci"), [7; 32], "admin").unwrap();
    let scoped = NewToken {
        tenant: Some("acme".into()),
        ..new("theirs")
    };
    control.create_token(&scoped, [8; 32], "admin").unwrap();
    let later = Timestamp::from_micros(NOW.as_micros() + 1);
    let text = |text: &str| Some(text.to_owned());
    let all = AuditFilter::default;
    for (filter, want) in [
        (all(), vec![3, 2, 1]),
        (
            AuditFilter {
                actor: text("admin"),
                ..all()
            },
            vec![3, 2],
        ),
        (
            AuditFilter {
                action: text("tenant.create"),
                ..all()
            },
            vec![1],
        ),
        (
            AuditFilter {
                object: text(ID),
                ..all()
            },
            vec![2],
        ),
        (
            AuditFilter {
                tenant: text("acme"),
                ..all()
            },
            vec![3, 1],
        ),
        (
            AuditFilter {
                since: Some(NOW),
                before: Some(3),
                ..all()
            },
            vec![2, 1],
        ),
        (
            AuditFilter {
                since: Some(later),
                ..all()
            },
            vec![],
        ),
        (
            AuditFilter {
                until: Some(NOW),
                ..all()
            },
            vec![],
        ),
        (
            AuditFilter {
                until: Some(later),
                actor: text("ops"),
                ..all()
            },
            vec![1],
        ),
    ] {
        let rows = control.audit_rows(&filter, 9).unwrap();
        let found: Vec<_> = rows.iter().map(|row| row.sequence).collect();
        assert_eq!(found, want, "{filter:?}");
    }
    assert_eq!(control.audit_row(2).unwrap().entry.object.as_ref(), ID);
    assert!(matches!(
        control.audit_row(9),
        Err(StoreError::NotFound { .. })
    ));
}

#[test]
fn a_token_does_not_outlive_its_tenant() {
    let (_scratch, control) = control();
    let of = |name: &str, tenant: Option<&str>| NewToken {
        tenant: tenant.map(Into::into),
        ..new(name)
    };
    for tenant in ["acme", "globex"] {
        control.create_tenant(tenant, "ops").unwrap();
    }
    let create = |name, tenant, byte| control.create_token(&of(name, tenant), [byte; 32], "ops");
    let its = create("its", Some("acme"), 1).unwrap();
    let former = create("former", Some("acme"), 2).unwrap();
    let other = create("other", Some("globex"), 3).unwrap();
    let all = create("all", None, 4).unwrap();
    control.revoke_token(&former.id, "ops").unwrap();
    let erasure = control
        .begin_erasure("acme", "deleted:x", false, "boss")
        .unwrap();
    let revoked = |token: &TokenRow| control.token(&token.id).unwrap().revoked.is_some();
    assert_eq!(
        [&its, &former, &other, &all].map(revoked),
        [true, true, false, false]
    );
    // One row for the one that changed.
    let rows = control.audit(None, 99).unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| &row.entry)
        .filter(|entry| &*entry.action == "token.revoke" && &*entry.actor == "boss")
        .map(|entry| (&*entry.object, entry.tenant.as_deref()))
        .collect();
    assert_eq!(told, [(its.id.as_str(), Some("acme"))]);
    // While it goes nothing new is made for it; whoever has the name next begins with nothing.
    let refused = create("late", Some("acme"), 5).unwrap_err();
    assert!(
        refused.to_string().contains("is being deleted"),
        "{refused}"
    );
    control
        .finish_erasure(&erasure, &Default::default())
        .unwrap();
    control.create_tenant("acme", "ops").unwrap();
    assert!(revoked(&its));
    create("late", Some("acme"), 5).unwrap();
}
