//! The token that the process was started with: who it names, and whether a presented one is it.
//!
//! Only the hash is kept. Hashes are compared without an early exit, so that the time of a refusal
//! says nothing about how much of a guess was right.

use std::fmt;
use std::hint::black_box;
use std::sync::Arc;

use crate::mint;

/// One administrator's token.
#[derive(Clone)]
pub struct AdminToken {
    name: Arc<str>,
    hash: [u8; 32],
}

impl AdminToken {
    /// The token `secret`, whose holder the audit log calls `name`.
    pub fn new(name: &str, secret: &str) -> Self {
        Self {
            name: Arc::from(name),
            hash: mint::hash(secret),
        }
    }

    /// The name to act under when `presented` is this token.
    pub fn recognise(&self, presented: &str) -> Option<Arc<str>> {
        same(&self.hash, &mint::hash(presented)).then(|| Arc::clone(&self.name))
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminToken")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let difference = a
        .iter()
        .zip(b)
        .fold(0u8, |acc, (x, y)| black_box(acc | (x ^ y)));
    black_box(difference) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_recognised() {
        let token = AdminToken::new("admin", "at_secret");
        assert_eq!(token.recognise("at_secret").as_deref(), Some("admin"));
        for wrong in ["", "at_secre", "at_secret ", "AT_SECRET", "at_secret\0"] {
            assert_eq!(token.recognise(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_difference_in_any_byte_counts() {
        let zero = [0u8; 32];
        for i in 0..32 {
            let mut other = zero;
            other[i] = 1;
            assert!(!same(&zero, &other), "byte {i}");
        }
        assert!(same(&zero, &zero));
    }

    #[test]
    fn debug_shows_no_hash() {
        let shown = format!("{:?}", AdminToken::new("admin", "at_secret"));
        assert_eq!(shown, "AdminToken { name: \"admin\", .. }");
    }
}
