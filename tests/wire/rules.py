"""What the APIs demand of a request beyond its type: rules that their references state and their servers enforce.

Each check gives sentences, one a broken rule. It must not know Lintel, nor where a request came from.
"""

import re

TOOL_ID = re.compile(r"[a-zA-Z0-9_-]+")
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CLAUDE_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def broken(protocol, request):
    """Every broken rule."""
    return list(RULES[protocol](request))


def _blocks(content):
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def _anthropic(request):
    messages = request["messages"]
    if not messages:
        yield "$.messages is empty"
    if request["max_tokens"] < 1:
        yield "$.max_tokens is below 1"
    roles = [message["role"] for message in messages]
    for at, (one, next_one) in enumerate(zip(roles, roles[1:])):
        if one == next_one:
            yield f"$.messages[{at + 1}]: two {one} messages in a row"
    waiting = set()
    for at, message in enumerate(messages):
        blocks = _blocks(message["content"])
        last = at == len(messages) - 1
        if not blocks and not (last and message["role"] == "assistant"):
            yield f"$.messages[{at}] is empty"
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if waiting - set(results):
            yield f"$.messages[{at}] leaves calls without results: {sorted(waiting - set(results))}"
        if set(results) - waiting:
            yield f"$.messages[{at}] has results of no call before it: {sorted(set(results) - waiting)}"
        if len(set(results)) != len(results):
            yield f"$.messages[{at}] answers a call twice"
        kinds = [block["type"] for block in blocks]
        if results and "tool_result" in kinds[kinds.index("tool_result") :] and set(kinds[: len(results)]) != {"tool_result"}:
            yield f"$.messages[{at}]: results do not come first"
        for number, block in enumerate(blocks):
            yield from _anthropic_block(f"$.messages[{at}].content[{number}]", block)
        waiting = {block["id"] for block in blocks if block["type"] == "tool_use"}
        if last and message["role"] == "assistant" and isinstance(text := (blocks or [{}])[-1].get("text"), str) and text != text.rstrip():
            yield "the last message ends with white space"
    for number, block in enumerate(_blocks(request.get("system"))):
        yield from _anthropic_block(f"$.system[{number}]", block)
    names = [tool.get("name") for tool in request.get("tools", [])]
    for name in names:
        if name is not None and not CLAUDE_TOOL_NAME.fullmatch(name):
            yield f"the tool name {name!r}"
    if len(set(names)) != len(names):
        yield "two tools have one name"
    for at, tool in enumerate(request.get("tools", [])):
        if "input_schema" in tool and tool["input_schema"].get("type") != "object":
            yield f"$.tools[{at}].input_schema is no object's"
    choice = request.get("tool_choice")
    if choice and not names:
        yield "$.tool_choice without tools"
    if choice and choice["type"] == "tool" and choice["name"] not in names:
        yield "$.tool_choice names no tool"
    thinking = request.get("thinking") or {}
    if thinking.get("type") == "enabled":
        if not 1024 <= thinking["budget_tokens"] < request["max_tokens"]:
            yield f"a budget of {thinking['budget_tokens']} with max_tokens of {request['max_tokens']}"
        if choice and choice["type"] in ("any", "tool"):
            yield "a forced tool while thinking"
        if "top_k" in request or request.get("temperature", 1) != 1:
            yield "sampling while thinking"
    if not 0 <= request.get("temperature", 1) <= 1:
        yield "$.temperature"
    if not 0 <= request.get("top_p", 1) <= 1:
        yield "$.top_p"
    if any(not sequence.strip() for sequence in request.get("stop_sequences", [])):
        yield "a blank stop sequence"
    if str(request).count("'cache_control'") > 4:
        yield "more than four cache breakpoints"


def _anthropic_block(path, block):
    kind = block["type"]
    if kind == "text" and not block["text"].strip():
        yield f"{path}: blank text"
    if kind in ("tool_use", "tool_result") and not TOOL_ID.fullmatch(block["id" if kind == "tool_use" else "tool_use_id"]):
        yield f"{path}: the id {block}"
    if kind == "tool_use" and not CLAUDE_TOOL_NAME.fullmatch(block["name"]):
        yield f"{path}: the tool name {block['name']!r}"
    if kind == "tool_result":
        for number, part in enumerate(_blocks(block.get("content"))):
            yield from _anthropic_block(f"{path}.content[{number}]", part)
            if block.get("is_error") and part["type"] != "text":
                yield f"{path}: a failed result may only have text"
    source = block.get("source")
    if kind == "image" and source["type"] == "base64" and not re.fullmatch(r"[A-Za-z0-9+/=\s]+", source["data"]):
        yield f"{path}: the image is not base64"
    if source and source["type"] == "url" and not re.match(r"https?://", source["url"]):
        yield f"{path}: the address {source['url'][:60]!r}"


def _chat(request):
    messages = request["messages"]
    if not messages:
        yield "$.messages is empty"
    waiting = []
    for at, message in enumerate(messages):
        role = message["role"]
        content = message.get("content")
        if role == "tool":
            if message["tool_call_id"] not in waiting:
                yield f"$.messages[{at}] answers no call before it"
            else:
                waiting.remove(message["tool_call_id"])
        elif waiting:
            yield f"$.messages[{at}]: calls without results: {waiting}"
            waiting = []
        if isinstance(content, list) and not content:
            yield f"$.messages[{at}].content is an empty list"
        if role in ("system", "developer", "user", "tool") and content is None:
            yield f"$.messages[{at}] has no content"
        if role == "assistant":
            if not (content or content == "" or message.get("tool_calls") or message.get("refusal") or message.get("audio") or message.get("function_call")):
                yield f"$.messages[{at}] says nothing"
            if "tool_calls" in message and not message["tool_calls"]:
                yield f"$.messages[{at}].tool_calls is empty"
            calls = message.get("tool_calls") or []
            waiting = [call["id"] for call in calls]
            if len(set(waiting)) != len(waiting):
                yield f"$.messages[{at}]: two calls have one id"
            for call in calls:
                name = call["function"]["name"] if call["type"] == "function" else call["custom"]["name"]
                if not TOOL_NAME.fullmatch(name):
                    yield f"$.messages[{at}]: the tool name {name!r}"
    if waiting:
        yield f"calls without results at the end: {waiting}"
    names = [tool[tool["type"]]["name"] for tool in request.get("tools", []) if tool["type"] in ("function", "custom")]
    for name in names:
        if not TOOL_NAME.fullmatch(name):
            yield f"the tool name {name!r}"
    if "tools" in request and not request["tools"]:
        yield "$.tools is empty"
    for key in ("tool_choice", "parallel_tool_calls"):
        if request.get(key) is not None and not request.get("tools"):
            yield f"$.{key} without tools"
    choice = request.get("tool_choice")
    if isinstance(choice, dict) and choice["type"] == "function" and choice["function"]["name"] not in names:
        yield "$.tool_choice names no tool"
    stop = request.get("stop")
    if isinstance(stop, list) and not 1 <= len(stop) <= 4:
        yield f"{len(stop)} stop sequences"
    yield from _openai_settings(request)
    form = request.get("response_format") or {}
    if form.get("type") == "json_schema" and not TOOL_NAME.fullmatch(form["json_schema"]["name"]):
        yield "$.response_format.json_schema.name"
    if request.get("top_logprobs") is not None and not request.get("logprobs"):
        yield "$.top_logprobs without logprobs"
    if "stream_options" in request and not request.get("stream"):
        yield "$.stream_options without stream"
    if "max_tokens" in request and "max_completion_tokens" in request:
        yield "two caps on output"


def _openai_settings(request):
    if not 0 <= (request.get("temperature") or 0) <= 2:
        yield "$.temperature"
    if not 0 <= (request.get("top_p") or 0) <= 1:
        yield "$.top_p"
    metadata = request.get("metadata") or {}
    if len(metadata) > 16 or any(not isinstance(value, str) or len(key) > 64 or len(value) > 512 for key, value in metadata.items()):
        yield "$.metadata"


def _responses(request):
    items = request.get("input")
    if not items:
        yield "$.input is empty"
    asked, answered = set(), set()
    for at, item in enumerate(items if isinstance(items, list) else []):
        kind = item.get("type", "message")
        if kind in ("function_call", "custom_tool_call"):
            asked.add(item["call_id"])
        if kind in ("function_call_output", "custom_tool_call_output"):
            if item["call_id"] not in asked:
                yield f"$.input[{at}] answers no call before it"
            answered.add(item["call_id"])
        if kind == "message" and not item["content"]:
            yield f"$.input[{at}].content is empty"
    if asked - answered:
        yield f"calls without results: {sorted(asked - answered)}"
    if "tools" in request and not request["tools"]:
        yield "$.tools is empty"
    if request.get("tool_choice") is not None and not request.get("tools"):
        yield "$.tool_choice without tools"
    yield from _openai_settings(request)


def _gemini(request):
    if not request.get("contents"):
        yield "$.contents is empty"
    asked = []
    for at, content in enumerate(request["contents"]):
        if not content.get("parts"):
            yield f"$.contents[{at}] is empty"
        answers = [part["functionResponse"]["name"] for part in content["parts"] if "functionResponse" in part]
        if sorted(answers) != sorted(asked):
            yield f"$.contents[{at}] answers {answers} where {asked} were called"
        asked = [part["functionCall"]["name"] for part in content["parts"] if "functionCall" in part]
    if not 0 <= request.get("generationConfig", {}).get("temperature", 1) <= 2:
        yield "$.generationConfig.temperature"


RULES = {"gemini.generate": _gemini, "anthropic.messages": _anthropic, "openai.chat": _chat, "openai.responses": _responses}
