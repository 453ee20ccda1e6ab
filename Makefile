# The two commands are `make run` and `make test`. Needs Rust (the version in Cargo.toml), Python 3 and Node.
.POSIX:
.PHONY: run test verify bench wire cross fuzz soak fmt lint doc deny help

BUILD = $${CARGO_TARGET_DIR:-target}
BINARY = $(BUILD)/release/lintel

help:
	@echo "make run      build and start Lintel with its embedded defaults"
	@echo "make test     install what the tests need and run everything; ends with 'N passed, N failed'"
	@echo "make verify   the same at full length: 1,000 kills, more seeds, command-line agents (installs 1.3 GB)"
	@echo "make bench    CPU, latency and memory beside nginx and direct calls; writes bench/results/, needs root or sudo for nginx"
	@echo "make wire     CORPUS=folder: replay a folder of recorded calls through the release binary"
	@echo "make cross    CORPUS=folder: the same folder to targets of other protocols, judged by the official SDKs"
	@echo "make fuzz     TARGET=name TIME=600: fuzz one target, or all, guided by coverage (needs a C++ compiler)"
	@echo "make soak     TIME=1800: mixed traffic with churn and hang-ups against the release binary; memory must stand still"
	@echo "make fmt      format        make lint   clippy and the repository's rules"
	@echo "make doc      API documentation   make deny   licences and advisories (needs cargo-deny)"

run:
	cargo build --release --locked --package lintel
	exec $(BINARY) serve

test:
	cargo run --quiet --locked --package xtask -- test

verify:
	cargo run --quiet --locked --package xtask -- verify

bench:
	bench/setup.sh && python3 bench/bench.py run && python3 bench/bench.py report

wire:
	@if [ -z "$(CORPUS)" ]; then echo "wire: not run: name a folder of recordings, as in make wire CORPUS=recordings"; \
	else cargo build --release --locked --package lintel && python3 tests/wire/check.py "$(CORPUS)" --binary $(BINARY); fi

cross:
	@if [ -z "$(CORPUS)" ]; then echo "cross: not run: name a folder of recordings, as in make cross CORPUS=recordings"; \
	else sh tests/setup.sh && cargo build --release --locked --package lintel && .test/venv/bin/python tests/wire/cross.py "$(CORPUS)" --binary $(BINARY); fi

fuzz:
	TARGET="$(TARGET)" TIME="$(TIME)" sh fuzz/run.sh

soak:
	cargo build --release --locked --package lintel
	LINTEL_SOAK="$${TIME:-1800}" LINTEL_BINARY="$$(realpath "$(BINARY)")" cargo test --locked --package lintel --test it soak -- --nocapture

fmt:
	cargo fmt --all

lint:
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo xtask tidy

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

deny:
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check; else echo "deny: not run: cargo install cargo-deny --locked"; fi
