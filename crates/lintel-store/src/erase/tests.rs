//! What stays of an erased tenant, and that the books agree whatever is erased.

use lintel_types::NodeId;
use lintel_types::record::Attribution;

use super::*;
use crate::journal::{Journal, JournalOptions};
use crate::samples::{self, NOW, Scratch};
use crate::{Projection, Queries};

const SECRETS: [&str; 5] = [
    "erika-mustermann",
    "session-of-erika",
    "searching",
    "key_of_acme",
    "acme-tenant",
];

/// Two tenants over several hours, one of them with an orphan and a refusal.
fn filled() -> (Scratch, Journal, Projection) {
    let scratch = Scratch::new();
    let options = JournalOptions::new(NodeId(0));
    let (journal, _) = Journal::open(scratch.path(), options, NOW).unwrap();
    for n in 0..400_u64 {
        let id = samples::id(n * 90);
        let mut settled = samples::settled(id, if n.is_multiple_of(3) { 2 } else { 1 });
        settled.who = if n.is_multiple_of(2) {
            Attribution {
                tenant: "acme-tenant".into(),
                project: "p".into(),
                key: "key_of_acme".into(),
                feature: Some("searching".into()),
                user: Some("erika-mustermann".into()),
                session: Some("session-of-erika".into()),
                ..Attribution::default()
            }
        } else {
            samples::who("beta")
        };
        let mut permit = journal.permit().unwrap();
        let mut dispatched = samples::dispatched(id, 1);
        dispatched.who = settled.who.clone();
        permit.dispatched(&dispatched).unwrap();
        assert!(permit.settle(settled).is_written());
    }
    let projection = Projection::start(scratch.path(), journal.clone(), Vec::new()).unwrap();
    projection.flush();
    (scratch, journal, projection)
}

fn holds(dir: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holds(&path, text));
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(text.len()).any(|w| w == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn money_stays_and_ties_and_nothing_points_at_anybody() {
    let (scratch, journal, projection) = filled();
    let queries = Queries::open(scratch.path()).unwrap();
    let before = queries.totals().unwrap();
    let money = Money::Kept {
        pseudonym: "deleted:1",
        salt: [7; 16],
    };
    let erased = erase_rows(scratch.path(), "acme-tenant", money).unwrap();
    assert_eq!(erased.exchanges, 200);
    let verified = queries.verify().unwrap();
    assert!(verified.holds(), "{verified:?}");
    assert_eq!(
        queries.totals().unwrap(),
        before,
        "not a nano-dollar more or less"
    );
    // Again: nothing left to do.
    let again = erase_rows(scratch.path(), "acme-tenant", money).unwrap();
    assert_eq!(again, Erased::default());
    // The journal's segments go once they are applied, and then no file says anything.
    journal.retire().unwrap();
    projection.flush();
    let oldest = journal.segments()[0];
    assert!(oldest >= 800, "segments before {oldest} are pruned");
    compact_after(scratch.path()).unwrap();
    for secret in SECRETS {
        assert_eq!(
            holds(scratch.path(), secret),
            Vec::<String>::new(),
            "{secret}"
        );
    }
    assert!(
        !holds(scratch.path(), "deleted:1").is_empty() && !holds(scratch.path(), "beta").is_empty()
    );
    assert!(queries.verify().unwrap().holds());
    projection.stop();
}

#[test]
fn a_ledger_that_goes_leaves_the_others_as_they_were() {
    let (scratch, _journal, projection) = filled();
    let queries = Queries::open(scratch.path()).unwrap();
    let before = queries.totals().unwrap();
    let erased = erase_rows(scratch.path(), "acme-tenant", Money::Deleted).unwrap();
    assert!(erased.ledger_rows > 200);
    let after = queries.totals().unwrap();
    assert_eq!(after.requests, before.requests - 200);
    assert!(queries.verify().unwrap().holds());
    projection.stop();
}
