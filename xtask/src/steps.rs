//! What `make test` runs, in order: cheap before dear, and what others need before those others.

use crate::counts::Count;

/// One step of the suite.
#[derive(Debug)]
pub(crate) struct Step {
    /// Its name in the report.
    pub(crate) name: &'static str,
    /// A line for `sh`, run at the repository's root. `$BINARY` is the release binary.
    pub(crate) line: &'static str,
    /// How its output is counted.
    pub(crate) count: Count,
    /// Nothing after it makes sense when it fails.
    pub(crate) gate: bool,
}

const fn step(name: &'static str, count: Count, line: &'static str) -> Step {
    Step {
        name,
        line,
        count,
        gate: false,
    }
}

const fn gate(name: &'static str, count: Count, line: &'static str) -> Step {
    Step {
        gate: true,
        ..step(name, count, line)
    }
}

/// A Debian without `python3-venv` can make no environment; the rest of the setup is in `tests/setup.sh`.
const PYTHON: &str = "python3 -c 'import ensurepip' 2>/dev/null && exit; \
                      root=; [ \"$(id -u)\" = 0 ] || root=sudo; \
                      $root apt-get update -qq && $root apt-get install -y -qq python3-venv";

/// Every step. A new one is a line here, or a test inside one of them.
pub(crate) const STEPS: &[Step] = &[
    gate("python", Count::Exit, PYTHON),
    gate("setup", Count::Exit, "sh tests/setup.sh"),
    step("format", Count::Exit, "cargo fmt --all --check"),
    step("tidy", Count::Summary, "cargo xtask tidy"),
    step(
        "clippy",
        Count::Exit,
        "cargo clippy --workspace --all-targets --locked -- -D warnings",
    ),
    step(
        "tests",
        Count::Harness,
        "cargo test --workspace --locked --no-fail-fast",
    ),
    // The tools that judge are judged: the benchmark's, which are a workspace of their own, the wire checker, the control API's and the client matrix.
    step(
        "bench",
        Count::Harness,
        "cargo test --manifest-path bench/Cargo.toml --target-dir bench/target --locked --no-fail-fast",
    ),
    step(
        "harness",
        Count::Exit,
        "cargo build --manifest-path bench/Cargo.toml --target-dir bench/target --locked && cd bench && python3 -m unittest test_bench",
    ),
    step(
        "checker",
        Count::Exit,
        ".test/venv/bin/python -m unittest discover tests/wire && .test/venv/bin/python -m unittest discover tests/api && python3 -m unittest discover tests/matrix",
    ),
    step(
        "docs",
        Count::Exit,
        "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked",
    ),
    gate(
        "release",
        Count::Exit,
        "cargo build --release --locked --package lintel",
    ),
    step(
        "readme",
        Count::Summary,
        "python3 tests/readme.py \"$BINARY\"",
    ),
    step(
        "api",
        Count::Summary,
        "python3 tests/api/check.py \"$BINARY\" ${LINTEL_LONG:+--examples 200}",
    ),
    // The agents are 1.3 GB to install: at full length only.
    step(
        "matrix",
        Count::Summary,
        "{ [ -z \"$LINTEL_LONG\" ] || sh tests/matrix/setup-agents.sh; } && python3 tests/matrix/run.py \"$BINARY\"",
    ),
    step(
        "wire",
        Count::Summary,
        "python3 tests/wire/check.py tests/golden/wire --binary \"$BINARY\"",
    ),
    // Across protocols, judged by the official SDKs; then both with things in the recordings that nobody knows.
    step(
        "cross",
        Count::Summary,
        ".test/venv/bin/python tests/wire/cross.py tests/golden/wire --binary \"$BINARY\"",
    ),
    step(
        "mutated",
        Count::Summary,
        "for seed in 1 ${LINTEL_LONG:+2 3}; do \
         python3 tests/wire/check.py tests/golden/wire --binary \"$BINARY\" --mutate $seed || exit 1; done",
    ),
    step(
        "strange",
        Count::Summary,
        "for seed in 1 ${LINTEL_LONG:+2 3 4 5}; do \
         .test/venv/bin/python tests/wire/cross.py tests/golden/wire --binary \"$BINARY\" --mutate $seed || exit 1; done",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_what_needs_the_binary_comes_after_its_build() {
        let place = |name: &str| STEPS.iter().position(|step| step.name == name);
        for (at, step) in STEPS.iter().enumerate() {
            assert_eq!(place(step.name), Some(at), "{} twice", step.name);
            if step.line.contains("$BINARY") {
                assert!(
                    place("release") < Some(at),
                    "{} runs before the binary is built",
                    step.name
                );
            }
        }
        assert!(STEPS.iter().any(|step| step.line.contains("$BINARY")));
    }
}
