//! The configuration of a LiteLLM proxy (`config.yaml`) to a `lintel.yaml`.
//!
//! A `model_name` becomes a route, its deployments the targets of its tiers, each account that they name a provider,
//! fallbacks further tiers. <https://docs.litellm.ai/docs/proxy/config_settings>

mod account;
mod accounts;
mod deployment;
mod prefix;
mod routes;
mod settings;
mod source;

use std::collections::BTreeSet;
use std::io;
use std::path::Path as FilePath;

use serde_json::{Value, json};

use super::{Draft, Imported, Lost, Severity};
use crate::problem::Problems;
use crate::resolved::with_comments;

use accounts::Accounts;
use source::{Node, Source};

/// What is known while a file is read.
pub(super) struct Context<'s> {
    env: &'s dyn Fn(&str) -> Option<String>,
    lost: Vec<Lost>,
    variables: BTreeSet<String>,
    /// Secrets that stand in the file, each with the variable that stands for it. Compared, never written.
    literals: Vec<(String, String)>,
}

impl Context<'_> {
    /// Something that has no counterpart.
    fn lose(
        &mut self,
        node: &Node<'_>,
        severity: Severity,
        reason: impl Into<String>,
        nearest: impl Into<String>,
    ) {
        self.lost.push(Lost {
            origin: node.origin().to_owned(),
            line: node.line(),
            path: node.path(),
            severity,
            reason: reason.into(),
            nearest: nearest.into(),
        });
    }

    fn behaviour(
        &mut self,
        node: &Node<'_>,
        reason: impl Into<String>,
        nearest: impl Into<String>,
    ) {
        self.lose(node, Severity::Behaviour, reason, nearest);
    }

    fn cosmetic(&mut self, node: &Node<'_>, reason: impl Into<String>, nearest: impl Into<String>) {
        self.lose(node, Severity::Cosmetic, reason, nearest);
    }

    /// A reference to a variable, which is noted.
    fn variable(&mut self, name: &str) -> String {
        self.variables.insert(name.to_owned());
        format!("${{{name}}}")
    }

    /// The variable in place of a secret that stands at `node`: `usual`, with a number when another secret has that.
    fn literal(&mut self, node: &Node<'_>, usual: &str) -> String {
        let text = node.value.as_str().unwrap_or_default().to_owned();
        let of_usual = |name: &str| {
            let rest = name
                .strip_prefix(usual)
                .map(|rest| rest.trim_start_matches('_'));
            rest.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        };
        let known = self
            .literals
            .iter()
            .find(|(name, other)| of_usual(name) && *other == text);
        let name = match known {
            Some((name, _)) => name.clone(),
            None => {
                let before = self
                    .literals
                    .iter()
                    .filter(|(name, _)| of_usual(name))
                    .count();
                let name = match before {
                    0 => usual.to_owned(),
                    n => format!("{usual}_{}", n + 1),
                };
                self.literals.push((name.clone(), text));
                name
            }
        };
        self.behaviour(
            node,
            "a key stands in the file; it was not copied",
            format!(
                "set the environment variable {name}, and give out a new key: this one was readable"
            ),
        );
        self.variable(&name)
    }
}

/// Imports the text of a `config.yaml`. `env` gives variables that stand for addresses, `read` the files of `include`.
///
/// # Errors
/// A text that is no YAML, an included file that can't be read, or a configuration without a model that Lintel can call.
pub fn import(
    text: &str,
    origin: &str,
    env: &dyn Fn(&str) -> Option<String>,
    read: &dyn Fn(&FilePath) -> io::Result<String>,
) -> Result<Imported, Problems> {
    let source = Source::open(text, origin, read)?;
    let mut context = Context {
        env,
        lost: Vec::new(),
        variables: BTreeSet::new(),
        literals: Vec::new(),
    };
    let mut accounts = Accounts::default();
    let mut draft = Draft::default();
    let mut groups = routes::Groups::default();
    for deployment in deployment::all(&source, &mut context) {
        groups.take(deployment, &mut accounts, &mut context);
    }
    let rules = settings::read(&source, &mut draft, &mut context);
    let (routes, comments) = groups.routes(&rules, &mut context);
    let providers = accounts.tree();
    if providers.is_empty() {
        return Err(source.hopeless(
            "no model of `model_list` can be called by Lintel",
            &context.lost,
        ));
    }
    draft
        .tree
        .insert("providers".to_owned(), Value::Object(providers));
    draft
        .tree
        .insert("routes".to_owned(), Value::Object(routes));
    draft.tree.insert(
        "prices".to_owned(),
        json!({ "unknown_model": "allow_unpriced" }),
    );
    draft.comments.extend(comments);
    draft.comments.insert(
        "prices.unknown_model".to_owned(),
        "as before, a model without a price may be called; `refuse` is safer".to_owned(),
    );
    context
        .lost
        .sort_by_key(|l| (l.origin != origin, l.origin.clone(), l.line));
    let text = head(origin, &context) + &with_comments(&draft.tree, &draft.comments);
    Ok(Imported {
        text,
        lost: context.lost,
        variables: context.variables,
    })
}

fn head(origin: &str, context: &Context<'_>) -> String {
    let behaviour = context
        .lost
        .iter()
        .filter(|l| l.severity == Severity::Behaviour)
        .count();
    let mut text = format!("# Imported from {origin}, a configuration of LiteLLM's proxy.\n");
    text.push_str(&match context.lost.len() {
        0 => "# Everything in it has its counterpart here.\n".to_owned(),
        n => format!("# {n} of its settings have no counterpart, {behaviour} of them change what calls do: see the list of the import.\n"),
    });
    if !context.variables.is_empty() {
        let names: Vec<&str> = context.variables.iter().map(String::as_str).collect();
        text.push_str(&format!("# Set before the start: {}\n", names.join(" ")));
    }
    text.push_str(
        "# Callers need virtual keys: `lintel tenant create` and `lintel key create`.\n\n",
    );
    text
}
