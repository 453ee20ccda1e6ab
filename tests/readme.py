#!/usr/bin/env python3
"""The README's own words, run as written: its curl line, its SDK samples, its verbs, its configuration.

    readme.py LINTEL_BINARY

Starts the binary on its embedded defaults in a folder of its own, gives each code block the printed key and the
real port, and stops it. Ends with `N passed, N failed`. Needs tests/setup.sh to have been run.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".test" / "venv" / "bin" / "python"
ANSWER = "The sandbox heard: Hello"
SECONDS = 60


def blocks():
    """(language, code) of every code block, in order."""
    return re.findall(r"^```(\w+)\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)


def start(binary, folder):
    """The process, its data port, its admin port and its key."""
    environment = {**os.environ, "LINTEL_LISTEN": "127.0.0.1:0", "LINTEL_ADMIN_LISTEN": "127.0.0.1:0"}
    process = subprocess.Popen([binary, "serve"], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    printed = ""
    for line in process.stdout:
        printed += line
        ready = re.search(r"listening on http://[^ ]*:(\d+) \(admin http://[^ ]*:(\d+)\)", line)
        if ready:
            return process, ready[1], ready[2], re.search(r"\blk_[\w-]+", printed)[0]
    raise SystemExit(f"lintel said no ready line:\n{printed}\n0 passed, 1 failed")


def command(language, code, binary, folder, port):
    """How a block is run, and what its output must hold; none for a block that is no call."""
    code = code.replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace("export LINTEL_KEY=lk_…", "")
    if language == "python":
        return [str(PYTHON), "-c", code], ANSWER
    if language == "js":
        sample = folder / "sample.mjs"
        sample.write_text(code)
        return ["node", str(sample)], ANSWER
    if language == "yaml":
        (folder / "lintel.yaml").write_text(code)
        return [binary, "check", "--config", str(folder / "lintel.yaml")], "is sound"
    if language == "sh" and "curl http" in code:
        return ["sh", "-c", code], ANSWER
    if language == "sh" and "target/release/lintel" in code:
        return ["sh", "-ec", code.replace("target/release/lintel", f"'{binary}'")], "lk_"
    return None


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    passed, failed = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "node_modules").symlink_to(ROOT / "tests" / "node_modules")
        process, port, admin, key = start(binary, folder)
        environment = {
            **os.environ,
            "LINTEL_KEY": key,
            "LINTEL_ADMIN_URL": f"http://127.0.0.1:{admin}",
            "OPENAI_API_KEY": "of nobody",
            "ANTHROPIC_API_KEY": "of nobody",
        }
        try:
            for number, (language, code) in enumerate(blocks(), 1):
                run = command(language, code, binary, folder, port)
                if run is None:
                    continue
                line, wanted = run
                done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
                good = done.returncode == 0 and wanted in done.stdout
                passed, failed = passed + good, failed + (not good)
                print(f"{'ok  ' if good else 'FAIL'} block {number} ({language})" + ("" if good else f"\n{done.stdout}{done.stderr}"))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(SECONDS)
    # Two samples a language, a curl line, the verbs and a configuration: fewer means that blocks were not recognised.
    if passed + failed < 7:
        print(f"FAIL only {passed + failed} blocks were run")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
