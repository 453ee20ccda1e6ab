//! Settings that have no counterpart, a row each: why, and what comes nearest. What becomes possible here loses its row.

use super::super::Severity::{self, Behaviour, Cosmetic};

/// A setting that has no counterpart: its name, how much it matters, why, and what comes nearest.
pub(super) type Row = (&'static str, Severity, &'static str, &'static str);

/// Of `router_settings`.
#[rustfmt::skip]
pub(super) const ROUTER: &[Row] = &[
    ("routing_strategy_args", Cosmetic, "the only strategy has no settings", "`weight` of a target"),
    ("context_window_fallbacks", Behaviour, "a prompt that is too long is told to the client at once", "a route with a larger model, called by the application"),
    ("content_policy_fallbacks", Behaviour, "a provider's refusal of content is told to the client at once", "none"),
    ("allowed_fails", Behaviour, "a failing target is not set aside", "every call tries the next target by itself"),
    ("cooldown_time", Behaviour, "a failing target is not set aside", "every call tries the next target by itself"),
    ("disable_cooldowns", Cosmetic, "a failing target is not set aside", "nothing is needed"),
    ("retry_policy", Behaviour, "what is tried again is decided by class and phase of the failure, for all routes alike", "docs/configuration.md has the table"),
    ("model_group_retry_policy", Behaviour, "what is tried again is decided by class and phase of the failure, for all routes alike", "`attempts` of a route"),
    ("retry_after", Cosmetic, "the wait before a retry follows the provider's `retry-after`", "nothing is needed"),
    ("enable_pre_call_checks", Behaviour, "a prompt's length is not looked at before it is sent", "none"),
    ("enable_tag_filtering", Behaviour, "deployments are not chosen by tag", "a route of its own for each tag"),
    ("redis_host", Behaviour, "limits and health are this process's own", "one node; several don't share them"),
    ("redis_port", Cosmetic, "no Redis is used", "nothing is needed"),
    ("redis_password", Cosmetic, "no Redis is used", "nothing is needed"),
    ("redis_url", Behaviour, "limits and health are this process's own", "one node; several don't share them"),
    ("optional_pre_call_checks", Behaviour, "no call is tied to a target by its prompt", "calls that name a stored object go where it is"),
    ("set_verbose", Cosmetic, "the log has levels", "`log.level: debug`"),
    ("debug_level", Cosmetic, "the log has levels", "`log.level: debug`"),
];

/// Of `litellm_settings`.
#[rustfmt::skip]
pub(super) const MODULE: &[Row] = &[
    ("context_window_fallbacks", Behaviour, "a prompt that is too long is told to the client at once", "a route with a larger model, called by the application"),
    ("content_policy_fallbacks", Behaviour, "a provider's refusal of content is told to the client at once", "none"),
    ("cache", Behaviour, "there is no cache of answers yet", "a provider's own prompt cache works unchanged"),
    ("cache_params", Behaviour, "there is no cache of answers yet", "a provider's own prompt cache works unchanged"),
    ("drop_params", Cosmetic, "what a target can't be told is left out and named", "that is the default; `unsupported: refuse` on a route refuses instead"),
    ("modify_params", Cosmetic, "a translated call is written as its target wants it", "nothing is needed"),
    ("set_verbose", Cosmetic, "the log has levels", "`log.level: debug`"),
    ("json_logs", Cosmetic, "log lines are JSON", "`log.format`"),
    ("turn_off_message_logging", Cosmetic, "no message is ever logged", "nothing is needed"),
    ("redact_user_api_key_info", Cosmetic, "no key is ever logged", "nothing is needed"),
    ("redact_messages_in_exceptions", Cosmetic, "no message is ever logged", "nothing is needed"),
    ("allowed_fails", Behaviour, "a failing target is not set aside", "every call tries the next target by itself"),
    ("max_budget", Behaviour, "there are no budgets yet", "`lintel usage` sums what was spent"),
    ("budget_duration", Behaviour, "there are no budgets yet", "`lintel usage` sums what was spent"),
    ("default_internal_user_params", Behaviour, "there are no users, but tenants, projects and keys", "`lintel tenant create`, `lintel key create`"),
    ("default_team_settings", Behaviour, "there are no teams with settings of their own", "`tenants` and their projects"),
    ("telemetry", Cosmetic, "nothing is ever sent home", "nothing is needed"),
    ("ssl_verify", Behaviour, "certificates are always verified", "`tls.ca` of a provider, for a CA of your own"),
    ("service_callback", Cosmetic, "the process's own figures are metrics", "`/metrics` at the admin listener"),
    ("enable_json_schema_validation", Behaviour, "an answer is passed on as it came", "none"),
    ("forward_traceparent_to_llm_provider", Cosmetic, "a valid `traceparent` is always passed on, with the attempt as the parent", "nothing is needed"),
    ("max_parallel_requests", Behaviour, "keys have a bound on calls at once each, not by one setting", "`--max-in-flight` of a key, or `max_in_flight` in a file for `lintel apply`"),
];

/// Of `general_settings`.
#[rustfmt::skip]
pub(super) const GENERAL: &[Row] = &[
    ("database_url", Behaviour, "keys, ledger and log are files in `store`; nothing of that database is carried over", "make tenants and keys anew; spend so far stays where it is"),
    ("database_connection_pool_limit", Cosmetic, "there is no database to connect to", "nothing is needed"),
    ("database_connection_timeout", Cosmetic, "there is no database to connect to", "nothing is needed"),
    ("allow_requests_on_db_unavailable", Cosmetic, "no call waits for a database; a journal that can't be written refuses new calls", "nothing is needed"),
    ("store_model_in_db", Behaviour, "providers and routes stand in the file alone", "edit it: it is reloaded when it changes"),
    ("store_prompts_in_spend_logs", Behaviour, "prompts are never stored", "none"),
    ("disable_spend_logs", Behaviour, "every call has its row in the ledger", "none"),
    ("proxy_batch_write_at", Cosmetic, "a row is written before the last bytes of its answer", "nothing is needed"),
    ("proxy_budget_rescheduler_min_time", Cosmetic, "there are no budgets yet", "nothing is needed"),
    ("alerting", Behaviour, "there are no alerts of Lintel's own", "alert rules over `/metrics`: docs/metrics.md has some"),
    ("alerting_threshold", Behaviour, "there are no alerts of Lintel's own", "alert rules over `/metrics`: docs/metrics.md has some"),
    ("alert_types", Behaviour, "there are no alerts of Lintel's own", "alert rules over `/metrics`: docs/metrics.md has some"),
    ("background_health_checks", Behaviour, "no call is made that nobody asked for", "`lintel_attempts_total` by result"),
    ("health_check_interval", Cosmetic, "no call is made that nobody asked for", "`lintel_attempts_total` by result"),
    ("pass_through_endpoints", Behaviour, "paths that are no surface are not passed on", "docs/calls.md has the surfaces"),
    ("custom_auth", Behaviour, "code of one's own is not loaded", "virtual keys"),
    ("enable_jwt_auth", Behaviour, "signed tokens are no principals yet", "virtual keys"),
    ("litellm_jwtauth", Behaviour, "signed tokens are no principals yet", "virtual keys"),
    ("allowed_ips", Behaviour, "callers are not told apart by address", "a firewall, or client certificates: `tls.client_ca`"),
    ("allowed_routes", Behaviour, "every surface is served", "what a key may name: `--route`"),
    ("max_parallel_requests", Behaviour, "keys have a bound on calls at once each, not by one setting", "`--max-in-flight` of a key, or `max_in_flight` in a file for `lintel apply`"),
    ("ui_access_mode", Cosmetic, "there is no console yet", "the command line"),
    ("key_management_system", Behaviour, "secrets come from the environment or from files", "let that system write files, and name them with `file:`"),
    ("key_management_settings", Behaviour, "secrets come from the environment or from files", "let that system write files, and name them with `file:`"),
    ("default_team_disabled", Cosmetic, "a key always belongs to a project", "nothing is needed"),
];

/// Sections that have no counterpart as a whole.
#[rustfmt::skip]
pub(super) const SECTIONS: &[Row] = &[
    ("guardrails", Behaviour, "there are no guards yet", "none"),
    ("mcp_servers", Behaviour, "tools' servers are not served", "none"),
    ("mcp_tools", Behaviour, "tools' servers are not served", "none"),
    ("vector_store_registry", Behaviour, "no vector stores are served", "none"),
    ("search_tools", Behaviour, "no search is served", "a provider's own search tool works unchanged"),
    ("prompts", Behaviour, "there is no register of prompts yet", "none"),
    ("files_settings", Behaviour, "files are not uploaded through Lintel", "`objects: shared` for files of an account"),
    ("finetune_settings", Behaviour, "fine-tuning is not served", "call the provider"),
    ("assistant_settings", Behaviour, "assistants are not served", "the Responses API"),
    ("callback_settings", Behaviour, "no callbacks are called", "log lines, metrics and the control API"),
    ("agent_list", Behaviour, "agents are not served", "none"),
];
