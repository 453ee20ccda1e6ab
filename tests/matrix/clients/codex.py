"""Codex, run once without a terminal, in a scratch folder. It speaks the Responses API."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from agent import AGENTS, node_version, once
from cell import HELLO, Client

client = Client("codex", "Codex", version=node_version("@openai/codex"))
PROGRAM = os.path.join(AGENTS, "node_modules", ".bin", "codex")


def ask(on, prompt):
    """The items that it finished, and the turn's last event."""
    provider = f'{{name="lintel",base_url="{on.base}/v1",env_key="LINTEL_KEY",wire_api="responses",request_max_retries=0,stream_max_retries=0}}'
    settings = ["model_provider=lintel", f"model_providers.lintel={provider}", "analytics.enabled=false", "check_for_update_on_startup=false"]
    options = [part for setting in settings for part in ("-c", setting)]
    # The scratch folder is all that it can reach, and the commands come from the fixtures.
    done = once([PROGRAM, "exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", *options, "-m", on.model, prompt], {"LINTEL_KEY": on.key})
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [event["item"] for event in events if event["type"] == "item.completed"], events[-1]


# A model of random weights does not end its answer, so no agent gets anywhere with llama.cpp's.
@client.cell("responses", ["sandbox", "aimock"])
def agent(on):
    items, last = ask(on, HELLO)
    assert last["type"] == "turn.completed" and last["usage"]["output_tokens"], last
    said = [item["text"] for item in items if item["type"] == "agent_message"][-1]
    on.said(said) if on.upstream == "aimock" else on.spoke(said)


@client.cell("responses", ["aimock"])
def agent_tool(on):
    items, last = ask(on, "Use exec_command to say it.")
    assert last["type"] == "turn.completed", last
    ran = next(item for item in items if item["type"] == "command_execution")
    assert "lintel was here" in ran["aggregated_output"], ran
    on.said([item["text"] for item in items if item["type"] == "agent_message"][-1], after_tool=True)


client.run()
