//! Only `lintel-gateway/src/upstream` dials a provider: one place to hold timeouts, TLS, pools and egress rules.

use super::Rule;
use super::repo::{File, Finding, Repo};
use super::rust;

pub(super) const RULE: Rule = Rule {
    name: "dial",
    summary: "only lintel-gateway/src/upstream opens connections to providers",
    check,
    bad: || {
        Repo::of(&[(
            "crates/lintel-gateway/src/relay.rs",
            "//! R.\nasync fn f() { TcpStream::connect(a).await; }\n",
        )])
    },
};

const NAMES: &[&str] = &[
    "TcpStream::connect",
    "TcpStream::connect_timeout",
    "TcpSocket",
    "UnixStream::connect",
    "client::conn",
    "client::legacy",
    "lookup_host",
];

/// Who else may, and why.
const ALLOWED: &[(&str, &str)] = &[
    (
        "crates/lintel-gateway/src/upstream.rs",
        "the parent of the folder",
    ),
    (
        "crates/lintel-gateway/src/upstream/",
        "the one place that dials providers",
    ),
    (
        "crates/lintel/src/client",
        "the command line speaks to its own gateway's admin listener, never to a provider",
    ),
    (
        "crates/lintel-admin/src/port.rs",
        "asks whether somebody still answers on a socket file that it would replace",
    ),
];

fn check(repo: &Repo) -> Vec<Finding> {
    repo.rust()
        .filter(|file| product(file))
        .flat_map(dials)
        .collect()
}

fn product(file: &File) -> bool {
    file.path.starts_with("crates/")
        && !file.is_test()
        && !ALLOWED.iter().any(|(path, _)| file.path.starts_with(path))
}

fn dials(file: &File) -> Vec<Finding> {
    let code = rust::code(rust::without_tests(&file.text));
    let named = code.lines().enumerate().filter_map(|(at, line)| {
        let name = NAMES.iter().find(|name| rust::has_word(line, name))?;
        Some(Finding::new(
            &file.path,
            at + 1,
            format!("names `{name}`: only lintel-gateway/src/upstream dials"),
        ))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        check(&Repo::of(&[(path, text)])).len()
    }

    #[test]
    fn dialling_is_refused_everywhere_but_upstream() {
        for name in NAMES {
            let text = format!("//! X.\nuse a::{name};\n");
            assert_eq!(count("crates/lintel-admin/src/x.rs", &text), 1, "{name}");
            assert_eq!(
                count("crates/lintel-gateway/src/upstream/connect.rs", &text),
                0,
                "{name}"
            );
            assert_eq!(count("crates/lintel/tests/it/x.rs", &text), 0, "{name}");
        }
    }

    #[test]
    fn a_file_that_only_sounds_like_upstream_is_refused() {
        assert_eq!(
            count("crates/lintel-gateway/src/upstream_helper.rs", "TcpSocket"),
            1
        );
    }
}
