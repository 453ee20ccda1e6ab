//! Text inside a request's target: query strings and path segments, escaped.

/// A query string being built.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(&'static str, String)>);

impl Query {
    /// With `name=value`, when there is a value.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        if let Some(value) = value {
            self.0.push((name, value.to_string()));
        }
        self
    }

    /// What stands behind the path: nothing, or `?` and the pairs.
    pub(crate) fn text(&self) -> String {
        let pairs = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={}", escape(value)));
        let joined = pairs.collect::<Vec<_>>().join("&");
        if joined.is_empty() {
            joined
        } else {
            format!("?{joined}")
        }
    }
}

/// `text` as one path segment or query value: all but RFC 3986's unreserved characters escaped.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped() {
        let query = Query::default()
            .with("tenant", Some("a&b=ü"))
            .with("limit", None::<u32>)
            .with("since", Some("24h"));
        assert_eq!(query.text(), "?tenant=a%26b%3D%C3%BC&since=24h");
        assert_eq!(Query::default().text(), "");
    }
}
