//! What a guard says: a level, the edits it wants, why, and a digest of what it judged.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// How far a verdict goes. Joining verdicts takes the highest.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing to object to.
    #[default]
    Allow,
    /// May pass once the edits are made.
    Redact,
    /// Needs a person's word; tool calls only.
    Approve,
    /// May not pass.
    Block,
}

/// One replacement that a guard wants, in bytes of the judged text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Edit {
    /// First byte and one past the last.
    pub range: Range<usize>,
    /// What stands there instead.
    pub with: String,
}

/// SHA-256 of what was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Digest(pub [u8; 32]);

/// A guard's verdict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// The highest level of all that was joined.
    pub level: Level,
    /// The union of the edits of all that was joined, sorted, none twice.
    pub edits: Vec<Edit>,
    /// Why: the guard's name and its reason, in order of judging.
    pub reasons: Vec<String>,
    /// Digest of what was judged; none when nothing was.
    pub digest: Option<Digest>,
}

impl Verdict {
    /// The verdict of no guard.
    pub fn allow() -> Self {
        Self::default()
    }

    /// Highest level, union of edits, reasons one after the other. The first digest stays: both judged the same bytes.
    pub fn join(mut self, other: Verdict) -> Verdict {
        self.level = self.level.max(other.level);
        self.edits.extend(other.edits);
        self.edits.sort_by(|a, b| {
            (a.range.start, a.range.end, &a.with).cmp(&(b.range.start, b.range.end, &b.with))
        });
        self.edits.dedup();
        self.reasons.extend(other.reasons);
        self.digest = self.digest.or(other.digest);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joining_keeps_the_highest_level_and_every_edit() {
        let edit = |start: usize| Edit {
            range: start..start + 1,
            with: "*".into(),
        };
        let redact = Verdict {
            level: Level::Redact,
            edits: vec![edit(4), edit(1)],
            reasons: vec!["pii: card".into()],
            digest: None,
        };
        let block = Verdict {
            level: Level::Block,
            edits: vec![edit(4)],
            reasons: vec!["secrets: key".into()],
            digest: None,
        };
        let both = redact.join(block);
        assert_eq!(both.level, Level::Block);
        assert_eq!(both.edits, [edit(1), edit(4)]);
        assert_eq!(both.reasons.len(), 2);
    }
}
