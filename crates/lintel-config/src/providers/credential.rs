//! A provider's credential: which kind was written, whether its host takes it, and what it resolves to.

use lintel_wire::hosts::{CredentialKind, Host};
use lintel_wire::provider::{AwsConfig, ProviderConfig};
use lintel_wire::sigv4::Keys;

use super::Sources;
use crate::base_url::BaseUrl;
use crate::credential::{Credential, ServiceAccount};
use crate::path::Path;
use crate::problem::Report;
use crate::secret::{self, Secret};

/// The credential that was written. Every one that is written is looked at, also where only one may be.
pub(super) fn resolve(
    config: &ProviderConfig,
    host: Option<&Host>,
    path: &Path,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> Option<Credential> {
    refuse(config, host, path, report);
    let key = config.api_key.as_deref();
    let key = key.and_then(|text| secret(text, &path.key("api_key"), sources, report));
    let aws = config.aws.as_ref();
    let aws = aws.and_then(|keys| access_keys(keys, &path.key("aws"), sources, report));
    let account = config.service_account.as_deref();
    let account =
        account.and_then(|text| account_of(text, &path.key("service_account"), sources, report));
    key.map(Credential::Key)
        .or(aws.map(Credential::Aws))
        .or(account.map(Credential::ServiceAccount))
}

/// Refuses kinds that the host doesn't take, and a second one.
fn refuse(config: &ProviderConfig, host: Option<&Host>, path: &Path, report: &mut Report<'_>) {
    let written = [
        (CredentialKind::Key, config.api_key.is_some()),
        (CredentialKind::Aws, config.aws.is_some()),
        (
            CredentialKind::ServiceAccount,
            config.service_account.is_some(),
        ),
    ];
    let mut first: Option<CredentialKind> = None;
    for (kind, _) in written.into_iter().filter(|(_, written)| *written) {
        let at = path.key(kind.key());
        match (host, first) {
            (Some(host), _) if !host.credentials.contains(&kind) => {
                let takes: Vec<String> = host
                    .credentials
                    .iter()
                    .map(|k| format!("`{}`", k.key()))
                    .collect();
                let takes = takes.join(" or ");
                let message = format!("{} doesn't take this: write {takes}", host.name);
                report.problem_at_key(&at, message);
            }
            (_, Some(first)) => {
                let message = format!(
                    "one credential is enough: remove this, or remove `{}`",
                    first.key()
                );
                report.problem_at_key(&at, message);
            }
            _ => first = Some(kind),
        }
    }
}

fn secret(text: &str, at: &Path, sources: &Sources<'_>, report: &mut Report<'_>) -> Option<Secret> {
    secret::resolve(text, sources.env, sources.read)
        .map_err(|why| report.problem(at, why))
        .ok()
}

fn access_keys(
    keys: &AwsConfig,
    at: &Path,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> Option<Keys> {
    let mut read = |key: &str, text: &str| {
        let secret = secret(text, &at.key(key), sources, report)?;
        Some(secret.expose().to_owned())
    };
    let access_key_id = read("access_key_id", &keys.access_key_id);
    let secret_access_key = read("secret_access_key", &keys.secret_access_key);
    let session_token = match keys.session_token.as_deref() {
        Some(text) => Some(read("session_token", text)?),
        None => None,
    };
    Some(Keys {
        access_key_id: access_key_id?,
        secret_access_key: secret_access_key?,
        session_token,
    })
}

fn account_of(
    text: &str,
    at: &Path,
    sources: &Sources<'_>,
    report: &mut Report<'_>,
) -> Option<ServiceAccount> {
    let (text, whence) = secret::follow(text, sources.env, sources.read)
        .map_err(|why| report.problem(at, why))
        .ok()?;
    ServiceAccount::parse(&text)
        .map_err(|why| report.problem(at, format!("{whence}: {why}")))
        .ok()
}

/// Warns of a credential in clear text, and of none where the host wants one.
pub(super) fn warn(
    config: &ProviderConfig,
    host: &Host,
    base: &BaseUrl,
    path: &Path,
    report: &mut Report<'_>,
) {
    let keys = config.api_key.is_some() || config.service_account.is_some();
    let loopback = base.is_loopback();
    if keys && !base.https && !loopback {
        report.warn(
            &path.key("base_url"),
            "the credential crosses the network in clear text: use https",
        );
    }
    if keys || config.aws.is_some() || loopback {
        return;
    }
    let usual = match (host.env, host.credentials.first()) {
        (Some(variable), Some(CredentialKind::Key)) => format!("api_key: \"${{{variable}}}\""),
        (_, Some(CredentialKind::Aws)) => "aws: { access_key_id: \"${AWS_ACCESS_KEY_ID}\", secret_access_key: \"${AWS_SECRET_ACCESS_KEY}\" }"
                .to_owned(),
        (_, Some(CredentialKind::ServiceAccount)) => {
            "service_account: file:/path/to/key.json".to_owned()
        }
        _ => return,
    };
    let wanted = host.credentials.first().map_or("api_key", |k| k.key());
    report.warn(
        path,
        format!("no `{wanted}`, so calls go without a credential; usual here: {usual}"),
    );
}
