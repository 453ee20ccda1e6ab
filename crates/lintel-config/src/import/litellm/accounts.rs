//! Accounts at providers: every one that deployments name, once.

use serde_json::{Map, Value};

/// The providers of the new file.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    list: Vec<(String, Map<String, Value>)>,
}

impl Accounts {
    /// The name of the account with this configuration: the one that it has, else `hint`, with a number when that is taken.
    pub(super) fn name(&mut self, hint: &str, config: Map<String, Value>) -> String {
        if let Some((name, _)) = self.list.iter().find(|(_, known)| *known == config) {
            return name.clone();
        }
        let hint = clean(hint);
        let free = |name: &String| !self.list.iter().any(|(taken, _)| taken == name);
        let numbered = (2..).map(|n| format!("{hint}-{n}"));
        let name = std::iter::once(hint.clone())
            .chain(numbered)
            .find(free)
            .unwrap_or(hint);
        self.list.push((name.clone(), config));
        name
    }

    pub(super) fn tree(self) -> Map<String, Value> {
        let object = |(name, config)| (name, Value::Object(config));
        self.list.into_iter().map(object).collect()
    }
}

/// A name that a provider may have.
fn clean(hint: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name: String = hint.chars().map(plain).take(48).collect();
    if name.is_empty() {
        "provider".to_owned()
    } else {
        name
    }
}
