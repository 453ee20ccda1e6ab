//! One element of `model_list`: which account it calls, for which model, and with what weight.

use serde_json::{Map, Value};

use super::account::account;
use super::prefix::{Known, known, split};
use super::source::{Node, Source};
use super::{Context, Severity};

/// A deployment that can be called.
pub(super) struct Deployment<'s> {
    /// `model_name`.
    pub(super) group: String,
    pub(super) node: Node<'s>,
    /// The usual name of its account.
    pub(super) hint: String,
    /// Its account.
    pub(super) account: Map<String, Value>,
    /// The model's name there.
    pub(super) model: String,
    pub(super) weight: Option<u64>,
    /// Lower ones are tried first.
    pub(super) order: i64,
    pub(super) timeout: Option<String>,
    pub(super) stream_timeout: Option<String>,
}

/// Every deployment that can be called; what stands in the way of the others is told.
pub(super) fn all<'s>(source: &'s Source, context: &mut Context<'_>) -> Vec<Deployment<'s>> {
    let credentials: Vec<Node<'s>> = source
        .section("credential_list")
        .iter()
        .flat_map(Node::elements)
        .collect();
    let list = source.section("model_list");
    let elements = list.iter().flat_map(Node::elements);
    elements
        .filter_map(|node| one(node, &credentials, context))
        .collect()
}

/// What stands in `litellm_params`, or in the credential that they name.
pub(super) struct Params<'s> {
    pub(super) own: Node<'s>,
    credential: Option<Node<'s>>,
}

impl<'s> Params<'s> {
    pub(super) fn get(&self, name: &str) -> Option<Node<'s>> {
        let named = || self.credential.as_ref()?.get(name);
        self.own.get(name).or_else(named)
    }

    fn text(&self, name: &str) -> Option<&'s str> {
        self.get(name)?.value.as_str()
    }
}

fn one<'s>(
    node: Node<'s>,
    credentials: &[Node<'s>],
    context: &mut Context<'_>,
) -> Option<Deployment<'s>> {
    let (Some(group), Some(own)) = (node.text("model_name"), node.get("litellm_params")) else {
        context.behaviour(
            &node,
            "an element without `model_name` or `litellm_params` is no deployment",
            "left out",
        );
        return None;
    };
    let wanted = own.text("litellm_credential_name");
    let credential = wanted.and_then(|name| {
        let found = credentials
            .iter()
            .find(|c| c.text("credential_name") == Some(name));
        found.and_then(|c| c.get("credential_values"))
    });
    let params = Params { own, credential };
    let Some(written) = params.text("model") else {
        context.behaviour(&params.own, "`model` is missing", "left out");
        return None;
    };
    let (prefix, mut model) = match params.text("custom_llm_provider") {
        Some(provider) => (
            Some(provider),
            written
                .strip_prefix(provider)
                .and_then(|m| m.strip_prefix('/'))
                .unwrap_or(written),
        ),
        None => split(written),
    };
    let at = params.get("model").unwrap_or(params.own.clone());
    let row = provider_of(prefix, &mut model, written, &params, &at, context)?;
    if row.protocol == "bedrock" {
        model = ["converse/", "invoke/", "converse_like/"]
            .iter()
            .find_map(|way| model.strip_prefix(way))
            .unwrap_or(model);
    }
    if row.protocol == "vertex" && !model.starts_with("gemini") && !model.contains('*') {
        context.behaviour(
            &at,
            format!(
                "`{model}` at Vertex AI is not one of Gemini's models, which alone are called there"
            ),
            "a provider of the model's own maker, or Bedrock; left out",
        );
        return None;
    }
    let account = account(&row, prefix.unwrap_or_default(), &params, context)?;
    leftovers(&params, &node, context);
    let rpm = ["weight", "rpm", "tpm"]
        .iter()
        .find_map(|key| params.own.get(key).or_else(|| node.get(key))?.number());
    Some(Deployment {
        group: group.to_owned(),
        hint: match row.host {
            "" => prefix.unwrap_or("openai").to_owned(),
            "google" => "gemini".to_owned(),
            host => host.to_owned(),
        },
        account,
        model: model.to_owned(),
        weight: rpm.filter(|n| *n >= 1.0).map(|n| (n as u64).min(1_000_000)),
        order: params
            .own
            .get("order")
            .and_then(|n| n.number())
            .map_or(0, |n| n as i64),
        timeout: seconds(&params, "timeout", context),
        stream_timeout: seconds(&params, "stream_timeout", context),
        node,
    })
}

/// The row of the provider. An unknown one with an address of its own is taken for OpenAI-compatible.
fn provider_of<'m>(
    prefix: Option<&str>,
    model: &mut &'m str,
    written: &'m str,
    params: &Params<'_>,
    at: &Node<'_>,
    context: &mut Context<'_>,
) -> Option<Known> {
    if let Some(row) = prefix.and_then(known) {
        return Some(row);
    }
    if params.get("api_base").is_some() {
        // `meta-llama/Llama-3` is a name with a slash, not a provider's.
        if params.get("custom_llm_provider").is_none() {
            *model = written;
        }
        context.behaviour(
            at,
            format!("no provider is known by `{written}`"),
            "it has an `api_base`, so it is taken for an OpenAI-compatible server",
        );
        return known("openai_like");
    }
    let name = prefix.unwrap_or(written);
    context.behaviour(
        at,
        format!("Lintel has no provider `{name}`"),
        "any OpenAI-compatible address of it: `protocol: openai` with `base_url`; left out",
    );
    None
}

fn seconds(params: &Params<'_>, name: &str, context: &mut Context<'_>) -> Option<String> {
    let node = params.own.get(name)?;
    let period = node.seconds();
    if period.is_none() {
        context.behaviour(&node, "this is no number of seconds", "the default holds");
    }
    period
}

/// What else a deployment says.
fn leftovers(params: &Params<'_>, node: &Node<'_>, context: &mut Context<'_>) {
    const READ: &[&str] = &[
        "model",
        "api_base",
        "base_url",
        "api_key",
        "api_version",
        "custom_llm_provider",
        "litellm_credential_name",
        "weight",
        "order",
        "timeout",
        "stream_timeout",
        "aws_region_name",
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "aws_role_name",
        "aws_profile_name",
        "aws_web_identity_token",
        "aws_sts_endpoint",
        "vertex_project",
        "vertex_location",
        "vertex_credentials",
    ];
    const IN_THE_CALL: &[&str] = &[
        "temperature",
        "max_tokens",
        "top_p",
        "top_k",
        "seed",
        "stop",
        "frequency_penalty",
        "presence_penalty",
        "response_format",
        "tools",
        "tool_choice",
        "reasoning_effort",
        "thinking",
        "extra_body",
        "max_completion_tokens",
    ];
    for (name, member) in params.own.members() {
        let (severity, reason, nearest) = match name {
            _ if READ.contains(&name) => continue,
            "rpm" | "tpm" => (
                Severity::Behaviour,
                "a provider's rate is not counted here".to_owned(),
                "it weighs the target, when nothing else does; a provider's own 429 leads to the next target",
            ),
            "max_retries" => (
                Severity::Behaviour,
                "retries are counted for the whole call".to_owned(),
                "`attempts` of the route",
            ),
            "max_parallel_requests" => (
                Severity::Behaviour,
                "a target has no bound of its own on calls at once".to_owned(),
                "`limits.in_flight`, for all",
            ),
            "drop_params" | "additional_drop_params" => (
                Severity::Cosmetic,
                "what a target can't be told is left out and named".to_owned(),
                "that is the default; `unsupported: refuse` on a route refuses instead",
            ),
            "input_cost_per_token" | "output_cost_per_token" | "cache_read_input_token_cost" => (
                Severity::Behaviour,
                "a price of one's own stands in a price file".to_owned(),
                "`prices.files`: dollars per million tokens, with the day from which it holds",
            ),
            "mock_response" => (
                Severity::Behaviour,
                "a canned answer is a provider here".to_owned(),
                "a provider with `protocol: sandbox`",
            ),
            "tags" => (
                Severity::Behaviour,
                "deployments are not chosen by tag".to_owned(),
                "a route of its own for each tag",
            ),
            "extra_headers" | "headers" | "organization" => (
                Severity::Behaviour,
                "no other headers than the listed ones go to a provider".to_owned(),
                "docs/calls.md has the list; a key of the organisation's own",
            ),
            "configurable_clientside_auth_params" => (
                Severity::Behaviour,
                "a caller can't bring a credential or an address".to_owned(),
                "a provider for each",
            ),
            _ if IN_THE_CALL.contains(&name) => (
                Severity::Behaviour,
                "parameters are the caller's: a call is passed on as it came".to_owned(),
                "set it in the application",
            ),
            _ => (
                Severity::Behaviour,
                "there is no setting like this".to_owned(),
                "docs/configuration.md has every key",
            ),
        };
        context.lose(&member, severity, reason, nearest);
    }
    for (name, member) in node.members() {
        match name {
            "model_name" | "litellm_params" => {}
            "rpm" | "tpm" => context.behaviour(
                &member,
                "a provider's rate is not counted here",
                "it weighs the target, when nothing else does",
            ),
            "model_info" => info(&member, context),
            _ => context.cosmetic(
                &member,
                "there is no setting like this",
                "nothing is needed",
            ),
        }
    }
}

/// `model_info` describes; what of it decides is told.
fn info(node: &Node<'_>, context: &mut Context<'_>) {
    for (name, member) in node.members() {
        match name {
            "input_cost_per_token" | "output_cost_per_token" => context.behaviour(
                &member,
                "a price of one's own stands in a price file",
                "`prices.files`: dollars per million tokens, with the day from which it holds",
            ),
            "base_model" => context.cosmetic(
                &member,
                "the price is found by the target's own name",
                "a price file's entry for that name",
            ),
            "access_groups" => context.behaviour(
                &member,
                "routes are allowed one by one",
                "`routes` of a project, `--route` of a key",
            ),
            _ => {}
        }
    }
}
