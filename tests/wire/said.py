"""What a request or an answer says, read plainly: who says which words, calls and pictures, in which order.

One reader for each protocol, written from the APIs' references and independent of Lintel's. Texts are compared
without their white space: writers may join neighbours.
"""

import json
import re
from typing import NamedTuple


class Item(NamedTuple):
    """One thing said: `value` by `role`, at `path` of the document."""

    role: str
    kind: str
    value: str
    path: str


def squeeze(text):
    return re.sub(r"\s+", "", text or "")


def arguments(text):
    """A call's arguments, written one way; as they are where they are no JSON."""
    if not isinstance(text, str):
        return json.dumps(text, sort_keys=True)
    try:
        return json.dumps(json.loads(text or "{}"), sort_keys=True)
    except ValueError:
        return text


def call(role, name, given, path):
    return Item(role, "call", f"{name} {arguments(given)}", path)


def request(protocol, document):
    """Every item of a request, in order."""
    return [item for item in REQUESTS[protocol](document) if item.value]


def _data(url):
    """What identifies a medium: its base64, or its address."""
    found = re.match(r"data:[^,]*;base64,(.*)", url or "", re.S)
    return found[1] if found else url


def _parts(content):
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def _text(path, part, key="text"):
    return path if "" == part else f"{path}.{key}"


def _chat_part(role, part, path):
    kind = part.get("type")
    if kind in ("text", "refusal"):
        yield Item(role, "text", squeeze(part.get(kind)), path)
    elif kind == "image_url":
        yield Item(role, "image", _data(part["image_url"]["url"]), path)
    elif kind == "video_url":
        yield Item(role, "video", _data(part["video_url"]["url"]), path)
    elif kind == "input_audio":
        yield Item(role, "audio", _data(part["input_audio"]["data"]), path)
    elif kind == "file":
        file = part["file"]
        yield Item(role, "file" if file.get("file_id") else "document", _data(file.get("file_data")) or file.get("file_id") or file.get("file_url"), path)
    elif kind == "document_url":
        yield Item(role, "document", _data(part.get("document_url")), path)
    elif kind == "thinking":
        yield Item(role, "reasoning", "".join(squeeze(p.get("text")) for p in _parts(part["thinking"])), path)
    else:
        yield Item(role, f"other:{kind}", json.dumps(part), path)


ROLES = {"developer": "system", "function": "tool"}


def _chat(document):
    for at, message in enumerate(document["messages"]):
        path, role = f"$.messages[{at}]", ROLES.get(message["role"], message["role"])
        reasoning = message.get("reasoning_content") or message.get("reasoning") or ""
        for key in ("reasoning_content", "reasoning"):
            if message.get(key):
                yield Item(role, "reasoning", squeeze(reasoning), f"{path}.{key}")
                break
        content = message.get("content")
        for number, part in enumerate(_parts(content)):
            yield from _chat_part(role, part, f"{path}.content" if isinstance(content, str) else f"{path}.content[{number}]")
        if message.get("refusal"):
            yield Item(role, "text", squeeze(message["refusal"]), f"{path}.refusal")
        for number, one in enumerate(message.get("tool_calls") or []):
            inner = one.get("function") or one.get("custom")
            yield call(role, inner["name"], inner.get("arguments", inner.get("input")), f"{path}.tool_calls[{number}]")


def _anthropic_block(role, block, path):
    kind, source = block.get("type"), block.get("source") or {}
    if kind == "text":
        yield Item(role, "text", squeeze(block["text"]), path)
    elif kind in ("image", "document"):
        if source.get("type") == "content":
            for number, part in enumerate(_parts(source["content"])):
                yield from _anthropic_block(role, part, path)
        elif source.get("type") == "file":
            yield Item(role, "file", source["file_id"], path)
        elif source.get("type") == "text":
            yield Item(role, "document", squeeze(source["data"]), path)
        else:
            yield Item(role, kind, source.get("data") or source.get("url"), path)
    elif kind == "thinking":
        yield Item(role, "reasoning", squeeze(block["thinking"]), path)
    elif kind == "tool_use":
        yield call(role, block["name"], block["input"], path)
    elif kind == "tool_result":
        content = block.get("content")
        for number, part in enumerate(_parts(content)):
            yield from _anthropic_block("tool", part, f"{path}.content" if isinstance(content, str) else f"{path}.content[{number}]")
    else:
        yield Item(role, f"other:{kind}", json.dumps(block), path)


def _anthropic(document):
    system = document.get("system")
    for number, block in enumerate(_parts(system)):
        yield from _anthropic_block("system", block, "$.system" if isinstance(system, str) else f"$.system[{number}]")
    for at, message in enumerate(document["messages"]):
        content = message["content"]
        for number, block in enumerate(_parts(content)):
            path = f"$.messages[{at}].content"
            yield from _anthropic_block(message["role"], block, path if isinstance(content, str) else f"{path}[{number}]")


def _responses_part(role, part, path):
    kind = part.get("type")
    if kind in ("input_text", "output_text", "text", "refusal", "summary_text", "reasoning_text"):
        yield Item(role, "text", squeeze(part.get("text") or part.get("refusal")), path)
    elif kind == "input_image":
        yield Item(role, "file" if part.get("file_id") else "image", part.get("file_id") or _data(part["image_url"]), path)
    elif kind == "input_file":
        value = part.get("file_id") or _data(part.get("file_data")) or part.get("file_url")
        yield Item(role, "file" if part.get("file_id") else "document", value, path)
    elif kind == "input_audio":
        yield Item(role, "audio", part["input_audio"]["data"], path)
    else:
        yield Item(role, f"other:{kind}", json.dumps(part), path)


def _responses(document):
    if document.get("instructions"):
        yield Item("system", "text", squeeze(document["instructions"]), "$.instructions")
    given = document.get("input") or []
    if isinstance(given, str):
        yield Item("user", "text", squeeze(given), "$.input")
        return
    for at, item in enumerate(given):
        path, kind = f"$.input[{at}]", item.get("type", "message")
        if kind == "message":
            role, content = ROLES.get(item["role"], item["role"]), item["content"]
            for number, part in enumerate([{"type": "text", "text": content}] if isinstance(content, str) else content):
                yield from _responses_part(role, part, f"{path}.content" if isinstance(content, str) else f"{path}.content[{number}]")
        elif kind in ("function_call", "custom_tool_call"):
            yield call("assistant", item["name"], item.get("arguments", item.get("input")), path)
        elif kind in ("function_call_output", "custom_tool_call_output"):
            content = item["output"]
            for number, part in enumerate([{"type": "text", "text": content}] if isinstance(content, str) else content):
                yield from _responses_part("tool", part, f"{path}.output" if isinstance(content, str) else f"{path}.output[{number}]")
        elif kind == "reasoning":
            texts = [p.get("text") for p in (item.get("summary") or []) + (item.get("content") or [])]
            yield Item("assistant", "reasoning", squeeze("".join(filter(None, texts))), path)
        else:
            yield Item("assistant", f"other:{kind}", json.dumps(item), path)


def _gemini_part(role, part, path):
    if "functionCall" in part:
        yield call(role, part["functionCall"]["name"], part["functionCall"].get("args") or {}, path)
    elif "functionResponse" in part:
        response = part["functionResponse"]["response"]
        plain = response.get("output", response.get("error")) if len(response) == 1 else None
        yield Item("tool", "text", squeeze(plain if isinstance(plain, str) else json.dumps(response, ensure_ascii=False)), path)
        for number, inner in enumerate(part["functionResponse"].get("parts") or []):
            yield from _gemini_part("tool", inner, f"{path}.parts[{number}]")
    elif "inlineData" in part or "fileData" in part:
        inside = part.get("inlineData") or part["fileData"]
        kind = inside.get("mimeType", "").split("/")[0]
        yield Item(role, kind if kind in ("image", "audio", "video") else "document", inside.get("data") or inside.get("fileUri"), path)
    elif part.get("thought"):
        yield Item(role, "reasoning", squeeze(part.get("text")), path)
    elif "text" in part:
        yield Item(role, "text", squeeze(part["text"]), path)


def _gemini(document):
    for number, part in enumerate((document.get("systemInstruction") or {}).get("parts") or []):
        yield from _gemini_part("system", part, f"$.systemInstruction.parts[{number}]")
    for at, content in enumerate(document["contents"]):
        role = {"model": "assistant"}.get(content.get("role"), "user")
        for number, part in enumerate(content["parts"]):
            yield from _gemini_part(role, part, f"$.contents[{at}].parts[{number}]")


REQUESTS = {"gemini.generate": _gemini, "openai.chat": _chat, "anthropic.messages": _anthropic, "openai.responses": _responses}


class Answer(NamedTuple):
    """What the first choice of an answer says, in words that no protocol owns."""

    text: str
    reasoning: str
    calls: tuple
    # end, max, tools, filter, pause; none where nobody says.
    stop: str | None
    # How many choices there are.
    choices: int = 1


CHAT_STOPS = {"stop": "end", "eos": "end", "length": "max", "tool_calls": "tools", "function_call": "tools", "content_filter": "filter"}
ANTHROPIC_STOPS = {
    "end_turn": "end",
    "stop_sequence": "end",
    "max_tokens": "max",
    "model_context_window_exceeded": "max",
    "tool_use": "tools",
    "refusal": "filter",
    "pause_turn": "pause",
}


def _chat_content(content):
    """The text and the reasoning of a content, which may be a list."""
    text, thought = "", ""
    for part in _parts(content):
        if part.get("type") == "thinking":
            thought += "".join(p.get("text") or "" for p in _parts(part.get("thinking")))
        else:
            text += part.get("text") or ""
    return text, thought


def _chat_reasoning(message):
    details = [d.get("text") or d.get("summary") or "" for d in message.get("reasoning_details") or [] if isinstance(d, dict)]
    return message.get("reasoning_content") or message.get("reasoning") or "".join(details)


def _chat_answer(document):
    choices = document.get("choices") or []
    if not choices:
        return Answer("", "", (), None, 0)
    message = choices[0].get("message") or {}
    text, thought = _chat_content(message.get("content"))
    calls = [c.get("function") or c.get("custom") or {} for c in message.get("tool_calls") or []]
    if (message.get("function_call") or {}).get("name"):
        calls.append(message["function_call"])
    named = tuple((c.get("name") or "", arguments(c.get("arguments", c.get("input")))) for c in calls)
    word = choices[0].get("finish_reason")
    text += message.get("refusal") or ""
    return Answer(squeeze(text), squeeze(thought + (_chat_reasoning(message) or "")), named, CHAT_STOPS.get(word, word or None), len(choices))


def _anthropic_answer(document):
    blocks = document.get("content") or []
    text = "".join(b.get("text") or "" for b in blocks if b.get("type") == "text")
    thought = "".join(b.get("thinking") or "" for b in blocks if b.get("type") == "thinking")
    calls = tuple((b["name"], arguments(b["input"])) for b in blocks if b.get("type") == "tool_use")
    word = document.get("stop_reason")
    return Answer(squeeze(text), squeeze(thought), calls, ANTHROPIC_STOPS.get(word, word))


def _responses_answer(document):
    items = document.get("output") or []
    text, thought, calls = "", "", []
    for item in items:
        kind = item.get("type")
        if kind == "message":
            text += "".join(p.get("text") or p.get("refusal") or "" for p in item.get("content") or [])
        elif kind == "reasoning":
            thought += "".join(p.get("text") or "" for p in (item.get("summary") or []) + (item.get("content") or []))
        elif kind in ("function_call", "custom_tool_call"):
            calls.append((item["name"], arguments(item.get("arguments", item.get("input")))))
    why = (document.get("incomplete_details") or {}).get("reason")
    stop = {"max_output_tokens": "max", "content_filter": "filter"}.get(why, why) if document.get("status") == "incomplete" else "tools" if calls else "end"
    return Answer(squeeze(text), squeeze(thought), tuple(calls), stop if document.get("status") in ("completed", "incomplete") else None)


GEMINI_FILTERS = ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR")
GEMINI_STOPS = {"STOP": "end", "MAX_TOKENS": "max", **dict.fromkeys(GEMINI_FILTERS, "filter")}


def _gemini_answer(document):
    candidates = document.get("candidates") or []
    if not candidates:
        return Answer("", "", (), None, 0)
    parts = (candidates[0].get("content") or {}).get("parts") or []
    text = "".join(p.get("text") or "" for p in parts if not p.get("thought"))
    thought = "".join(p.get("text") or "" for p in parts if p.get("thought"))
    calls = tuple((p["functionCall"]["name"], arguments(p["functionCall"].get("args") or {})) for p in parts if "functionCall" in p)
    word = candidates[0].get("finishReason")
    return Answer(squeeze(text), squeeze(thought), calls, GEMINI_STOPS.get(word, word), len(candidates))


ANSWERS = {"gemini.generate": _gemini_answer, "openai.chat": _chat_answer, "anthropic.messages": _anthropic_answer, "openai.responses": _responses_answer}


def answer(protocol, document):
    """What a whole answer says."""
    return ANSWERS[protocol](document)


def events(body):
    """The JSON of every event of a stream."""
    for block in re.split(rb"\r\n\r\n|\n\n", body):
        data = b"\n".join(line[5:].strip() for line in block.replace(b"\r\n", b"\n").split(b"\n") if line.startswith(b"data:"))
        if data and data != b"[DONE]":
            try:
                yield json.loads(data)
            except ValueError:
                continue


def streamed(protocol, body):
    """What a stream says: its events put together to the document that a whole answer would have been, as far as `answer` reads it."""
    return answer(protocol, STREAMS[protocol](list(events(body))))


def _chat_whole(found):
    message, calls, word, choices = {"content": ""}, {}, None, set()
    thoughts, last = "", None
    for chunk in found:
        for choice in chunk.get("choices") or []:
            choices.add(choice.get("index") or 0)
            if choice.get("index"):
                continue
            delta = choice.get("delta") or {}
            word = choice.get("finish_reason") or word
            text, thought = _chat_content(delta.get("content"))
            message["content"] += text + (delta.get("refusal") or "")
            thoughts += thought + (_chat_reasoning(delta) or "")
            for piece in delta.get("tool_calls") or []:
                inner = piece.get("function") or piece.get("custom") or {}
                # A piece belongs to the call of its index; without one, to the last call, unless it has an id of its own.
                key = piece.get("index")
                if key is None:
                    key = ("id", piece["id"]) if piece.get("id") else last
                last = key
                one = calls.setdefault(key, {"name": "", "arguments": ""})
                one["name"] = one["name"] or inner.get("name") or ""
                one["arguments"] += inner.get("arguments") or inner.get("input") or ""
    message["reasoning_content"] = thoughts
    message["tool_calls"] = [{"function": one} for one in calls.values()]
    return {"choices": [{"message": message, "finish_reason": word}] * len(choices)}


def _anthropic_whole(found):
    blocks, reason = {}, None
    for one in found:
        kind = one.get("type")
        if kind == "content_block_start":
            blocks[one["index"]] = {**one["content_block"], "_input": ""}
        elif kind == "content_block_delta":
            block, delta = blocks[one["index"]], one["delta"]
            for key, of in (("text", "text_delta"), ("thinking", "thinking_delta")):
                if delta.get("type") == of:
                    block[key] = (block.get(key) or "") + delta[key]
            if delta.get("type") == "input_json_delta":
                block["_input"] += delta["partial_json"]
        elif kind == "message_delta":
            reason = (one.get("delta") or {}).get("stop_reason") or reason
    for block in blocks.values():
        if block["_input"]:
            block["input"] = block["_input"]
    return {"content": list(blocks.values()), "stop_reason": reason}


def _responses_whole(found):
    for one in reversed(found):
        if one.get("type") in ("response.completed", "response.incomplete", "response.failed"):
            return one["response"]
    return {}


def _gemini_whole(found):
    parts, word = [], None
    for one in found:
        for candidate in (one.get("candidates") or [])[:1]:
            parts += (candidate.get("content") or {}).get("parts") or []
            word = candidate.get("finishReason") or word
    return {"candidates": [{"content": {"parts": parts}, "finishReason": word}]} if found else {}


STREAMS = {"gemini.generate": _gemini_whole, "openai.chat": _chat_whole, "anthropic.messages": _anthropic_whole, "openai.responses": _responses_whole}
