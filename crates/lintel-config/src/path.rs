//! Where something stands in a configuration: keys and indices from the root, shown as people write them.

use std::fmt;

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// Steps from the root. Shown as `routes.chat.tiers[0]`, with unusual keys in quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Path(Vec<Step>);

impl Path {
    /// The path of `keys`, one below the other.
    pub(crate) fn of(keys: &[&str]) -> Self {
        Self(keys.iter().map(|k| Step::Key((*k).to_owned())).collect())
    }

    /// The path of the member `key`.
    pub(crate) fn key(&self, key: &str) -> Self {
        self.with(Step::Key(key.to_owned()))
    }

    /// The path of the element at `index`.
    pub(crate) fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// This path and one step.
    pub(crate) fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The steps.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// This path with `now` in the place of `was`, when it begins with that.
    pub(crate) fn rebased(&self, was: &Path, now: &Path) -> Option<Self> {
        let rest = self.0.strip_prefix(was.0.as_slice())?;
        Some(Self(now.0.iter().chain(rest).cloned().collect()))
    }

    /// Without the last step; none at the root.
    pub(crate) fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    let dot = if i == 0 { "" } else { "." };
                    let plain = !key.is_empty()
                        && key
                            .bytes()
                            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
                    if plain {
                        write!(f, "{dot}{key}")?
                    } else {
                        write!(f, "{dot}{key:?}")?
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_people_write() {
        let path = Path::of(&["routes", "team/chat", "tiers"])
            .index(0)
            .key("targets");
        assert_eq!(path.to_string(), "routes.\"team/chat\".tiers[0].targets");
        assert_eq!(
            path.parent().unwrap().parent().unwrap(),
            Path::of(&["routes", "team/chat", "tiers"])
        );
    }
}
