//! The canonical request: the one spelling of a request that both sides hash.

use super::ToSign;

/// The canonical request, and the list of its signed headers.
pub(super) fn request(request: &ToSign<'_>, stamp: &str, token: Option<&str>) -> (String, String) {
    let mut headers: Vec<(&str, &str)> = request.headers.to_vec();
    headers.push(("host", request.host));
    headers.push(("x-amz-date", stamp));
    headers.extend(token.map(|t| ("x-amz-security-token", t)));
    headers.sort_unstable();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let signed = names.join(";");
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", trimmed(value)))
        .collect();
    let path = match request.path {
        "" => "/".to_owned(),
        path => encoded(path, b"/"),
    };
    let (method, query, payload) = (request.method, query(request.query), request.payload);
    let text = format!("{method}\n{path}\n{query}\n{lines}\n{signed}\n{payload}");
    (text, signed)
}

/// Runs of spaces inside a header's value count as one, those around it not at all.
fn trimmed(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Members by name, then value, each with its `=`. What is percent-encoded already stays so.
fn query(query: &str) -> String {
    let mut members: Vec<String> = query
        .split('&')
        .filter(|m| !m.is_empty())
        .map(|member| {
            let (name, value) = member.split_once('=').unwrap_or((member, ""));
            format!("{}={}", encoded(name, b"%"), encoded(value, b"%"))
        })
        .collect();
    members.sort_unstable();
    members.join("&")
}

/// Percent-encodes all but unreserved characters and those of `keep`.
fn encoded(text: &str, keep: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte);
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
