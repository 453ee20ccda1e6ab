#!/bin/sh
# Fuzzes one target, or all in turn, under libFuzzer: TARGET=name, TIME=seconds a target (600).
# Stable Rust: sancov is LLVM's, no sanitizer is needed, for the code under test has no `unsafe` of its own.
set -eu
cd "$(dirname "$0")"
time=${TIME:-600}
host=$(rustc -vV | sed -n 's/^host: //p')
here=$PWD/driver/target
# Only the target's code is counted, so the flags go to `--target` builds alone: build scripts stay as they are.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=16" \
    cargo build --manifest-path driver/Cargo.toml --target-dir "$here" --release --target "$host"
cargo run --quiet --locked --manifest-path ../Cargo.toml --package lintel-fuzz --example seeds -- "$here/corpus"
for name in ${TARGET:-$(ls "$here/corpus" | grep -v '\.words$')}; do
    echo "=== $name: $time s"
    mkdir -p "$here/found/$name"
    LINTEL_FUZZ_TARGET=$name "$here/$host/release/lintel-fuzz-driver" \
        -max_total_time="$time" -max_len=16384 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -close_fd_mask=1 \
        -dict="$here/corpus/$name.words" -artifact_prefix="$here/found/$name/" \
        "$here/corpus/$name" 2>"$here/$name.log" || { tail -40 "$here/$name.log"; echo "$name: a law is broken; the input lies in $here/found/$name" >&2; exit 1; }
    grep -E 'DONE|number_of_executed|peak_rss|new_units' "$here/$name.log" | tail -4
done
