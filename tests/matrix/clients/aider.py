"""Aider, run once without a terminal, in a scratch folder. It speaks chat completions through a LiteLLM of its own."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from agent import AGENTS, once
from cell import HELLO, Client

PROGRAM = os.path.join(AGENTS, "venv", "bin", "aider")
PYTHON = os.path.join(AGENTS, "venv", "bin", "python")
ASK = "from importlib.metadata import version; print(version('aider-chat'))"
client = Client("aider", "Aider", version=subprocess.run([PYTHON, "-c", ASK], capture_output=True, text=True, check=True, timeout=30).stdout.strip())
QUIET = ["--no-check-update", "--analytics-disable", "--no-show-release-notes", "--no-show-model-warnings", "--no-pretty", "--no-git", "--yes-always"]


def ask(on, *options):
    place = {"OPENAI_API_BASE": on.base + "/v1", "OPENAI_API_KEY": on.key}
    return once([PROGRAM, "--model", f"openai/{on.model}", "--message", HELLO, *QUIET, *options], place).stdout


# A model of random weights does not end its answer, so no agent gets anywhere with llama.cpp's.
@client.cell("chat", ["sandbox", "aimock"])
def agent(on):
    for options in ([], ["--no-stream"]):
        said = ask(on, *options)
        assert re.search(r"^Tokens: \S+ sent, \S+ received", said, re.M), said
        if on.upstream == "aimock":
            assert "Hello from the mock, which speaks in several chunks." in said, said


client.run()
