#!/bin/sh
# Installs what the tests need, exactly as pinned: a Python environment in .test/venv, Node packages in
# tests/node_modules. Does nothing when both are there and the pins have not changed.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
stamp=.test/setup.stamp
now=$(cat tests/requirements.txt tests/package-lock.json tests/setup.sh | cksum)

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$now" ] && [ -x .test/venv/bin/python ] && [ -d tests/node_modules ]; then
    echo "setup: as pinned"
    exit 0
fi
command -v node >/dev/null || { echo "setup: node (20 or later) is needed for the Node SDKs" >&2; exit 1; }
rm -rf .test/venv
mkdir -p .test
"$python" -m venv .test/venv
.test/venv/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --requirement tests/requirements.txt
(cd tests && npm ci --no-fund --no-audit --ignore-scripts --loglevel=error)
printf '%s\n' "$now" >"$stamp"
echo "setup: installed"
