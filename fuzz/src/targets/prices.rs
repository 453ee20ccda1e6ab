//! Price files: any text is a book or refused; money stays exact.

use std::io;
use std::path::Path;

use lintel_config::load;

use crate::corpus::Part;
use crate::target::Target;

pub(crate) const TARGET: Target = Target {
    name: "prices",
    laws: "a file of prices is loaded or refused in its place; the same file gives the same hash; another one, another or a refusal",
    run,
    seeds: Part::None,
    words: &[
        "prices:\n",
        "  - { provider: a, model: \"*\", effective: 2020-01-01, source: s, input: \"1.50\", output: \"2.25\" }\n",
        "\"0.000000001\"",
        "\"-1\"",
        "\"1e9\"",
        "99999999999999999999",
        "2020-02-30",
        "0000-00-00",
        "9999-12-31",
        "input: ",
        "output: ",
        "cache_read: ",
        "model: ",
        "effective: ",
    ],
};

const CONFIG: &str = "prices: { files: [prices.yaml] }\nproviders:\n  a: { protocol: openai, base_url: \"http://127.0.0.1:1/v1\", api_key: \"${KEY}\" }\n";

fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let read = || {
        let env = |name: &str| (name == "KEY").then(|| "k".to_owned());
        let files = |path: &Path| {
            let known = path.ends_with("prices.yaml");
            known
                .then(|| text.to_owned())
                .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        };
        load(CONFIG, "lintel.yaml", &env, &files)
    };
    match read() {
        Ok(loaded) => assert_eq!(read().unwrap().snapshot.hash, loaded.snapshot.hash),
        Err(problems) => {
            let lines = text.split(['\n', '\r']).count() + 1;
            assert!(!problems.0.is_empty());
            for problem in &problems.0 {
                let within = if problem.origin.contains("prices.yaml") {
                    lines
                } else {
                    4
                };
                assert!(problem.line <= within, "{problem}");
            }
        }
    }
}
