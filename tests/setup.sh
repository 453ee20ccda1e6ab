#!/bin/sh
# Installs what the tests need, exactly as pinned: the official SDKs for Python and llama.cpp's server in .test/venv, the
# frameworks around an older OpenAI SDK in .test/frameworks, Node packages in tests/node_modules. Does nothing when all
# are there and the pins have not changed.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
stamp=.test/setup.stamp
now=$(cat tests/requirements.txt tests/requirements-frameworks.txt tests/package-lock.json tests/setup.sh | cksum)

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ] && [ -x .test/venv/bin/python ] && [ -x .test/frameworks/bin/python ] && [ -d tests/node_modules ]; then
    echo "setup: as pinned"
    exit 0
fi
command -v node >/dev/null || { echo "setup: node (20 or later) is needed for the Node SDKs" >&2; exit 1; }

# The lists are whole, so nothing is left to be resolved.
environment() {
    rm -rf "$1"
    "$python" -m venv "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps --requirement "$2"
}
mkdir -p .test
environment .test/venv tests/requirements.txt
environment .test/frameworks tests/requirements-frameworks.txt
(cd tests && npm ci --no-fund --no-audit --ignore-scripts --loglevel=error)
printf '%s\n' "$now" >"$stamp"
echo "setup: installed"
