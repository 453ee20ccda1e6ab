//! Groups of deployments to routes: tiers by `order`, then the fallbacks, each a tier.

use std::collections::{BTreeMap, BTreeSet};

use lintel_policy::Period;
use serde_json::{Map, Value, json};

use super::Context;
use super::accounts::Accounts;
use super::deployment::Deployment;
use super::settings::Rules;
use super::source::Node;
use crate::names::refuse_route_name;

/// Most attempts that a route may allow.
const MOST_ATTEMPTS: usize = 16;

/// One model at one provider.
#[derive(Debug, Clone, PartialEq)]
struct Target {
    provider: String,
    model: String,
    weight: u64,
    order: i64,
}

/// The deployments of one `model_name`.
#[derive(Default)]
struct Group<'s> {
    targets: Vec<Target>,
    timeout: Option<Period>,
    stream_timeout: Option<Period>,
    node: Option<Node<'s>>,
}

/// All of them, by name.
#[derive(Default)]
pub(super) struct Groups<'s> {
    groups: BTreeMap<String, Group<'s>>,
}

type Comments = BTreeMap<String, String>;

impl<'s> Groups<'s> {
    /// Takes a deployment in.
    pub(super) fn take(
        &mut self,
        d: Deployment<'s>,
        accounts: &mut Accounts,
        context: &mut Context<'_>,
    ) {
        if d.group.contains('*') || d.model.contains('*') {
            wildcard(&d, accounts, context);
            return;
        }
        if let Some(why) = refuse_route_name(&d.group) {
            context.behaviour(
                &d.node,
                format!("`model_name` can't be a route's name: {why}"),
                "another name; left out",
            );
            return;
        }
        let provider = accounts.name(&d.hint, d.account);
        let group = self.groups.entry(d.group).or_default();
        let target = Target {
            provider,
            model: d.model,
            weight: d.weight.unwrap_or(1),
            order: d.order,
        };
        let longest = |a: &Option<Period>, b: &Option<String>| {
            (*a).max(b.as_ref().and_then(|t| t.parse().ok()))
        };
        group.timeout = longest(&group.timeout, &d.timeout);
        group.stream_timeout = longest(&group.stream_timeout, &d.stream_timeout);
        match group
            .targets
            .iter_mut()
            .find(|t| (&t.provider, &t.model) == (&target.provider, &target.model))
        {
            Some(same) => {
                same.weight = (same.weight + target.weight).min(1_000_000);
                context.cosmetic(
                    &d.node,
                    "the same model at the same account stands in this group already",
                    "one target with the weight of both",
                );
            }
            None => group.targets.push(target),
        }
        group.node.get_or_insert(d.node);
    }

    /// The routes by name, and comments by path.
    pub(super) fn routes(
        &self,
        rules: &Rules<'_>,
        context: &mut Context<'_>,
    ) -> (Map<String, Value>, Comments) {
        let (mut routes, mut comments) = (Map::new(), Comments::new());
        for (name, group) in &self.groups {
            let (route, comment) = self.route(name, group, rules, context);
            routes.insert(name.clone(), route);
            comments
                .extend(comment.map(|c| (crate::path::Path::of(&["routes", name]).to_string(), c)));
        }
        for (alias, of, node) in &rules.aliases {
            let Some(group) = self.groups.get(*of) else {
                context.behaviour(
                    node,
                    format!("`{of}` is no group that could be imported"),
                    "left out",
                );
                continue;
            };
            if routes.contains_key(*alias) || refuse_route_name(alias).is_some() {
                context.behaviour(
                    node,
                    format!("`{alias}` can't be a route's name, or is one already"),
                    "left out",
                );
                continue;
            }
            let (route, _) = self.route(of, group, rules, context);
            routes.insert((*alias).to_owned(), route);
            let path = crate::path::Path::of(&["routes", alias]).to_string();
            comments.insert(path, format!("another name of {of}"));
        }
        (routes, comments)
    }

    fn route(
        &self,
        name: &str,
        group: &Group<'_>,
        rules: &Rules<'_>,
        context: &mut Context<'_>,
    ) -> (Value, Option<String>) {
        let orders: BTreeSet<i64> = group.targets.iter().map(|t| t.order).collect();
        let mut seen: Vec<(&str, &str)> = Vec::new();
        let mut tiers = Vec::new();
        for order in orders {
            let targets = group.targets.iter().filter(|t| t.order == order);
            tiers.extend(tier(targets, &mut seen));
        }
        let mut fallbacks = Vec::new();
        for (fallback, node) in rules.fallbacks_of(name) {
            match self.groups.get(fallback) {
                Some(other) => {
                    let more = tier(other.targets.iter(), &mut seen);
                    fallbacks.extend(more.is_some().then_some(fallback));
                    tiers.extend(more);
                }
                None => context.behaviour(
                    node,
                    format!("the fallback `{fallback}` is no group that could be imported"),
                    "left out",
                ),
            }
        }
        let attempts = rules.retries.map_or(3, |n| n + 1).max(1) + tiers.len().saturating_sub(1);
        let mut route = Map::new();
        let mut put = |key: &str, value: Value| drop(route.insert(key.to_owned(), value));
        put("attempts", json!(attempts.min(MOST_ATTEMPTS)));
        let timeout = group.timeout.or(rules.timeout);
        if let Some(timeout) = timeout {
            put("per_attempt", json!(timeout.to_string()));
            // The whole call has to hold the attempts that it may make.
            let default = Period(std::time::Duration::from_secs(600));
            if timeout > default {
                put("deadline", json!(timeout.to_string()));
            }
        }
        if let Some(first) = group.stream_timeout.or(rules.stream_timeout) {
            put("first_token", json!(first.to_string()));
        }
        put("tiers", Value::Array(tiers));
        let comment =
            (!fallbacks.is_empty()).then(|| format!("falls back to {}", fallbacks.join(", ")));
        (Value::Object(route), comment)
    }
}

/// A tier of the targets that the route doesn't have yet.
fn tier<'t>(
    targets: impl Iterator<Item = &'t Target>,
    seen: &mut Vec<(&'t str, &'t str)>,
) -> Option<Value> {
    let mut list = Vec::new();
    for target in targets {
        let key = (target.provider.as_str(), target.model.as_str());
        if !seen.contains(&key) {
            seen.push(key);
            list.push(json!({ "provider": target.provider, "model": target.model, "weight": target.weight }));
        }
    }
    (!list.is_empty()).then(|| json!({ "targets": list }))
}

/// `openai/*`: direct calls of an account, by its name here.
fn wildcard(d: &Deployment<'_>, accounts: &mut Accounts, context: &mut Context<'_>) {
    let plain = d
        .group
        .strip_suffix("/*")
        .filter(|p| !p.contains(['*', '/']));
    let hint = plain.map_or_else(|| d.hint.clone(), str::to_owned);
    let name = accounts.name(&hint, d.account.clone());
    if plain == Some(name.as_str()) && (d.model == "*" || d.model.is_empty()) {
        context.cosmetic(&d.node, format!("`{}` needs no route: a key made with `--direct` calls every model as `{name}/MODEL`", d.group), "`lintel key create --direct`");
    } else {
        context.behaviour(&d.node, format!("a pattern such as `{}` is no route's name", d.group), format!("keys made with `--direct` call every model of this account as `{name}/MODEL`; other names need a route each"));
    }
}
