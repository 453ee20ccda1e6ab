//! What a name may look like. Names become parts of `provider/model`, of metrics and of log lines.

/// Why `name` can't be the name of a provider, tenant or project; none when it can.
pub(crate) fn refuse_name(name: &str) -> Option<&'static str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.is_empty() || name.len() > 64 {
        return Some("a name has 1 to 64 characters");
    }
    (!name.bytes().all(plain)).then_some("a name is made of letters, digits, `-`, `_` and `.`")
}

/// Why `name` can't be the name of a route; none when it can. Routes may look like model names: `team/gpt-4o:fast`.
pub(crate) fn refuse_route_name(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.len() > 200 {
        return Some("a route's name has 1 to 200 characters");
    }
    (!name.bytes().all(|b| b.is_ascii_graphic()))
        .then_some("a route's name is made of printable ASCII characters without spaces")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, good) in [
            ("openai", true),
            ("a.b-c_9", true),
            ("", false),
            ("a/b", false),
            ("a b", false),
            ("ä", false),
            (&"x".repeat(65), false),
        ] {
            assert_eq!(refuse_name(name).is_none(), good, "{name}");
        }
        for (name, good) in [
            ("team/gpt-4o:fast", true),
            ("a b", false),
            ("", false),
            ("é", false),
            ("a\n", false),
        ] {
            assert_eq!(refuse_route_name(name).is_none(), good, "{name}");
        }
    }
}
