"""Running a command-line agent once: with a home of its own, no terminal, and an end."""

import json
import os
import subprocess
import tempfile

AGENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".test", "agents")
SECONDS = 90


def node_version(package):
    with open(os.path.join(AGENTS, "node_modules", package, "package.json"), encoding="utf-8") as file:
        return json.load(file)["version"]


def once(command, environment):
    """What it printed; it must end well."""
    home = tempfile.mkdtemp()
    work = tempfile.mkdtemp(dir=home)
    done = subprocess.run(command, env={**os.environ, "HOME": home, **environment}, cwd=work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"ended with {done.returncode}: {done.stdout[-400:]} {done.stderr[-400:]}"
    return done
