#!/bin/sh
# Installs what the benchmark needs (nginx, taskset) and builds what it runs. Safe to run again.
#   bench/setup.sh              everything
#   bench/setup.sh --no-lintel  all but the product's release build
set -eu
cd "$(dirname "$0")"

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

need=""
PATH=$PATH:/usr/sbin
command -v nginx >/dev/null || need="$need nginx"
command -v taskset >/dev/null || need="$need util-linux"
if [ -n "$need" ]; then
    as_root apt-get update -qq
    # RUNLEVEL keeps the package from starting a service: it would hold a port and be foreign load.
    # shellcheck disable=SC2086
    as_root env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $need
fi

cargo build --release --locked --quiet --target-dir target
if [ "${1:-}" != --no-lintel ]; then
    cargo build --release --locked --quiet --manifest-path ../Cargo.toml -p lintel
fi
