//! The configuration: any text is loaded or refused, with every problem in its place and no secret told.

use std::io;
use std::path::Path;

use lintel_config::load;

use crate::corpus::Part;
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "config",
    laws: "the same text gives the same hash or the same problems; a problem stands inside the text, once; no message holds a secret; comments change nothing",
    run,
    seeds: Part::None,
    words: &[
        "providers:\n",
        "  a: { protocol: openai, base_url: \"http://127.0.0.1:1/v1\", api_key: \"${KEY}\" }\n",
        "routes:\n",
        "  r: { tiers: [ { targets: [ { provider: a, model: m } ] } ] }\n",
        "listen: 127.0.0.1:0\n",
        "limits: { body: 1MB }\n",
        "file:/secret",
        "${KEY}",
        "${",
        "&a ",
        "*a",
        "<<: ",
        "!!binary ",
        "---\n",
        "? ",
        "- ",
        "|\n",
        ">\n",
        "\t",
        "1e999",
        "0x10",
        "~",
        "300ms",
        "9999999999999GB",
        "-1s",
    ],
};

const SECRET: &str = "a-secret-that-nobody-reads";

fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if costs_too_much(text) {
        return;
    }
    let first = read(text);
    assert_eq!(first, read(text), "loading changes its mind");
    if let Ok(hash) = &first {
        assert_eq!(
            read(&format!("{text}\n# a comment\n")).as_ref(),
            Ok(hash),
            "a comment tells"
        );
    }
}

/// Deep nesting in flow style is bounded by the input; nothing here is worth seconds.
fn costs_too_much(text: &str) -> bool {
    text.len() > 16 * 1024
}

fn read(text: &str) -> Result<String, Vec<String>> {
    let env = |name: &str| (name == "KEY").then(|| SECRET.to_owned());
    let files = |path: &Path| {
        if path.ends_with("secret") {
            return Ok(SECRET.to_owned());
        }
        Err(io::Error::from(io::ErrorKind::NotFound))
    };
    match load(text, "lintel.yaml", &env, &files) {
        Ok(loaded) => {
            assert!(
                !format!("{:?}", loaded.snapshot).contains(SECRET),
                "a snapshot prints a secret"
            );
            Ok(loaded.snapshot.hash.to_string())
        }
        Err(problems) => {
            assert!(!problems.0.is_empty(), "refused without a reason");
            let lines = text.split(['\n', '\r']).count() + 1;
            for problem in &problems.0 {
                let said = problem.to_string();
                assert!(!said.contains(SECRET), "a problem tells a secret: {said}");
                assert!(
                    problem.line <= lines,
                    "line {} of {lines}: {said}",
                    problem.line
                );
            }
            let said: Vec<String> = problems.0.iter().map(ToString::to_string).collect();
            let mut once = said.clone();
            once.sort();
            once.dedup();
            assert_eq!(once.len(), said.len(), "a problem is told twice: {said:#?}");
            Err(said)
        }
    }
}
