//! Takes ids, hosts and credentials out of a provider's message before a client or a log sees it.
//!
//! It works on words: a word that looks like a secret, an account id, a URL or a host name is replaced.
//! It leans towards removing too much; model names, numbers and plain words stay.

/// What stands in place of a removed word.
pub const REMOVED: &str = "[removed]";

/// Beginnings of words that name an account, a credential or a request.
const PREFIXES: &[&str] = &[
    "sk-", "sk_", "pk-", "pk_", "rk_", "gsk_", "xai-", "csk-", "hf_", "AKIA", "ASIA", "AIza",
    "ya29.", "eyJ", "org-", "org_", "proj_", "proj-", "user-", "user_", "acct_", "acct-", "req_",
    "req-", "ws_", "wrkspc_", "key_", "lk_", "Bearer",
];

/// Endings of words that are host names.
const HOST_ENDINGS: &[&str] = &[
    ".com",
    ".ai",
    ".io",
    ".net",
    ".org",
    ".dev",
    ".cloud",
    ".internal",
    ".local",
    ".svc",
    ".xyz",
    ".cn",
    ".eu",
];

/// `text` without what should not leave.
pub fn scrub(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let gap = rest.find(is_word).unwrap_or(rest.len());
        let (between, after) = rest.split_at(gap);
        out.push_str(between);
        let end = after.find(|c| !is_word(c)).unwrap_or(after.len());
        let (word, tail) = after.split_at(end);
        push_word(word, &mut out);
        rest = tail;
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(
            c,
            '-' | '_' | '.' | ':' | '/' | '*' | '@' | '+' | '=' | '%' | '?' | '&' | '~'
        )
}

fn push_word(word: &str, out: &mut String) {
    let core = word.trim_end_matches(['.', ':', '?', '=']);
    let tail = word.get(core.len()..).unwrap_or_default();
    out.push_str(if suspicious(core) { REMOVED } else { core });
    out.push_str(tail);
}

fn suspicious(word: &str) -> bool {
    PREFIXES
        .iter()
        .any(|p| word.len() > p.len() && word.starts_with(p))
        || word.contains("://")
        || word.contains('@') && word.contains('.')
        || word.split(['/', ':', '?']).any(is_host)
        || word
            .split([':', '/', '=', '.', '_', '?', '&'])
            .any(|part| part.split('-').any(is_opaque) || is_uuid(part))
}

/// A host name or an address with dots.
fn is_host(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let named = HOST_ENDINGS
        .iter()
        .any(|e| lower.ends_with(e) && lower.len() > e.len());
    let address =
        lower.split('.').count() == 4 && lower.split('.').all(|o| o.parse::<u8>().is_ok());
    named || address || lower == "localhost"
}

/// Sixteen or more letters and digits mixed: an id or a secret, not a word and not a date.
fn is_opaque(part: &str) -> bool {
    let (letters, digits) = part.chars().fold((0usize, 0usize), |(l, d), c| {
        (
            l + usize::from(c.is_ascii_alphabetic()),
            d + usize::from(c.is_ascii_digit()),
        )
    });
    part.len() >= 16 && letters >= 2 && digits >= 2 || part.contains("***")
}

fn is_uuid(part: &str) -> bool {
    let lengths: Vec<usize> = part.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && part.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn removes_what_should_not_leave() {
        for secret in [
            "sk-abc",
            "sk-proj-1234567890",
            "org-Xy12",
            "https://api.openai.com/v1",
            "api.internal.local:8080",
            "10.0.0.7:9000",
            "req_011CVabc",
            "a1b2c3d4e5f6a7b8c9",
            "123e4567-e89b-12d3-a456-426614174000",
            "someone@example.com",
            "AKIAIOSFODNN7EXAMPLE",
            "sk-***************1234",
        ] {
            let text = format!("failed for {secret}, sorry ({secret}).");
            assert_eq!(
                scrub(&text),
                format!("failed for {REMOVED}, sorry ({REMOVED})."),
                "{secret}"
            );
        }
    }

    #[test]
    fn keeps_what_helps() {
        for text in [
            "The model `gpt-4o-2024-08-06` does not exist",
            "claude-sonnet-4-5-20250929 is overloaded; try again in 34.4s.",
            "messages.3.content.0: Input should be a valid dictionary",
            "Invalid type for 'messages[1].content': expected one of a string or array",
            "max_completion_tokens is too large: 999999999. This model supports at most 16384",
        ] {
            assert_eq!(scrub(text), text);
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_never_keeps_a_key(before in ".*", after in ".*") {
            let text = format!("{before} sk-secret123 {after}");
            prop_assert!(!scrub(&text).contains("sk-secret123"));
        }
    }
}
