//! What a key's holder may ask for: sizes, models, priorities, and which headers it may set.
//!
//! Values only: the gateway's steps hold a call against them. Invariants: a cap that is absent forbids nothing but the
//! highest priority, which has to be given; caps grow by optional fields, so that stored ones can always be read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How much a call matters when there is not room for all. Ordered: the first gives way first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Nobody waits for it.
    Batch,
    /// What is said of no call in particular.
    #[default]
    Normal,
    /// Somebody loses something when it is refused.
    Critical,
}

impl Priority {
    /// Every priority, the first to give way first.
    pub const ALL: [Priority; 3] = [Priority::Batch, Priority::Normal, Priority::Critical];

    /// The name in headers, JSON and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Priority::Batch => "batch",
            Priority::Normal => "normal",
            Priority::Critical => "critical",
        }
    }

    /// The priority of this name.
    pub fn named(name: &str) -> Option<Priority> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }
}

/// What of a call its caller may say in `x-lintel-*` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallHeader {
    /// `x-lintel-feature`
    Feature,
    /// `x-lintel-user`
    User,
    /// `x-lintel-session`
    Session,
    /// `x-lintel-tag-*`
    Tags,
    /// `x-lintel-priority`
    Priority,
    /// `x-lintel-deadline`
    Deadline,
}

impl CallHeader {
    /// The name in JSON and in files.
    pub const fn name(self) -> &'static str {
        match self {
            CallHeader::Feature => "feature",
            CallHeader::User => "user",
            CallHeader::Session => "session",
            CallHeader::Tags => "tags",
            CallHeader::Priority => "priority",
            CallHeader::Deadline => "deadline",
        }
    }
}

/// A key's caps. The default has none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caps {
    /// Bytes of a request's body, below `limits.body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_body: Option<u64>,
    /// Calls under way at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<u32>,
    /// Targets that may serve it, as `provider/model` with `*` for any run of characters; none: every target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<Arc<str>>>,
    /// The highest priority that it may claim; none: normal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The headers that it may set; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<CallHeader>>,
    /// The feature of calls that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<Arc<str>>,
}

impl Caps {
    /// Whether the target may serve this key.
    pub fn allow_target(&self, provider: &str, model: &str) -> bool {
        let fits = |pattern: &Arc<str>| matches_target(pattern, provider, model);
        self.models.as_ref().is_none_or(|m| m.iter().any(fits))
    }

    /// Whether it may set the header.
    pub fn allow_header(&self, header: CallHeader) -> bool {
        self.headers.as_ref().is_none_or(|h| h.contains(&header))
    }

    /// The priority of a call that claims `claimed`: never above the cap, and no lower than it need be without a claim.
    pub fn priority_of(&self, claimed: Option<Priority>) -> Priority {
        claimed
            .unwrap_or_default()
            .min(self.priority.unwrap_or_default())
    }
}

/// `pattern` against `provider/model`, without making that text. A star that fitted too little takes one more.
fn matches_target(pattern: &str, provider: &str, model: &str) -> bool {
    let (pattern, provider, model) = (pattern.as_bytes(), provider.as_bytes(), model.as_bytes());
    let text = |at: usize| match at.checked_sub(provider.len()) {
        None => provider.get(at).copied(),
        Some(0) => Some(b'/'),
        Some(beyond) => model.get(beyond - 1).copied(),
    };
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(byte) = text(read) {
        match pattern.get(at) {
            Some(b'*') => {
                at += 1;
                star = Some((at, read));
            }
            Some(wanted) if *wanted == byte => (at, read) = (at + 1, read + 1),
            _ => match &mut star {
                Some((after, taken)) => {
                    *taken += 1;
                    (at, read) = (*after, *taken);
                }
                None => return false,
            },
        }
    }
    let rest = pattern.get(at..).unwrap_or_default();
    rest.iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn models(patterns: &[&str]) -> Caps {
        Caps {
            models: Some(patterns.iter().map(|p| Arc::from(*p)).collect()),
            ..Caps::default()
        }
    }

    #[test]
    fn a_pattern_names_targets() {
        let caps = models(&["openai/gpt-5*", "*/haiku", "local/*-q4-*"]);
        for (provider, model, fits) in [
            ("openai", "gpt-5", true),
            ("openai", "gpt-5-mini", true),
            ("openai", "gpt-4", false),
            ("xopenai", "gpt-5", false),
            ("claude", "haiku", true),
            ("claude", "haiku-2", false),
            ("local", "a/b-q4-k", true),
            ("local", "q4", false),
        ] {
            assert_eq!(
                caps.allow_target(provider, model),
                fits,
                "{provider}/{model}"
            );
        }
        assert!(Caps::default().allow_target("any", "thing"));
        assert!(!models(&[]).allow_target("any", "thing"));
    }

    #[test]
    fn the_highest_priority_has_to_be_given() {
        use Priority::{Batch, Critical, Normal};
        let capped = |priority| Caps {
            priority,
            ..Caps::default()
        };
        for (cap, claimed, got) in [
            (None, None, Normal),
            (None, Some(Critical), Normal),
            (None, Some(Batch), Batch),
            (Some(Critical), Some(Critical), Critical),
            (Some(Critical), None, Normal),
            (Some(Batch), None, Batch),
            (Some(Batch), Some(Critical), Batch),
        ] {
            assert_eq!(capped(cap).priority_of(claimed), got, "{cap:?} {claimed:?}");
        }
    }

    #[test]
    fn caps_are_small_json_and_strangers_are_refused() {
        assert_eq!(serde_json::to_string(&Caps::default()).unwrap(), "{}");
        assert!(serde_json::from_str::<Caps>(r#"{"max_bodyy":1}"#).is_err());
        assert!(serde_json::from_str::<Caps>(r#"{"priority":"urgent"}"#).is_err());
    }

    proptest! {
        #[test]
        fn a_text_fits_itself_and_whatever_stars_replace(provider in "[a-c]{1,4}", model in "[a-c/]{1,6}", cut in 0usize..12) {
            let whole = format!("{provider}/{model}");
            prop_assert!(matches_target(&whole, &provider, &model));
            let cut = cut.min(whole.len());
            let (head, tail) = whole.split_at(cut);
            for pattern in [format!("{head}*"), format!("*{tail}"), format!("{head}*{tail}")] {
                prop_assert!(matches_target(&pattern, &provider, &model), "{}", pattern);
            }
            let longer = format!("{whole}a");
            prop_assert!(!matches_target(&longer, &provider, &model));
        }
    }
}
