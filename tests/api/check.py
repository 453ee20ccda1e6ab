#!/usr/bin/env python3
"""The control API against its own document: schemathesis makes requests from it, well-formed and not, and judges every answer.

    check.py LINTEL_BINARY [--examples N]

Starts the binary with a store of its own, makes an owner's token, and drives every operation through all phases: examples, each
boundary of each schema, random requests, and sequences along the document's links. No 5xx and no answer that the document does
not describe. Fixed seed. Each case counts as a check; ends with `N passed, N failed`. Needs tests/setup.sh to have been run.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from urllib.request import Request, urlopen

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import harness  # noqa: E402

SCHEMATHESIS = HERE.parent.parent / ".test" / "venv" / "bin" / "schemathesis"
CONFIG = """
providers: { sandbox: { protocol: sandbox } }
routes: { chat: { tiers: [ { targets: [ { provider: sandbox, model: sandbox } ] } ] } }
"""
# A run that hangs is a failure; a good one takes about a minute.
SECONDS = 300
# Fewer cases than this means that the document was not read.
FEWEST = 500


def drive(document, base, token, examples, seconds=SECONDS):
    """Runs schemathesis on `document` (a file) against `base`: its report, or why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [
            str(SCHEMATHESIS), "--config-file", str(HERE / "schemathesis.toml"), "run", str(document), "--url", base,
            "--header", f"Authorization: Bearer {token}", "--max-examples", str(examples), "--no-color",
            "--report", "json", "--report-json-path", str(report),
        ]
        environment = {**os.environ, "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds, check=False)
        if not report.exists():
            return None, done.stdout + done.stderr
        return json.loads(report.read_text()), done.stdout


def judge(report, output, fewest=FEWEST):
    """Checks passed, checks failed, and what to print of the failures."""
    if report is None:
        return 0, 1, output
    cases, operations = report["test_cases"], report["operations"]
    failed = cases["with_failures"] + cases["errored"] + operations["errored"]
    if not report["complete"] or report["exit_code"] != 0:
        failed = max(failed, 1)
    if cases["generated"] < fewest or operations["tested"] < operations["total"]:
        output += f"\nonly {cases['generated']} cases for {operations['tested']} of {operations['total']} operations"
        failed += 1
    return cases["generated"] - min(failed, cases["generated"]), failed, output if failed else ""


def call(lintel, method, path, body=None, token=None):
    """One request of our own: the answer's JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {token or lintel.token}", "content-type": "application/json"}
    with urlopen(Request(lintel.admin_url + path, data, headers, method=method), timeout=10) as answer:
        return json.loads(answer.read())


def faults(errors):
    """Lines of the log in which Lintel blames itself."""
    lines = [line for line in errors.splitlines() if line.startswith("{")]
    return [line for line in lines if json.loads(line).get("level") == "error"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--examples", type=int, default=20, help="random requests for each operation")
    options = parser.parse_args()
    with harness.Lintel(options.binary, CONFIG) as lintel, tempfile.TemporaryDirectory() as folder:
        owner = call(lintel, "POST", "/api/v1/tokens", {"name": "schemathesis", "role": "owner"})["token"]
        document = pathlib.Path(folder) / "openapi.json"
        document.write_text(json.dumps(call(lintel, "GET", "/api/v1/openapi.json")))
        report, output = drive(document, lintel.admin_url + "/api/v1", owner, options.examples)
        passed, failed, told = judge(report, output)
        told_faults = faults(lintel.process.stderr())
        print(told, *told_faults, sep="\n")
        failed += len(told_faults)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    harness.finish(main)
