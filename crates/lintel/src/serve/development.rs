//! The development key: minted at each start on the embedded defaults, known to this process alone.
//!
//! It is printed and never stored; when the process ends, so does the key.

use std::net::SocketAddr;
use std::sync::Arc;

use lintel_admin::mint::{self, NoRandomness};
use lintel_gateway::{KeyEntry, Standing};
use lintel_types::{Caps, Principal, PrincipalKind, RouteAccess};

const OWNER: &str = "dev";

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
        let principal = Principal {
            kind: PrincipalKind::Key,
            key: Arc::from(minted.id),
            tenant: Arc::from(OWNER),
            project: Arc::from(OWNER),
            routes: RouteAccess::All,
            direct: true,
            expose_targets: true,
            expires: None,
            caps: Caps::default(),
        };
        Ok(Self {
            secret: minted.secret,
            entry: KeyEntry {
                hash: minted.hash,
                principal,
                standing: Standing::Active,
                ends: None,
                used: None,
            },
        })
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
