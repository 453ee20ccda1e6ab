"""The part of docs/compatibility.md that is made from a run. Says what it looks like; every cell of it comes from the run."""

import os
import re

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "compatibility.md")
OPERATIONS = (
    "create", "stream", "stream_usage", "tools", "tools_stream", "tool_result", "structured", "parallel", "choices", "hang_up",
    "errors", "stream_error", "embeddings", "count_tokens", "models", "agent", "agent_tool",
)  # fmt: skip
SURFACES = {
    "chat": "chat completions", "responses": "responses", "messages": "messages", "gemini": "Gemini", "converse": "Bedrock Converse",
    "embeddings": "embeddings", "models": "models",
}  # fmt: skip
UPSTREAMS = {
    "sandbox": "Lintel's own simulated provider.",
    "aimock": "The mock server @copilotkit/aimock, which speaks all four protocols: every client is answered in its own.",
    "aimock-translated": "The same, reached in another protocol than the client's: chat completions as Anthropic's messages, responses and Converse as Gemini, "
    "messages as Converse, Gemini as chat completions.",
    "llama.cpp": "The server of llama.cpp with a random model. It speaks OpenAI's protocol and Anthropic's; clients of the others are translated.",
}
PASSED, FAILED = "✓", "✗"


def render(cells, known):
    """The tables: one an upstream, a row for every client and surface, a column for every operation."""
    notes, parts = {}, []
    rows = list(dict.fromkeys((cell.label, cell.version, cell.surface) for cell in cells))
    for upstream, what in UPSTREAMS.items():
        here = {(cell.label, cell.surface, cell.operation): cell for cell in cells if cell.upstream == upstream}
        if not here:
            continue
        columns = [operation for operation in OPERATIONS if any(key[2] == operation for key in here)]
        parts.append(f"### Upstream `{upstream}`\n\n{what}\n")
        lines = [["client", "version", "surface", *columns], ["---", "---", "---", *[":-:"] * len(columns)]]
        for label, version, surface in rows:
            found = [here.get((label, surface, operation)) for operation in columns]
            if any(found):
                lines.append([label, version, SURFACES[surface], *(mark(cell, known, notes) for cell in found)])
        parts.append("".join("| " + " | ".join(line) + " |\n" for line in lines))
    if notes:
        parts.append("Fails because of the upstream; the run asserts that it does:\n\n" + "".join(f"- ({number}) {why}\n" for why, number in notes.items()))
    return "\n".join(parts)


def mark(cell, known, notes):
    if cell is None:
        return ""
    if cell.ok:
        return PASSED
    entry = known.get(cell.name)
    if entry and not re.search(entry["seen"], cell.why):
        return FAILED
    return f"({notes.setdefault(entry['why'], len(notes) + 1)})" if entry else FAILED


def committed(block):
    """The text between the block's markers, and what stands before and after it."""
    begin, end = f"<!-- {block}: begin -->\n", f"<!-- {block}: end -->"
    with open(PATH, encoding="utf-8") as file:
        text = file.read()
    before, marker, rest = text.partition(begin)
    inside, closing, after = rest.partition(end)
    if not marker or not closing:
        raise ValueError(f"docs/compatibility.md has no {begin.strip()} … {end}")
    return inside, before + begin, end + after


def write(block, text):
    _, before, after = committed(block)
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(f"{before}\n{text}\n{after}")


def differs(block, text):
    """The lines that differ, as far as they can be shown; empty when the document says what the run did."""
    inside, _, _ = committed(block)
    had, has = inside.strip().splitlines(), text.strip().splitlines()
    if had == has:
        return []
    return [f"- {line}" for line in had if line not in has][:10] + [f"+ {line}" for line in has if line not in had][:10] or ["the order of lines"]
