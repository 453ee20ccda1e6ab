//! What belongs to one machine stays there: no path of it, no host of a package mirror in any file.

use super::Rule;
use super::repo::{File, Finding, Repo};

pub(super) const RULE: Rule = Rule {
    name: "leaks",
    summary: "no package registry's host name and no absolute path of a machine",
    check,
    bad: || {
        Repo::of(&[(
            "tests/setup.sh",
            concat!("pip install --index-url https://py", "pi.org/simple x\n"),
        )])
    },
};

// In halves, so that this file does not find itself.
const HOSTS: &[&str] = &[
    concat!("registry.np", "mjs"),
    concat!("registry.yarn", "pkg"),
    concat!("index.cra", "tes.io"),
    concat!("static.cra", "tes.io"),
    concat!("py", "pi.org"),
    concat!("pythonho", "sted.org"),
    concat!("deb.deb", "ian.org"),
    concat!("security.deb", "ian.org"),
    concat!("proxy.gol", "ang.org"),
];

const PATHS: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
];

fn check(repo: &Repo) -> Vec<Finding> {
    // Recorded conversations mention paths of machines that are nobody's secret.
    let own = repo
        .files
        .iter()
        .filter(|file| !file.path.starts_with("tests/golden/"));
    own.flat_map(|file| leaks(file, &repo.root)).collect()
}

fn leaks(file: &File, root: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in file.text.lines().enumerate() {
        let here = (root.len() > 1 && line.contains(root)).then_some("the path of this clone");
        let host = HOSTS
            .iter()
            .any(|host| line.contains(host))
            .then_some("the host of a package registry");
        let path = PATHS
            .iter()
            .any(|path| starts_path(line, path))
            .then_some("an absolute path of a machine");
        findings.extend(
            here.or(host)
                .or(path)
                .map(|what| Finding::new(&file.path, at + 1, format!("holds {what}"))),
        );
    }
    findings
}

/// Whether `path` stands in `line` as the start of a path, not in the middle of one or of a URL.
fn starts_path(line: &str, path: &str) -> bool {
    let inside =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '~' | '}' | ')');
    line.match_indices(path).any(|(at, _)| {
        !line
            .get(..at)
            .and_then(|before| before.chars().next_back())
            .is_some_and(inside)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check(&Repo {
            root: "/srv/clone".into(),
            ..Repo::of(&[("README.md", text)])
        })
        .len()
    }

    #[test]
    fn every_host_and_path_is_found() {
        for host in HOSTS {
            assert_eq!(count(&format!("see https://{host}/x")), 1, "{host}");
        }
        for path in PATHS {
            assert_eq!(count(&format!("cd {path}me")), 1, "{path}");
            assert_eq!(
                count(&format!("at https://example.com{path}x or a{path}b")),
                0,
                "{path}"
            );
        }
        assert_eq!(count("run /srv/clone/target/debug/lintel"), 1);
        assert_eq!(count("run target/debug/lintel with /etc/lintel.yaml"), 0);
    }
}
