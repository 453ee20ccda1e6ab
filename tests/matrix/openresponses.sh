#!/bin/sh
# Runs the compliance suite of Open Responses against a running Lintel, from a copy of its repository that you have:
#
#   openresponses.sh DIR http://127.0.0.1:8080/v1 KEY ROUTE [options of the suite, such as --filter basic-response]
#
# The suite is not part of this repository. What it needs to run is installed in .test/openresponses. Its tests of
# WebSockets need Node 22; all others run on 20. Its exit code is the suite's.
set -eu
[ $# -ge 4 ] || { echo "usage: openresponses.sh DIR URL KEY MODEL [options]" >&2; exit 2; }
suite=$(cd "$1" && pwd)
url=$2 key=$3 model=$4
shift 4
cd "$(dirname "$0")/../.."
folder=.test/openresponses
mkdir -p "$folder"
if [ ! -d "$folder/node_modules" ]; then
    (cd "$folder" && echo '{"private":true}' >package.json && npm install --no-fund --no-audit --ignore-scripts --loglevel=error --save-exact tsx@4.23.15 zod@3.25.76 ws@8.23.0)
fi
rm -rf "$folder/bin" "$folder/src"
cp -R "$suite/bin" "$suite/src" "$folder"
cd "$folder"
exec node --import tsx bin/compliance-test.ts --base-url "$url" --api-key "$key" --model "$model" "$@"
