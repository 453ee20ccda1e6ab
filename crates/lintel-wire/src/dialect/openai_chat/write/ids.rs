//! Ids of calls as the host takes them: Mistral wants nine letters and digits, OpenAI at most forty characters.
//! An id that doesn't fit is replaced by one made of it, the same for a call and for its result.

use std::borrow::Cow;

use super::super::terms;
use crate::hosts::Host;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The id that stands for `id` at `host`.
pub(super) fn fitted<'i>(id: &'i str, host: &Host) -> Cow<'i, str> {
    if host.name == "mistral" {
        let fits = id.len() == 9 && id.bytes().all(|b| b.is_ascii_alphanumeric());
        return if fits { id.into() } else { made_of(id).into() };
    }
    if terms::is_openai(host) && id.chars().count() > 40 {
        return format!("call_{}", made_of(id)).into();
    }
    id.into()
}

/// Nine letters and digits, by FNV-1a: a few calls of one conversation don't meet.
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
fn made_of(id: &str) -> String {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let mut hash = id.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    let mut digit = || {
        let at = usize::try_from(hash % 62).unwrap_or_default();
        hash /= 62;
        DIGITS.get(at).map_or('0', |d| char::from(*d))
    };
    (0..9).map(|_| digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::by_name;

    #[test]
    fn ids_fit_their_host() {
        let at = |host: &str, id: &str| fitted(id, by_name(host).unwrap()).into_owned();
        assert_eq!(at("mistral", "Df1cqWOle"), "Df1cqWOle");
        let made = at("mistral", "toolu_01A09q90qw90lq917835lq9");
        assert!(
            made.len() == 9 && made.bytes().all(|b| b.is_ascii_alphanumeric()),
            "{made}"
        );
        assert_eq!(made, at("mistral", "toolu_01A09q90qw90lq917835lq9"));
        assert_ne!(made, at("mistral", "toolu_01A09q90qw90lq917835lq8"));
        let long = "x".repeat(41);
        assert_eq!(at("openai", &long).len(), 14);
        assert_eq!(at("openai", "toolu_01"), "toolu_01");
        assert_eq!(at("groq", &long), long);
    }
}
