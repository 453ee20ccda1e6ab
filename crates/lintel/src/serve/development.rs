//! The development key: minted at each start on the embedded defaults, known to this process alone.
//!
//! It is printed and never stored; when the process ends without a successor, so does the key.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use lintel_admin::mint::{self, NoRandomness};
use lintel_gateway::{KeyEntry, Standing};
use lintel_types::{Caps, Principal, PrincipalKind, RouteAccess};
use serde::{Deserialize, Serialize};

const OWNER: &str = "dev";

/// A development key's name and text, as one process tells it to its successor.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DevelopmentKey {
    id: String,
    secret: String,
}

impl fmt::Debug for DevelopmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevelopmentKey").finish_non_exhaustive()
    }
}

/// A development key.
#[derive(Debug)]
pub(crate) struct Development {
    secret: String,
    /// What the data plane knows of it.
    pub(crate) entry: KeyEntry,
}

impl Development {
    /// Makes one: tenant and project `dev`, every route, direct names.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub(crate) fn mint() -> Result<Self, NoRandomness> {
        let minted = mint::mint()?;
        Ok(Self::of(DevelopmentKey {
            id: minted.id,
            secret: minted.secret,
        }))
    }

    /// The one that the process before minted: a successor keeps it.
    pub(crate) fn of(key: DevelopmentKey) -> Self {
        let principal = Principal {
            kind: PrincipalKind::Key,
            key: Arc::from(key.id),
            tenant: Arc::from(OWNER),
            project: Arc::from(OWNER),
            routes: RouteAccess::All,
            direct: true,
            expose_targets: true,
            expires: None,
            caps: Caps::default(),
        };
        Self {
            entry: KeyEntry {
                hash: mint::hash(&key.secret),
                principal,
                standing: Standing::Active,
                ends: None,
                used: None,
            },
            secret: key.secret,
        }
    }

    /// What a successor needs to keep it.
    pub(crate) fn key(&self) -> DevelopmentKey {
        DevelopmentKey {
            id: self.entry.principal.key.to_string(),
            secret: self.secret.clone(),
        }
    }

    /// What is printed: the key, and a first call that works as pasted.
    pub(crate) fn greeting(&self, listen: SocketAddr) -> String {
        let key = &self.secret;
        format!(
            "development key (dies with this process): {key}\n\n\
             curl http://{listen}/v1/chat/completions -H 'authorization: Bearer {key}' -H 'content-type: application/json' \
             -d '{{\"model\":\"sandbox\",\"messages\":[{{\"role\":\"user\",\"content\":\"hello\"}}]}}'\n\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_is_a_call_that_can_be_pasted() {
        let development = Development::mint().unwrap();
        let greeting = development.greeting("127.0.0.1:8080".parse().unwrap());
        let curl = greeting
            .lines()
            .find(|line| line.starts_with("curl "))
            .unwrap();
        let body = curl.rsplit_once("-d '").unwrap().1.trim_end_matches('\'');
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["model"], "sandbox");
        assert!(curl.contains(&format!("Bearer {}", development.secret)));
        assert_eq!(mint::hash(&development.secret), development.entry.hash);
    }
}
