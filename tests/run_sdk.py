#!/usr/bin/env python3
"""Clients and an upstream that nobody here wrote: the official SDKs, unmodified, against the sandbox and against llama.cpp.

    run_sdk.py LINTEL_BINARY

Starts llama.cpp's server with a tiny random model and Lintel in front of it, makes keys through the command
line, runs the Python and the Node suite, stops what it started. Ends with `N passed, N failed`. Needs
tests/setup.sh to have been run.
"""

import os
import re
import subprocess
import sys
import tempfile

from harness import Failed, Lintel, Process

TESTS = os.path.dirname(os.path.abspath(__file__))
PYTHON = os.path.join(TESTS, "..", ".test", "venv", "bin", "python")
SUITE_SECONDS = 240
CONFIG = """
prices: {{ unknown_model: allow_unpriced }}
providers:
  sandbox: {{ protocol: sandbox }}
  llama: {{ protocol: openai, base_url: "{llama}/v1" }}
  llama-messages: {{ protocol: anthropic, base_url: "{llama}" }}
routes:
  sandbox: {{ tiers: [ {{ targets: [ {{ provider: sandbox, model: sandbox }} ] }} ] }}
  tiny: {{ tiers: [ {{ targets: [ {{ provider: llama, model: tiny }} ] }} ] }}
  tiny-messages: {{ tiers: [ {{ targets: [ {{ provider: llama-messages, model: tiny }} ] }} ] }}
"""


def counts(text):
    """Passed and failed, as our own runner or node's TAP reporter says."""
    ours = re.findall(r"^(\d+) passed, (\d+) failed", text, re.M)
    if ours:
        return int(ours[-1][0]), int(ours[-1][1])
    tap = {word: int(number) for word, number in re.findall(r"^# (pass|fail|cancelled) (\d+)$", text, re.M)}
    return tap.get("pass", 0), tap.get("fail", 0) + tap.get("cancelled", 0)


def run_suite(name, command, environment):
    print(f"-- {name}", flush=True)
    try:
        done = subprocess.run(command, env=environment, cwd=TESTS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SUITE_SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        print((late.stdout or b"").decode(errors="replace") if isinstance(late.stdout, bytes) else late.stdout or "")
        print(f"FAIL {name}: not done after {SUITE_SECONDS} s")
        return 0, 1
    passed, failed = counts(done.stdout)
    print(done.stdout, end="", flush=True)
    # A suite that stopped before its end, or that ran nothing, has failed.
    if failed == 0 and (done.returncode or not passed):
        failed = 1
    return passed, failed


def main():
    binary = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="lintel-sdk-") as folder:
        model = os.path.join(folder, "tiny.gguf")
        subprocess.run([PYTHON, os.path.join(TESTS, "llamacpp", "mkgguf.py"), model], check=True, timeout=60)
        llama = Process([PYTHON, os.path.join(TESTS, "llamacpp", "serve.py"), model], re.compile(r"listening on (http://\S+)"), 60)
        try:
            with Lintel(binary, CONFIG.format(llama=llama.found.group(1))) as lintel:
                environment = {
                    **os.environ,
                    "LINTEL_BASE": lintel.url,
                    "LINTEL_KEY": lintel.key("--direct"),
                    "LINTEL_NARROW_KEY": lintel.key("--route", "tiny"),
                }
                suites = [
                    run_suite("python", [PYTHON, os.path.join("sdk", "suite.py")], environment),
                    run_suite("node", ["node", "--test", "--test-reporter=tap", os.path.join("sdk", "suite.mjs")], environment),
                ]
                passed, failed = (sum(column) for column in zip(*suites))
                if failed:
                    print("-- lintel's log, its end\n" + lintel.process.stderr())
        finally:
            llama.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as problem:
        print(problem)
        print("0 passed, 1 failed")
        sys.exit(1)
