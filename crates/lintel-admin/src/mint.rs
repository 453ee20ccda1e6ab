//! Makes virtual keys: 256 random bits from the operating system, shown once.
//!
//! Decides what a key looks like (`lk_` and 43 characters of base64url), how it is hashed (SHA-256
//! of the whole text) and how it is named (`key_` and the first 16 hex digits of the hash).
//! The secret lives in [`Minted`] alone: its `Debug` does not show it, and nothing here stores it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lintel_store::NewSecret;
use sha2::{Digest, Sha256};

const PREFIX: &str = "lk_";

/// A key that has just been made.
pub struct Minted {
    /// What the caller sends. Shown once, never stored.
    pub secret: String,
    /// SHA-256 of the secret's text: what is stored.
    pub hash: [u8; 32],
    /// The public id.
    pub id: String,
}

impl Minted {
    /// What is stored of it: the hash, and as much of the text as tells it from others (36 of its 256 bits).
    pub fn stored(&self) -> NewSecret {
        NewSecret {
            hash: self.hash,
            prefix: self.secret.get(..PREFIX.len() + 6).map(str::to_owned),
        }
    }
}

impl fmt::Debug for Minted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minted")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct NoRandomness(#[from] getrandom::Error);

/// Makes a key.
///
/// # Errors
/// [`NoRandomness`]; a key is never made from anything weaker.
pub fn mint() -> Result<Minted, NoRandomness> {
    let secret = random_text(PREFIX)?;
    let hash = hash(&secret);
    Ok(Minted {
        id: id(&hash),
        secret,
        hash,
    })
}

/// Fills `bytes` from the operating system's random source.
///
/// # Errors
/// [`NoRandomness`] when it gives none.
pub fn random_bytes(bytes: &mut [u8]) -> Result<(), NoRandomness> {
    Ok(getrandom::fill(bytes)?)
}

/// `prefix` and 256 random bits as 43 characters of base64url.
///
/// # Errors
/// [`NoRandomness`] when the operating system gives none.
pub fn random_text(prefix: &str) -> Result<String, NoRandomness> {
    let mut bits = [0u8; 32];
    getrandom::fill(&mut bits)?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bits)))
}

/// The hash under which a secret is stored and looked up.
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// The public id of the key with this hash.
pub fn id(hash: &[u8; 32]) -> String {
    let mut id = String::from("key_");
    for byte in hash.iter().take(8) {
        id.push_str(&format!("{byte:02x}"));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_256_bits_named_by_its_hash_and_hidden_in_debug() {
        let (one, two) = (mint().unwrap(), mint().unwrap());
        assert_eq!(one.secret.len(), 3 + 43);
        assert!(one.secret.starts_with("lk_"));
        assert_ne!(one.secret, two.secret);
        assert_eq!(one.hash, hash(&one.secret));
        assert_eq!(one.id.len(), 4 + 16);
        assert!(!format!("{one:?}").contains(&one.secret));
    }

    #[test]
    fn the_hash_is_sha_256_of_the_text() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(id(&hash("abc")), "key_ba7816bf8f01cfea");
    }
}
