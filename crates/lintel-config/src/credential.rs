//! Credentials: a key, AWS access keys, or a Google service account. What each is made of, never what is in it.
//!
//! Invariant: no `Debug` shows a secret, and a service account's private key signs without ever being shown.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lintel_wire::sigv4::Keys;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::Deserialize;

use crate::base_url::{BadUrl, BaseUrl};
use crate::secret::Secret;

/// What a provider is called with.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A key or token, sent as it is.
    Key(Secret),
    /// AWS access keys, which sign each request.
    Aws(Keys),
    /// A Google service account, exchanged for short-lived tokens.
    ServiceAccount(ServiceAccount),
}

impl Credential {
    /// The key, where it is one.
    pub fn key(&self) -> Option<&Secret> {
        match self {
            Credential::Key(secret) => Some(secret),
            Credential::Aws(_) | Credential::ServiceAccount(_) => None,
        }
    }
}

/// A Google service account.
#[derive(Clone)]
pub struct ServiceAccount {
    /// Whom its tokens stand for.
    pub email: Arc<str>,
    /// Which of its keys this is.
    pub key_id: Option<Arc<str>>,
    /// The project that it belongs to.
    pub project: Option<Arc<str>>,
    /// Where its signed assertions are exchanged for tokens.
    pub token_uri: BaseUrl,
    key: Arc<RsaKeyPair>,
}

/// A text that is no service account's key file. No message repeats what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAccount {
    /// It isn't the JSON of a key file.
    #[error(
        "no service account's key file: it holds a JSON object with `client_email`, `private_key` and `token_uri`"
    )]
    Shape,
    /// It is another kind of credential.
    #[error(
        "credentials of type `{0}` are not taken: create a key of a service account and name its file"
    )]
    Kind(String),
    /// The key can't sign.
    #[error(
        "its `private_key` is no RSA key of 2048 bits or more in PEM (PKCS #8): download the key file again"
    )]
    Key,
    /// Tokens can't be fetched there.
    #[error("its `token_uri` can't be used: {0}")]
    TokenUri(BadUrl),
    /// The assertion would cross the network readable.
    #[error(
        "its `token_uri` is not https: the signed assertion would cross the network in clear text"
    )]
    ClearText,
}

/// The members of a key file that count.
#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: Option<String>,
    client_email: Option<String>,
    private_key: Option<String>,
    private_key_id: Option<String>,
    project_id: Option<String>,
    token_uri: Option<String>,
}

impl ServiceAccount {
    /// Reads the text of a key file, and makes sure that its key can sign.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadAccount> {
        let file: KeyFile = serde_json::from_str(text).map_err(|_| BadAccount::Shape)?;
        if let Some(kind) = file.kind.filter(|k| k != "service_account") {
            let known =
                kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && kind.len() < 64;
            return Err(BadAccount::Kind(if known { kind } else { "?".into() }));
        }
        let (Some(email), Some(pem), Some(token_uri)) =
            (file.client_email, file.private_key, file.token_uri)
        else {
            return Err(BadAccount::Shape);
        };
        let token_uri = BaseUrl::parse(&token_uri).map_err(BadAccount::TokenUri)?;
        if !token_uri.https && !token_uri.is_loopback() {
            return Err(BadAccount::ClearText);
        }
        let der = pkcs8(&pem).ok_or(BadAccount::Key)?;
        let key = RsaKeyPair::from_pkcs8(&der).map_err(|_| BadAccount::Key)?;
        let text = |s: Option<String>| s.filter(|s| !s.is_empty()).map(Arc::from);
        Ok(Self {
            email: Arc::from(email),
            key_id: text(file.private_key_id),
            project: text(file.project_id),
            token_uri,
            key: Arc::new(key),
        })
    }

    /// The signature of `message` by RS256 (RSASSA-PKCS1-v1_5 with SHA-256, RFC 7518 §3.3); none when the
    /// machine has no randomness to blind it with.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let mut signature = vec![0; self.key.public().modulus_len()];
        let signed = self.key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message,
            &mut signature,
        );
        signed.ok().map(|()| signature)
    }

    /// The public half of its key, in DER (PKCS #1).
    pub fn public_key(&self) -> &[u8] {
        self.key.public().as_ref()
    }

    /// Whether tokens of one are tokens of the other: same account, same key, same exchange.
    pub fn is_same(&self, other: &Self) -> bool {
        self.email == other.email
            && self.token_uri == other.token_uri
            && self.public_key() == other.public_key()
    }
}

impl fmt::Debug for ServiceAccount {
    /// The account, and nothing that a rotation of its key changes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceAccount({}, {})", self.email, self.token_uri)
    }
}

/// The bytes of a PEM text's private key (RFC 7468).
fn pkcs8(pem: &str) -> Option<Vec<u8>> {
    const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
    const END: &str = "-----END PRIVATE KEY-----";
    let (_, rest) = pem.split_once(BEGIN)?;
    let (body, _) = rest.split_once(END)?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> BadAccount {
        ServiceAccount::parse(text).unwrap_err()
    }

    #[test]
    fn what_is_no_key_file_is_refused_without_repeating_it() {
        assert_eq!(refused("sk-secret"), BadAccount::Shape);
        assert_eq!(refused("{}"), BadAccount::Shape);
        assert_eq!(
            refused(r#"{"type":"authorized_user","refresh_token":"s3cret"}"#),
            BadAccount::Kind("authorized_user".into())
        );
        let file = |uri: &str, key: &str| {
            refused(&format!(
                r#"{{"type":"service_account","client_email":"a@b","private_key":"{key}","token_uri":"{uri}"}}"#
            ))
        };
        let google = "https://oauth2.googleapis.com/token";
        for key in [
            "s3cret",
            "-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\\n",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            assert_eq!(file(google, key), BadAccount::Key);
        }
        assert_eq!(file("http://tokens.example/t", "k"), BadAccount::ClearText);
        let metadata = file("http://169.254.169.254/token", "k");
        assert_eq!(metadata, BadAccount::TokenUri(BadUrl::Forbidden));
    }

    #[test]
    fn debug_shows_no_secret() {
        let keys = Credential::Aws(Keys {
            access_key_id: "s3cret".into(),
            secret_access_key: "s3cret".into(),
            session_token: Some("s3cret".into()),
        });
        for credential in [Credential::Key(Secret::new("s3cret")), keys] {
            assert!(!format!("{credential:?}").contains("s3cret"));
        }
    }
}
