"""Claude Code, run once without a terminal, in a scratch folder."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from agent import AGENTS, node_version, once
from cell import HELLO, Client, equal

client = Client("claude", "Claude Code", version=node_version("@anthropic-ai/claude-code"))
PROGRAM = os.path.join(AGENTS, "node_modules", "@anthropic-ai", "claude-code-linux-x64", "claude")
QUIET = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1"}


def ask(on, prompt, *options):
    place = {"ANTHROPIC_BASE_URL": on.base, "ANTHROPIC_API_KEY": on.key, "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "256"}
    done = once([PROGRAM, "-p", prompt, "--model", on.model, "--output-format", "json", *options], {**place, **QUIET})
    return json.loads(done.stdout)


# A model of random weights does not end its answer, so no agent gets anywhere with llama.cpp's.
@client.cell("messages", ["sandbox", "aimock"])
def agent(on):
    answer = ask(on, HELLO)
    equal((answer["type"], answer["subtype"], answer["is_error"]), ("result", "success", False))
    on.said(answer["result"]) if on.upstream == "aimock" else on.spoke(answer["result"])
    assert answer["usage"]["input_tokens"] and answer["usage"]["output_tokens"]


@client.cell("messages", ["aimock"])
def agent_tool(on):
    answer = ask(on, "Use Bash to say it.", "--allowedTools", "Bash(echo:*)")
    equal((answer["is_error"], answer["num_turns"], answer["permission_denials"]), (False, 2, []))
    on.said(answer["result"], after_tool=True)


client.run()
