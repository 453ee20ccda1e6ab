//! The sections beside `model_list`: what has a counterpart is taken over, everything else is told.

use lintel_policy::Period;
use serde_json::json;

use super::source::{Node, Source};
use super::{Context, Draft, Severity};

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

/// A setting that has no counterpart: its name, how much it matters, why, and what comes nearest.
type Row = (&'static str, Severity, &'static str, &'static str);

use Severity::{Behaviour, Cosmetic};

const ROUTER: &[Row] = &[
    (
        "routing_strategy_args",
        Cosmetic,
        "the only strategy has no settings",
        "`weight` of a target",
    ),
    (
        "context_window_fallbacks",
        Behaviour,
        "a prompt that is too long is told to the client at once",
        "a route with a larger model, called by the application",
    ),
    (
        "content_policy_fallbacks",
        Behaviour,
        "a provider's refusal of content is told to the client at once",
        "none",
    ),
    (
        "allowed_fails",
        Behaviour,
        "a failing target is not set aside",
        "every call tries the next target by itself",
    ),
    (
        "cooldown_time",
        Behaviour,
        "a failing target is not set aside",
        "every call tries the next target by itself",
    ),
    (
        "disable_cooldowns",
        Cosmetic,
        "a failing target is not set aside",
        "nothing is needed",
    ),
    (
        "retry_policy",
        Behaviour,
        "what is tried again is decided by class and phase of the failure, for all routes alike",
        "docs/configuration.md has the table",
    ),
    (
        "model_group_retry_policy",
        Behaviour,
        "what is tried again is decided by class and phase of the failure, for all routes alike",
        "`attempts` of a route",
    ),
    (
        "retry_after",
        Cosmetic,
        "the wait before a retry follows the provider's `retry-after`",
        "nothing is needed",
    ),
    (
        "enable_pre_call_checks",
        Behaviour,
        "a prompt's length is not looked at before it is sent",
        "none",
    ),
    (
        "enable_tag_filtering",
        Behaviour,
        "deployments are not chosen by tag",
        "a route of its own for each tag",
    ),
    (
        "redis_host",
        Behaviour,
        "limits and health are this process's own",
        "one node; several don't share them",
    ),
    (
        "redis_port",
        Cosmetic,
        "no Redis is used",
        "nothing is needed",
    ),
    (
        "redis_password",
        Cosmetic,
        "no Redis is used",
        "nothing is needed",
    ),
    (
        "redis_url",
        Behaviour,
        "limits and health are this process's own",
        "one node; several don't share them",
    ),
    (
        "optional_pre_call_checks",
        Behaviour,
        "no call is tied to a target by its prompt",
        "calls that name a stored object go where it is",
    ),
    (
        "set_verbose",
        Cosmetic,
        "the log has levels",
        "`log.level: debug`",
    ),
    (
        "debug_level",
        Cosmetic,
        "the log has levels",
        "`log.level: debug`",
    ),
];

const MODULE: &[Row] = &[
    (
        "context_window_fallbacks",
        Behaviour,
        "a prompt that is too long is told to the client at once",
        "a route with a larger model, called by the application",
    ),
    (
        "content_policy_fallbacks",
        Behaviour,
        "a provider's refusal of content is told to the client at once",
        "none",
    ),
    (
        "cache",
        Behaviour,
        "there is no cache of answers yet",
        "a provider's own prompt cache works unchanged",
    ),
    (
        "cache_params",
        Behaviour,
        "there is no cache of answers yet",
        "a provider's own prompt cache works unchanged",
    ),
    (
        "drop_params",
        Cosmetic,
        "what a target can't be told is left out and named",
        "that is the default; `unsupported: refuse` on a route refuses instead",
    ),
    (
        "modify_params",
        Cosmetic,
        "a translated call is written as its target wants it",
        "nothing is needed",
    ),
    (
        "set_verbose",
        Cosmetic,
        "the log has levels",
        "`log.level: debug`",
    ),
    ("json_logs", Cosmetic, "log lines are JSON", "`log.format`"),
    (
        "turn_off_message_logging",
        Cosmetic,
        "no message is ever logged",
        "nothing is needed",
    ),
    (
        "redact_user_api_key_info",
        Cosmetic,
        "no key is ever logged",
        "nothing is needed",
    ),
    (
        "redact_messages_in_exceptions",
        Cosmetic,
        "no message is ever logged",
        "nothing is needed",
    ),
    (
        "allowed_fails",
        Behaviour,
        "a failing target is not set aside",
        "every call tries the next target by itself",
    ),
    (
        "max_budget",
        Behaviour,
        "there are no budgets yet",
        "`lintel usage` sums what was spent",
    ),
    (
        "budget_duration",
        Behaviour,
        "there are no budgets yet",
        "`lintel usage` sums what was spent",
    ),
    (
        "default_internal_user_params",
        Behaviour,
        "there are no users, but tenants, projects and keys",
        "`lintel tenant create`, `lintel key create`",
    ),
    (
        "default_team_settings",
        Behaviour,
        "there are no teams with settings of their own",
        "`tenants` and their projects",
    ),
    (
        "telemetry",
        Cosmetic,
        "nothing is ever sent home",
        "nothing is needed",
    ),
    (
        "ssl_verify",
        Behaviour,
        "certificates are always verified",
        "`tls.ca` of a provider, for a CA of your own",
    ),
    (
        "service_callback",
        Cosmetic,
        "the process's own figures are metrics",
        "`/metrics` at the admin listener",
    ),
    (
        "enable_json_schema_validation",
        Behaviour,
        "an answer is passed on as it came",
        "none",
    ),
    (
        "forward_traceparent_to_llm_provider",
        Cosmetic,
        "a valid `traceparent` is always passed on, with the attempt as the parent",
        "nothing is needed",
    ),
    (
        "max_parallel_requests",
        Behaviour,
        "a key has no bound on calls at once",
        "`limits.in_flight`, for all",
    ),
];

const GENERAL: &[Row] = &[
    (
        "database_url",
        Behaviour,
        "keys, ledger and log are files in `store`; nothing of that database is carried over",
        "make tenants and keys anew; spend so far stays where it is",
    ),
    (
        "database_connection_pool_limit",
        Cosmetic,
        "there is no database to connect to",
        "nothing is needed",
    ),
    (
        "database_connection_timeout",
        Cosmetic,
        "there is no database to connect to",
        "nothing is needed",
    ),
    (
        "allow_requests_on_db_unavailable",
        Cosmetic,
        "no call waits for a database; a journal that can't be written refuses new calls",
        "nothing is needed",
    ),
    (
        "store_model_in_db",
        Behaviour,
        "providers and routes stand in the file alone",
        "edit it: it is reloaded when it changes",
    ),
    (
        "store_prompts_in_spend_logs",
        Behaviour,
        "prompts are never stored",
        "none",
    ),
    (
        "disable_spend_logs",
        Behaviour,
        "every call has its row in the ledger",
        "none",
    ),
    (
        "proxy_batch_write_at",
        Cosmetic,
        "a row is written before the last bytes of its answer",
        "nothing is needed",
    ),
    (
        "proxy_budget_rescheduler_min_time",
        Cosmetic,
        "there are no budgets yet",
        "nothing is needed",
    ),
    (
        "alerting",
        Behaviour,
        "there are no alerts of Lintel's own",
        "alert rules over `/metrics`: docs/metrics.md has some",
    ),
    (
        "alerting_threshold",
        Behaviour,
        "there are no alerts of Lintel's own",
        "alert rules over `/metrics`: docs/metrics.md has some",
    ),
    (
        "alert_types",
        Behaviour,
        "there are no alerts of Lintel's own",
        "alert rules over `/metrics`: docs/metrics.md has some",
    ),
    (
        "background_health_checks",
        Behaviour,
        "no call is made that nobody asked for",
        "`lintel_attempts_total` by result",
    ),
    (
        "health_check_interval",
        Cosmetic,
        "no call is made that nobody asked for",
        "`lintel_attempts_total` by result",
    ),
    (
        "pass_through_endpoints",
        Behaviour,
        "paths that are no surface are not passed on",
        "docs/calls.md has the surfaces",
    ),
    (
        "custom_auth",
        Behaviour,
        "code of one's own is not loaded",
        "virtual keys",
    ),
    (
        "enable_jwt_auth",
        Behaviour,
        "signed tokens are no principals yet",
        "virtual keys",
    ),
    (
        "litellm_jwtauth",
        Behaviour,
        "signed tokens are no principals yet",
        "virtual keys",
    ),
    (
        "allowed_ips",
        Behaviour,
        "callers are not told apart by address",
        "a firewall, or client certificates: `tls.client_ca`",
    ),
    (
        "allowed_routes",
        Behaviour,
        "every surface is served",
        "what a key may name: `--route`",
    ),
    (
        "max_parallel_requests",
        Behaviour,
        "a key has no bound on calls at once",
        "`limits.in_flight`, for all",
    ),
    (
        "ui_access_mode",
        Cosmetic,
        "there is no console yet",
        "the command line",
    ),
    (
        "key_management_system",
        Behaviour,
        "secrets come from the environment or from files",
        "let that system write files, and name them with `file:`",
    ),
    (
        "key_management_settings",
        Behaviour,
        "secrets come from the environment or from files",
        "let that system write files, and name them with `file:`",
    ),
    (
        "default_team_disabled",
        Cosmetic,
        "a key always belongs to a project",
        "nothing is needed",
    ),
];

/// Sections that have no counterpart as a whole.
const SECTIONS: &[Row] = &[
    ("guardrails", Behaviour, "there are no guards yet", "none"),
    (
        "mcp_servers",
        Behaviour,
        "tools' servers are not served",
        "none",
    ),
    (
        "mcp_tools",
        Behaviour,
        "tools' servers are not served",
        "none",
    ),
    (
        "vector_store_registry",
        Behaviour,
        "no vector stores are served",
        "none",
    ),
    (
        "search_tools",
        Behaviour,
        "no search is served",
        "a provider's own search tool works unchanged",
    ),
    (
        "prompts",
        Behaviour,
        "there is no register of prompts yet",
        "none",
    ),
    (
        "files_settings",
        Behaviour,
        "files are not uploaded through Lintel",
        "`objects: shared` for files of an account",
    ),
    (
        "finetune_settings",
        Behaviour,
        "fine-tuning is not served",
        "call the provider",
    ),
    (
        "assistant_settings",
        Behaviour,
        "assistants are not served",
        "the Responses API",
    ),
    (
        "callback_settings",
        Behaviour,
        "no callbacks are called",
        "log lines, metrics and the control API",
    ),
    ("agent_list", Behaviour, "agents are not served", "none"),
];

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
