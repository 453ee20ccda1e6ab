#!/bin/sh
# Installs the command-line agents of the client matrix, exactly as pinned, in .test/agents: 1.3 GB, which `make verify`
# needs and `make test` does not. Does nothing when they are there and the pins have not changed.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
folder=.test/agents
pins=tests/matrix/agents
now=$(cat $pins/requirements.txt $pins/package-lock.json tests/matrix/setup-agents.sh | cksum)

if [ -f "$folder/stamp" ] && [ "$(cat "$folder/stamp")" = "$now" ]; then
    echo "setup-agents: as pinned"
    exit 0
fi
rm -rf "$folder"
mkdir -p "$folder"
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --no-deps --requirement $pins/requirements.txt
cp $pins/package.json $pins/package-lock.json "$folder"
(cd "$folder" && npm ci --no-fund --no-audit --ignore-scripts --loglevel=error)
printf '%s\n' "$now" >"$folder/stamp"
echo "setup-agents: installed"
