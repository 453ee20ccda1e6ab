//! The account that a deployment calls: address, credential, region. A credential is only ever a reference.

use serde_json::{Map, Value, json};

use super::Context;
use super::deployment::Params;
use super::prefix::{Known, usual_base};
use super::source::Node;

/// The account of a deployment, as it is configured here; none when it can't be called.
pub(super) fn account(
    row: &Known,
    prefix: &str,
    params: &Params<'_>,
    context: &mut Context<'_>,
) -> Option<Map<String, Value>> {
    let mut account = Map::new();
    account.insert("protocol".to_owned(), json!(row.protocol));
    match row.protocol {
        "bedrock" => bedrock(&mut account, params, context),
        "vertex" => vertex(&mut account, params, context),
        _ => {
            let base = base(row, prefix, params, context)?;
            let azure = row.host == "azure";
            if let Some(base) = base {
                account.insert("base_url".to_owned(), json!(base));
            } else if !row.host.is_empty() {
                account.insert("host".to_owned(), json!(row.host));
            }
            let local = row.env.is_empty();
            if let Some(key) = key(row, local, params, context) {
                account.insert("api_key".to_owned(), json!(key));
            }
            let version = params.get("api_version").filter(|_| azure);
            if let Some(version) = version.and_then(|v| value(&v, context)) {
                account.insert("api_version".to_owned(), json!(version));
            }
        }
    }
    Some(account)
}

/// Where the account is called: what `api_base` says, or nothing where the host row knows. An outer none: nowhere.
fn base(
    row: &Known,
    prefix: &str,
    params: &Params<'_>,
    context: &mut Context<'_>,
) -> Option<Option<String>> {
    let written = params.get("api_base").or_else(|| params.get("base_url"));
    let Some(node) = written else {
        if row.host == "azure" {
            let text = "the address of the Azure resource comes from AZURE_API_BASE, and an address is no secret here";
            context.behaviour(
                &params.own,
                text,
                "write the resource's address in place of https://RESOURCE.openai.azure.com",
            );
            return Some(Some("https://RESOURCE.openai.azure.com".to_owned()));
        }
        if !row.host.is_empty() {
            return Some(None);
        }
        let Some(usual) = usual_base(prefix) else {
            context.behaviour(
                &params.own,
                format!("`{prefix}` without an `api_base` can't be called"),
                "write `base_url`; left out",
            );
            return None;
        };
        return Some(Some(usual.to_owned()));
    };
    let Some(text) = value(&node, context) else {
        context.behaviour(&node, "the address stands in an environment variable that is not set here, and an address is no secret: it has to stand in the file", "write it in place of https://REPLACE-ME.example");
        return Some(Some("https://REPLACE-ME.example".to_owned()));
    };
    let mut text = text.trim_end_matches('/').to_owned();
    if row.host == "azure" || text.contains(".services.ai.azure.com") {
        // The rest of an address that somebody pasted whole is made from the model.
        let rest = ["/openai", "/models"]
            .iter()
            .filter_map(|r| text.find(r))
            .min();
        text.truncate(rest.unwrap_or(text.len()));
    }
    if let Err(why) = crate::base_url::BaseUrl::parse(&text) {
        context.behaviour(
            &node,
            format!("this address can't be called: {why}"),
            "left out",
        );
        return None;
    }
    if !row.suffix.is_empty() && !text.ends_with(row.suffix) {
        text.push_str(row.suffix);
    }
    Some(Some(text))
}

/// The account's key as a reference; none for servers that need none.
fn key(row: &Known, local: bool, params: &Params<'_>, context: &mut Context<'_>) -> Option<String> {
    let usual = if row.env.is_empty() {
        "UPSTREAM_API_KEY"
    } else {
        row.env
    };
    let Some(node) = params.get("api_key") else {
        return (!local).then(|| context.variable(usual));
    };
    let text = node.value.as_str().unwrap_or_default();
    if let Some(name) = variable(text) {
        return Some(context.variable(name));
    }
    if local && text.len() < 20 {
        context.cosmetic(&node, "the server needs no key", "left out");
        return None;
    }
    Some(context.literal(&node, usual))
}

fn bedrock(account: &mut Map<String, Value>, params: &Params<'_>, context: &mut Context<'_>) {
    let region = params
        .get("aws_region_name")
        .and_then(|n| value(&n, context))
        .or_else(|| (context.env)("AWS_REGION"));
    let region = region.unwrap_or_else(|| {
        context.behaviour(
            &params.own,
            "the region comes from the environment, and a region is no secret here",
            "us-east-1 was written: look whether it is yours",
        );
        "us-east-1".to_owned()
    });
    account.insert("region".to_owned(), json!(region));
    for name in [
        "aws_role_name",
        "aws_profile_name",
        "aws_web_identity_token",
        "aws_sts_endpoint",
    ] {
        if let Some(node) = params.get(name) {
            context.behaviour(
                &node,
                "roles and profiles are not assumed",
                "access keys in `aws`, or a Bedrock API key in `api_key`",
            );
        }
    }
    if let Some(node) = params.get("api_key") {
        let key = match node.value.as_str().and_then(variable) {
            Some(name) => context.variable(name),
            None => context.literal(&node, "AWS_BEARER_TOKEN_BEDROCK"),
        };
        account.insert("api_key".to_owned(), json!(key));
        return;
    }
    let mut keys = Map::new();
    for (ours, theirs, usual, wanted) in [
        (
            "access_key_id",
            "aws_access_key_id",
            "AWS_ACCESS_KEY_ID",
            true,
        ),
        (
            "secret_access_key",
            "aws_secret_access_key",
            "AWS_SECRET_ACCESS_KEY",
            true,
        ),
        (
            "session_token",
            "aws_session_token",
            "AWS_SESSION_TOKEN",
            false,
        ),
    ] {
        let key = match params.get(theirs) {
            Some(node) => match node.value.as_str().and_then(variable) {
                Some(name) => context.variable(name),
                None => context.literal(&node, usual),
            },
            None if wanted => context.variable(usual),
            None => continue,
        };
        keys.insert(ours.to_owned(), json!(key));
    }
    account.insert("aws".to_owned(), Value::Object(keys));
}

fn vertex(account: &mut Map<String, Value>, params: &Params<'_>, context: &mut Context<'_>) {
    if let Some(project) = params
        .get("vertex_project")
        .and_then(|n| value(&n, context))
    {
        account.insert("project".to_owned(), json!(project));
    }
    let location = params
        .get("vertex_location")
        .and_then(|n| value(&n, context));
    account.insert(
        "location".to_owned(),
        json!(location.unwrap_or_else(|| "us-central1".to_owned())),
    );
    let node = params.get("vertex_credentials");
    let text = node.as_ref().and_then(|n| n.value.as_str());
    let reference = match text {
        Some(text) if variable(text).is_some() => {
            context.variable(variable(text).unwrap_or_default())
        }
        // A file is named, and not what it holds.
        Some(path) if !path.trim_start().starts_with('{') => format!("file:{path}"),
        _ => {
            let at = node.unwrap_or_else(|| params.own.clone());
            context.behaviour(&at, "the machine's own Google credentials are not looked for, and a key that stands in the file is not copied", "set VERTEX_SERVICE_ACCOUNT to the text of a service account's key file, or write `service_account: file:/path.json`");
            context.variable("VERTEX_SERVICE_ACCOUNT")
        }
    };
    account.insert("service_account".to_owned(), json!(reference));
}

/// The variable of `os.environ/NAME`.
fn variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix("os.environ/")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let fits = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(plain);
    fits.then_some(name)
}

/// What is no secret, written or in a variable; none when that isn't set.
fn value(node: &Node<'_>, context: &mut Context<'_>) -> Option<String> {
    let text = node
        .value
        .as_str()
        .map(str::to_owned)
        .or_else(|| node.number().map(|n| n.to_string()))?;
    match variable(&text) {
        Some(name) => (context.env)(name),
        None => Some(text),
    }
}
