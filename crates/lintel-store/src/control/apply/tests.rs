//! Applying is idempotent, all or nothing, and deletes only what it made.

use super::*;
use crate::control::tests::{control, new_key, secret};
use lintel_types::Caps;

fn key(spec: KeySpec) -> DesiredKey {
    DesiredKey {
        hash: None,
        overlap: Duration::from_secs(3_600),
        spec,
        disabled: false,
    }
}

fn desired(keys: &[(&str, DesiredKey)]) -> Desired {
    let keys = keys
        .iter()
        .map(|(n, k)| ((*n).to_owned(), k.clone()))
        .collect();
    [("acme".to_owned(), [("search".to_owned(), keys)].into())].into()
}

fn apply(control: &Control, desired: &Desired, how: ApplyHow<'_>) -> Result<Plan, StoreError> {
    let mut next = 100;
    let mut mint = |_: &str| {
        next += 1;
        Ok(secret(next))
    };
    control.apply(desired, how, &mut mint, "ci")
}

fn shown(plan: &Plan) -> Vec<String> {
    let fields = |step: &Step| {
        let names: Vec<&str> = step.fields.iter().map(|f| f.field.as_str()).collect();
        names.join(",")
    };
    plan.steps
        .iter()
        .map(|s| format!("{} {} {} {}", s.action, s.kind, s.name, fields(s)))
        .map(|s| s.trim_end().to_owned())
        .collect()
}

const NOW: ApplyHow<'_> = ApplyHow {
    prune: false,
    dry_run: false,
    state: None,
};

#[test]
fn a_plan_changes_nothing_its_execution_all_of_it_and_a_second_one_nothing() {
    let (_scratch, control) = control();
    let owner = KeySpec {
        owner: "search".into(),
        ..KeySpec::default()
    };
    let want = desired(&[
        ("web", key(owner.clone())),
        ("batch", key(KeySpec::default())),
    ]);
    let dry = ApplyHow {
        dry_run: true,
        ..NOW
    };
    let plan = apply(&control, &want, dry).unwrap();
    assert_eq!(
        shown(&plan),
        [
            "create tenant acme",
            "create project acme/search",
            "create key acme/search/batch secret",
            "create key acme/search/web owner,secret"
        ]
    );
    assert!(control.tenants().unwrap().is_empty() && control.audit(None, 9).unwrap().is_empty());
    let how = ApplyHow {
        state: Some(&plan.state),
        ..NOW
    };
    assert_eq!(shown(&apply(&control, &want, how).unwrap()), shown(&plan));
    assert!(matches!(
        apply(&control, &want, how),
        Err(StoreError::Moved)
    ));
    assert!(apply(&control, &want, NOW).unwrap().steps.is_empty());
    // Use moves nothing.
    let state = apply(&control, &want, dry).unwrap().state;
    let stored = control.secrets().unwrap();
    control
        .note_used(&[(stored[0].hash, lintel_types::Timestamp::from_micros(9))])
        .unwrap();
    assert_eq!(apply(&control, &want, dry).unwrap().state, state);
    // A change is told field by field.
    let mut changed = key(KeySpec {
        caps: Caps {
            max_body: Some(9),
            ..Caps::default()
        },
        ..owner
    });
    changed.hash = Some([8; 32]);
    changed.disabled = true;
    let want = desired(&[("web", changed)]);
    let plan = apply(&control, &want, NOW).unwrap();
    assert_eq!(
        shown(&plan),
        ["update key acme/search/web max_body,secret,disabled"]
    );
    assert_eq!(plan.steps[0].fields[0].after, serde_json::json!(9));
    assert!(apply(&control, &want, NOW).unwrap().steps.is_empty());
    let row = control.key(plan.steps[0].id.as_deref().unwrap()).unwrap();
    assert_eq!(
        (row.secrets.len(), row.state, row.managed),
        (2, KeyState::Disabled, true)
    );
}

#[test]
fn pruning_deletes_what_files_made_and_nothing_else() {
    let (_scratch, control) = control();
    control
        .create_key(&new_key("other"), &secret(1), "ops")
        .unwrap();
    let both = desired(&[
        ("web", key(KeySpec::default())),
        ("old", key(KeySpec::default())),
    ]);
    apply(&control, &both, NOW).unwrap();
    let by_hand = NewKey {
        spec: KeySpec {
            name: "by-hand".into(),
            ..KeySpec::default()
        },
        ..new_key("acme")
    };
    let by_hand = control.create_key(&by_hand, &secret(2), "ops").unwrap();
    let prune = ApplyHow { prune: true, ..NOW };
    let one = desired(&[("web", key(KeySpec::default()))]);
    assert!(
        apply(&control, &one, NOW).unwrap().steps.is_empty(),
        "not without --prune"
    );
    assert_eq!(
        shown(&apply(&control, &one, prune).unwrap()),
        ["delete key acme/search/old"]
    );
    assert!(apply(&control, &one, prune).unwrap().steps.is_empty());
    // A key that was revoked doesn't come back.
    let back = apply(&control, &both, NOW).unwrap();
    assert_eq!(shown(&back), ["keep key acme/search/old"]);
    assert!(back.steps[0].note.unwrap().contains("revoked"));
    // Nothing declared any more: the project stays for the key that was made by hand.
    let none = Desired::new();
    assert_eq!(
        shown(&apply(&control, &none, prune).unwrap()),
        [
            "delete key acme/search/web",
            "keep project acme/search",
            "keep tenant acme"
        ]
    );
    control.revoke_key(&by_hand.id, "ops").unwrap();
    assert_eq!(
        shown(&apply(&control, &none, prune).unwrap()),
        ["delete project acme/search", "delete tenant acme"]
    );
    assert_eq!(
        control.tenants().unwrap().len(),
        1,
        "the other tenant stands"
    );
    assert_eq!(control.keys(&KeyFilter::default()).unwrap().len(), 1);
}

#[test]
fn what_is_refused_changes_nothing() {
    let (_scratch, control) = control();
    let taken = control
        .create_key(&new_key("other"), &secret(1), "ops")
        .unwrap();
    let before = control.audit(None, 99).unwrap().len();
    let mut twice = key(KeySpec::default());
    twice.hash = Some([1; 32]);
    let bad = desired(&[("a", key(KeySpec::default())), ("b", twice)]);
    assert!(matches!(
        apply(&control, &bad, NOW),
        Err(StoreError::Duplicate { .. })
    ));
    assert_eq!(control.tenants().unwrap().len(), 1);
    assert_eq!(control.audit(None, 99).unwrap().len(), before);
    // Two keys of one name: which one is meant?
    control
        .create_key(&new_key("other"), &secret(2), "ops")
        .unwrap();
    let keys = [(taken.spec.name.clone(), key(KeySpec::default()))].into();
    let other: Desired = [("other".to_owned(), [("search".to_owned(), keys)].into())].into();
    assert!(matches!(
        apply(&control, &other, NOW),
        Err(StoreError::Conflict { .. })
    ));
}

#[test]
fn a_key_made_by_hand_is_taken_over_and_says_so() {
    let (_scratch, control) = control();
    let made = control
        .create_key(&new_key("acme"), &secret(1), "ops")
        .unwrap();
    let want = desired(&[("ci", key(made.spec.clone()))]);
    assert_eq!(
        shown(&apply(&control, &want, NOW).unwrap()),
        ["update key acme/search/ci managed"]
    );
    assert!(control.key(&made.id).unwrap().managed);
}

#[test]
fn a_secret_that_was_rotated_away_stays_so_and_stops_no_other_change() {
    let (_scratch, control) = control();
    let mut declared = key(KeySpec::default());
    declared.hash = Some([7; 32]);
    let want = desired(&[("ci", declared.clone())]);
    let made = apply(&control, &want, NOW).unwrap();
    let id = made.steps.iter().find_map(|s| s.id.clone()).unwrap();
    control
        .rotate_key(&id, &secret(8), Duration::ZERO, "ops")
        .unwrap();
    declared.spec.owner = "search".into();
    let want = desired(&[("ci", declared), ("web", key(KeySpec::default()))]);
    assert_eq!(
        shown(&apply(&control, &want, NOW).unwrap()),
        [
            "keep key acme/search/ci",
            "update key acme/search/ci owner",
            "create key acme/search/web secret"
        ]
    );
    let kept = control.key(&id).unwrap();
    assert_eq!(kept.spec.owner, "search");
    let good = kept.secrets.iter().filter(|s| s.expires.is_none()).count();
    assert_eq!(good, 1, "the rotated one alone");
}
