//! The sections beside `model_list`: what has a counterpart is taken over, everything else is told.

mod rows;

use lintel_policy::Period;
use serde_json::json;

use super::source::{Node, Source};
use super::{Context, Draft};
use rows::{GENERAL, MODULE, ROUTER, Row, SECTIONS};

/// Rules for all routes.
#[derive(Default)]
pub(super) struct Rules<'s> {
    /// From group to groups.
    fallbacks: Vec<(&'s str, &'s str, Node<'s>)>,
    /// For every group.
    defaults: Vec<(&'s str, Node<'s>)>,
    /// Alias, group.
    pub(super) aliases: Vec<(&'s str, &'s str, Node<'s>)>,
    pub(super) retries: Option<usize>,
    pub(super) timeout: Option<Period>,
    pub(super) stream_timeout: Option<Period>,
}

impl<'s> Rules<'s> {
    /// What `group` falls back to, in order.
    pub(super) fn fallbacks_of(&self, group: &str) -> Vec<(&'s str, &Node<'s>)> {
        let own = self
            .fallbacks
            .iter()
            .filter(|(from, ..)| *from == group || *from == "*");
        let own = own.map(|(_, to, node)| (*to, node));
        let all = self.defaults.iter().map(|(to, node)| (*to, node));
        own.chain(all).filter(|(to, _)| *to != group).collect()
    }
}

/// Reads them all.
pub(super) fn read<'s>(
    source: &'s Source,
    draft: &mut Draft,
    context: &mut Context<'_>,
) -> Rules<'s> {
    let mut rules = Rules::default();
    for root in source.roots() {
        for (name, node) in root.members() {
            match name {
                "model_list" | "include" | "credential_list" => {}
                "router_settings" => router(&node, &mut rules, context),
                "litellm_settings" => module(&node, &mut rules, context),
                "general_settings" => general(&node, draft, context),
                "environment_variables" => variables(&node, context),
                _ => told(name, &node, SECTIONS, context),
            }
        }
    }
    rules
}

/// What of `rows` says about `name`; anything else is unknown.
fn told(name: &str, node: &Node<'_>, rows: &[Row], context: &mut Context<'_>) {
    // Switched off is as good as not there.
    if node.value == &serde_json::Value::Bool(false) {
        return;
    }
    match rows.iter().find(|row| row.0 == name) {
        Some((_, severity, reason, nearest)) => context.lose(node, *severity, *reason, *nearest),
        None => context.behaviour(
            node,
            "there is no setting like this",
            "docs/configuration.md has every key",
        ),
    }
}

fn router<'s>(section: &Node<'s>, rules: &mut Rules<'s>, context: &mut Context<'_>) {
    for (name, node) in section.members() {
        match name {
            "fallbacks" => fallbacks(&node, rules, context),
            "default_fallbacks" => defaults(&node, rules),
            "model_group_alias" => aliases(&node, rules, context),
            "num_retries" | "max_retries" => retries(&node, rules, context),
            "timeout" => timeout(&node, &mut rules.timeout, context),
            "stream_timeout" => timeout(&node, &mut rules.stream_timeout, context),
            "routing_strategy" => {
                if node.value.as_str() != Some("simple-shuffle") {
                    context.behaviour(&node, "the order inside a tier is drawn by weight, and by nothing that was measured", "`weight` of a target; tiers for what is to be tried first");
                }
            }
            _ => told(name, &node, ROUTER, context),
        }
    }
}

fn module<'s>(section: &Node<'s>, rules: &mut Rules<'s>, context: &mut Context<'_>) {
    for (name, node) in section.members() {
        match name {
            "fallbacks" => fallbacks(&node, rules, context),
            "default_fallbacks" => defaults(&node, rules),
            "num_retries" => retries(&node, rules, context),
            "request_timeout" => timeout(&node, &mut rules.timeout, context),
            "callbacks" | "success_callback" | "failure_callback" => callbacks(&node, context),
            _ => told(name, &node, MODULE, context),
        }
    }
}

fn general(section: &Node<'_>, draft: &mut Draft, context: &mut Context<'_>) {
    let mut limits = draft
        .tree
        .get("limits")
        .and_then(|l| l.as_object().cloned())
        .unwrap_or_default();
    for (name, node) in section.members() {
        match name {
            "master_key" => context.behaviour(
                &node,
                "no key may do everything; it was not copied",
                "callers: `lintel key create`; administration: LINTEL_ADMIN_TOKEN",
            ),
            "max_request_size_mb" | "max_response_size_mb" => {
                match node.number().filter(|n| (1.0..=2048.0).contains(n)) {
                    Some(mb) => {
                        let key = if name == "max_request_size_mb" {
                            "body"
                        } else {
                            "response"
                        };
                        limits.insert(key.to_owned(), json!(format!("{}MB", mb.ceil() as u64)));
                    }
                    None => context.behaviour(
                        &node,
                        "this is no size from 1 to 2048 MB",
                        "the default holds",
                    ),
                }
            }
            "global_max_parallel_requests" => match node
                .number()
                .filter(|n| (1.0..=10_000_000.0).contains(n))
            {
                Some(n) => drop(limits.insert("in_flight".to_owned(), json!(n as u64))),
                None => context.behaviour(&node, "this is no number of calls", "the default holds"),
            },
            _ => told(name, &node, GENERAL, context),
        }
    }
    // A body has to fit into what all bodies may take.
    let body = limits
        .get("body")
        .and_then(|b| b.as_str()?.strip_suffix("MB")?.parse::<u64>().ok());
    if let Some(mb) = body.filter(|mb| *mb > 512) {
        limits.insert("in_flight_bytes".to_owned(), json!(format!("{}MB", mb * 4)));
    }
    if !limits.is_empty() {
        draft.tree.insert("limits".to_owned(), limits.into());
    }
}

/// `[{"a": ["b", "c"]}, …]`
fn fallbacks<'s>(node: &Node<'s>, rules: &mut Rules<'s>, context: &mut Context<'_>) {
    for element in node.elements() {
        for (from, list) in element.members() {
            for to in list.elements() {
                match to.value.as_str() {
                    Some(name) => rules.fallbacks.push((from, name, to.clone())),
                    None => context.behaviour(
                        &to,
                        "a fallback with settings of its own is no group's name",
                        "a route of its own",
                    ),
                }
            }
        }
    }
}

fn defaults<'s>(node: &Node<'s>, rules: &mut Rules<'s>) {
    let named = node
        .elements()
        .into_iter()
        .filter_map(|n| Some((n.value.as_str()?, n)));
    rules.defaults.extend(named);
}

/// `{"alias": "group"}` or `{"alias": {"model": "group", "hidden": true}}`
fn aliases<'s>(node: &Node<'s>, rules: &mut Rules<'s>, context: &mut Context<'_>) {
    for (alias, of) in node.members() {
        if let Some(hidden) = of.get("hidden").filter(|h| h.value.as_bool() == Some(true)) {
            context.cosmetic(
                &hidden,
                "a route is listed to every key that may name it",
                "`--route` of a key",
            );
        }
        match of.value.as_str().or_else(|| of.text("model")) {
            Some(group) => rules.aliases.push((alias, group, of.clone())),
            None => context.behaviour(&of, "an alias names a group", "left out"),
        }
    }
}

fn retries(node: &Node<'_>, rules: &mut Rules<'_>, context: &mut Context<'_>) {
    match node.number().filter(|n| (0.0..=100.0).contains(n)) {
        Some(n) => rules.retries = Some(n as usize),
        None => context.behaviour(node, "this is no number of retries", "the default holds"),
    }
}

fn timeout(node: &Node<'_>, into: &mut Option<Period>, context: &mut Context<'_>) {
    match node.seconds().and_then(|text| text.parse().ok()) {
        Some(period) => *into = Some(period),
        None => context.behaviour(node, "this is no number of seconds", "the default holds"),
    }
}

/// Metrics are there; nothing else is called.
fn callbacks(node: &Node<'_>, context: &mut Context<'_>) {
    let mut list = node.elements();
    if list.is_empty() {
        list.push(node.clone());
    }
    for callback in list {
        match callback.value.as_str() {
            Some("prometheus") => context.cosmetic(
                &callback,
                "metrics are always there, under names of their own",
                "`/metrics` at the admin listener: docs/metrics.md",
            ),
            _ => context.behaviour(
                &callback,
                "no callbacks are called",
                "log lines, metrics and the control API",
            ),
        }
    }
}

/// Their values may be secrets: only names are told.
fn variables(node: &Node<'_>, context: &mut Context<'_>) {
    for (name, member) in node.members() {
        context.behaviour(
            &member,
            "environment variables are not set from the file; the value was not copied",
            format!("set {name} before the start, if something here refers to it"),
        );
    }
}
