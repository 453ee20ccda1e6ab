//! What a provider is called with: the value of its credential header, ready before anything is sent.

use std::sync::Arc;

use http::HeaderValue;
use lintel_config::{Credential, Provider};
use lintel_types::Mono;
use lintel_wire::headers::credential_value;

use super::token;
use crate::failed::AttemptFailed;
use crate::start::Worker;

/// The value of the credential header; none without a credential, and for access keys, which sign what is
/// sent when it is sent. A token that isn't here yet is waited for until `by`.
pub(crate) async fn credential(
    worker: &Arc<Worker>,
    provider: &Provider,
    by: Mono,
) -> Result<Option<HeaderValue>, AttemptFailed> {
    match &provider.credential {
        None | Some(Credential::Aws(_)) => Ok(None),
        Some(Credential::Key(secret)) => Ok(credential_value(provider.host.auth, secret.expose())),
        Some(Credential::ServiceAccount(account)) => {
            let peer = provider.tokens.as_ref().unwrap_or(&provider.peer);
            let token = token::bearer(worker, account, peer, by).await;
            token.map(Some)
        }
    }
}
