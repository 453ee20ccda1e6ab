#!/usr/bin/env python3
"""Clients that nobody here wrote, each against three upstreams behind Lintel: what works, cell by cell.

    run.py LINTEL_BINARY                 every SDK; fails when a cell fails or docs/compatibility.md says otherwise
    run.py LINTEL_BINARY --write         the same, and writes the tables of docs/compatibility.md
    run.py LINTEL_BINARY --agents        the command-line agents instead, which setup-agents.sh installs; LINTEL_LONG=1 runs both
    run.py --bare                        no Lintel: clients straight to the upstreams, to see whose defect a listed cell is
    … --only REGEX                       the clients whose file matches; leaves the document alone

A cell is client/surface/operation/upstream. known_upstream.json lists those that fail because of the upstream, with
the reason and what the failure looks like: a listed cell that passes, or fails of something else, fails the run, and so
does a line that names no cell. Ends with `N passed, N failed`.
"""

import argparse
import concurrent.futures
import fnmatch
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import document
import upstreams
from harness import Lintel, finish

ROOT = os.path.dirname(os.path.dirname(HERE))
FRAMEWORKS = os.path.join(ROOT, ".test", "frameworks", "bin", "python")
SDKS = {
    "openai_python.py": upstreams.PYTHON,
    "openai_node.mjs": "node",
    "anthropic_python.py": upstreams.PYTHON,
    "anthropic_node.mjs": "node",
    "google_genai_python.py": upstreams.PYTHON,
    "google_genai_node.mjs": "node",
    "boto3_converse.py": upstreams.PYTHON,
    "langchain_openai_client.py": FRAMEWORKS,
    "langchain_anthropic_client.py": FRAMEWORKS,
    "litellm_sdk.py": FRAMEWORKS,
    "instructor_client.py": FRAMEWORKS,
    "llama_index_client.py": FRAMEWORKS,
    "ai_sdk_openai.mjs": "node",
    "ai_sdk_openai_compatible.mjs": "node",
    "ai_sdk_anthropic.mjs": "node",
    "ai_sdk_google.mjs": "node",
}
AGENTS = {"aider.py": upstreams.PYTHON, "codex.py": upstreams.PYTHON, "claude.py": upstreams.PYTHON}
AGENT = re.compile("(aider|codex|claude)/")
CLIENT_SECONDS = 300
# Nothing of what is tested may call home. Where a switch doesn't reach, the proxy leads nowhere.
QUIET = {
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "127.0.0.1,localhost",
    "DO_NOT_TRACK": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LANGSMITH_TRACING": "false",
    "HF_HUB_OFFLINE": "1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AI_SDK_LOG_WARNINGS": "false",
    "PYTHONWARNINGS": "ignore",
    "PYTHONDONTWRITEBYTECODE": "1",
}


@dataclass
class Cell:
    """One check's outcome."""

    client: str
    label: str
    version: str
    surface: str
    operation: str
    upstream: str
    ok: bool
    seconds: float
    why: str = ""

    @property
    def name(self):
        return f"{self.client}/{self.surface}/{self.operation}/{self.upstream}"


def run_client(file, interpreter, case, folder):
    """A client's cells, and what is wrong with the client as a whole."""
    home = tempfile.mkdtemp(dir=folder)
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": home, "TMPDIR": home, "MATRIX_CASE": json.dumps(case), **QUIET}
    try:
        done = subprocess.run([interpreter, os.path.join(HERE, "clients", file)], env=environment, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=CLIENT_SECONDS, check=False)
        out, errors, problem = done.stdout, done.stderr, f"ended with {done.returncode}" if done.returncode else None
    except subprocess.TimeoutExpired as late:
        out, errors = ((part or b"").decode(errors="replace") for part in (late.stdout, late.stderr))
        problem = f"not done after {CLIENT_SECONDS} s"
    cells = [Cell(**json.loads(line)) for line in out.splitlines() if line.startswith('{"client"')]
    if not cells and not problem:
        problem = "had no cell"
    return cells, f"{file} {problem}:\n{errors[-1500:]}" if problem else None


def run_clients(clients, case, folder):
    """All cells, in the order of the clients; two clients at a time."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(run_client, file, interpreter, case, folder) for file, interpreter in clients.items()]
        results = [run.result() for run in runs]
    return [cell for cells, _ in results for cell in cells], [problem for _, problem in results if problem]


def known_cells(cells):
    """The list's entry for each listed cell, by its name; and the lines of the list that name no cell."""
    with open(os.path.join(HERE, "known_upstream.json"), encoding="utf-8") as file:
        listed = json.load(file)
    known, idle = {}, []
    for entry in listed:
        for pattern in entry["cells"]:
            found = [cell.name for cell in cells if fnmatch.fnmatchcase(cell.name, pattern)]
            known.update(dict.fromkeys(found, entry))
            if not found:
                idle.append(pattern)
    return known, idle


def verdict(cell, entry):
    """What is wrong with the cell's outcome; None if it is as it should be. `entry` is its line in the list, if any."""
    if entry is None:
        return None if cell.ok else cell.why
    if cell.ok:
        return "passes, but known_upstream.json says that the upstream fails it: remove it there"
    # A listed cell must fail of what is listed: else a defect of Lintel's would hide behind the upstream's.
    return None if re.search(entry["seen"], cell.why) else f"is listed in known_upstream.json, but fails of something else: {cell.why}"


def judge(cells, known):
    """How many passed, and a line for every one that didn't."""
    failures = []
    for cell in cells:
        entry = known.get(cell.name)
        wrong = verdict(cell, entry)
        failures += [f"{cell.name}: {wrong}"] if wrong else []
        state = "FAIL" if wrong else "listed" if entry else "ok"
        print(f"{state:6} {cell.seconds:5.1f} s  {cell.name}")
    return len(cells) - len(failures), failures


def summary(cells, known):
    """A line a client: how many cells passed, are listed, failed."""
    for client in dict.fromkeys(cell.client for cell in cells):
        parts = []
        for upstream in document.UPSTREAMS:
            of = [cell for cell in cells if (cell.client, cell.upstream) == (client, upstream)]
            passed, listed = sum(cell.ok for cell in of), sum(not cell.ok and not verdict(cell, known.get(cell.name)) for cell in of)
            parts.append(f"{upstream} {passed} passed {listed} listed {len(of) - passed - listed} failed")
        print(f"{client:26} " + " · ".join(parts))


def documented(block, cells, known, write):
    """What the document says otherwise than these cells."""
    text = document.render(cells, known)
    if write:
        document.write(block, text)
    changed = "\n".join(document.differs(block, text))
    return [f"docs/compatibility.md says otherwise than this run (run.py BINARY --write makes its {block}):\n{changed}"] if changed else []


def measure(given, clients, folder):
    with upstreams.started(folder) as found:
        if given.bare:
            with upstreams.behind_tls(found["aimock"], folder) as tls:
                return run_clients(clients, {"key": "none", "narrow_key": "none", "upstreams": upstreams.bare(found, tls)}, folder)
        with Lintel(given.binary, upstreams.configuration(found)) as lintel, upstreams.behind_tls(lintel.url, folder) as tls:
            keys = {"key": lintel.key("--direct"), "narrow_key": lintel.key("--route", "limited")}
            cells, problems = run_clients(clients, {**keys, "upstreams": upstreams.through(lintel.url, tls)}, folder)
            if given.log:
                print("-- lintel's log, its end\n" + lintel.process.stderr())
            return cells, problems


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("binary", nargs="?")
    for option in ("--write", "--agents", "--bare", "--log"):
        arguments.add_argument(option, action="store_true")
    arguments.add_argument("--only", default="", metavar="REGEX")
    given = arguments.parse_args()
    if not given.binary and not given.bare:
        arguments.error("name a binary, or --bare")
    blocks = {"agents": AGENTS} if given.agents else {"clients": SDKS, "agents": AGENTS} if os.environ.get("LINTEL_LONG") else {"clients": SDKS}
    clients = {file: interpreter for block in blocks.values() for file, interpreter in block.items() if re.search(given.only, file)}
    with tempfile.TemporaryDirectory(prefix="lintel-matrix-", ignore_cleanup_errors=True) as folder:
        cells, problems = measure(given, clients, folder)
    known, idle = known_cells(cells)
    passed, failures = judge(cells, known)
    failures += problems
    if not (given.only or given.bare):
        failures += [f"known_upstream.json: {pattern} names no cell" for pattern in idle if "agents" in blocks or not AGENT.match(pattern)]
        for block in blocks:
            changed = documented(block, [cell for cell in cells if bool(AGENT.match(cell.name)) == (block == "agents")], known, given.write)
            passed += not changed
            failures += changed
    print("\n".join(["", *(f"FAIL {failure}" for failure in failures)]))
    summary(cells, known)
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    finish(main)
