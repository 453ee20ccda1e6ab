"""Recorded provider traffic: reading it, writing it in other styles, and what it says was used."""

import gzip
import json
import os
import re

import protocols

STYLES = ("recorded", "spaced", "pretty", "reversed", "ascii")


def files(paths):
    """The recordings' files among `paths`, which may be folders."""
    for path in paths:
        if os.path.isdir(path):
            yield from (os.path.join(path, name) for name in sorted(os.listdir(path)) if name.endswith((".jsonl", ".jsonl.gz")))
        else:
            yield path


def read(paths, wanted=None):
    """Every recording below `paths`, of these protocols only."""
    for path in files(paths):
        with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8") as file:
            for line in file:
                recording = json.loads(line)
                recording["protocol"] = protocols.name_of(recording)
                if wanted is None or recording["protocol"] in wanted:
                    yield recording


def restyle(text, style):
    """The same JSON document, written another way."""
    if style == "recorded":
        return text
    document = json.loads(text)
    if style == "reversed":
        return json.dumps(dict(reversed(document.items())), ensure_ascii=False, separators=(",", ":"))
    options = {
        "spaced": {"ensure_ascii": False},
        "pretty": {"ensure_ascii": False, "indent": 2},
        "ascii": {"ensure_ascii": True, "separators": (" , ", " : ")},
    }[style]
    return json.dumps(document, **options)


def with_model(text, model):
    """`text` with its top-level `model` replaced and every other byte as it was."""
    wanted = {**json.loads(text), "model": model}
    start = 0
    while True:
        at = text.find('"model"', start)
        if at < 0:
            raise ValueError("no top-level model")
        value = text.index(":", at) + 1
        value += len(text[value:]) - len(text[value:].lstrip())
        start = at + 1
        try:
            _, end = json.decoder.scanstring(text, value + 1) if text[value] == '"' else (None, None)
        except ValueError:
            continue
        if end is None:
            continue
        changed = text[:value] + json.dumps(model, ensure_ascii=False) + text[end:]
        if json.loads(changed) == wanted:
            return changed


def _number(mapping, *path):
    for key in path:
        mapping = mapping.get(key) if isinstance(mapping, dict) else None
    return mapping if isinstance(mapping, int) and mapping > 0 else 0


def _openai(usage):
    """Cached, written and audio tokens are parts of the prompt; reasoning is a part of the completion, or
    stands beside it where the total says so (xAI; Gemini's compatible endpoint, which doesn't name it)."""
    prompt, completion = _number(usage, "prompt_tokens"), _number(usage, "completion_tokens")
    spellings = [
        _number(usage, "prompt_tokens_details", "cached_tokens"),
        _number(usage, "cached_tokens"),
        _number(usage, "num_cached_tokens"),
        _number(usage, "prompt_cache_hit_tokens"),
    ]
    parts = {
        "cache_read": max(spellings),
        "cache_write_5m": _number(usage, "prompt_tokens_details", "cache_write_tokens"),
        "input_audio": max(_number(usage, "prompt_tokens_details", "audio_tokens"), _number(usage, "audio_prompt_tokens")),
        "input_image": _number(usage, "prompt_tokens_details", "image_tokens") + _number(usage, "prompt_tokens_details", "video_tokens"),
    }
    beside = _number(usage, "total_tokens") - prompt - completion
    named = _number(usage, "completion_tokens_details", "reasoning_tokens")
    audio = _number(usage, "completion_tokens_details", "audio_tokens")
    image = _number(usage, "completion_tokens_details", "image_tokens")
    reasoning = beside if beside > 0 and named in (0, beside) else min(named, completion)
    visible = completion if reasoning == beside > 0 else completion - reasoning
    return {
        **parts,
        "input": prompt - sum(parts.values()),
        "output": visible - audio - image,
        "reasoning": reasoning,
        "output_audio": audio,
        "output_image": image,
    }


def _anthropic(usage, start):
    """The end of a stream restates the counts of its beginning, or leaves them out. Cached tokens are beside
    `input_tokens`. Compaction is reported in `iterations` only."""
    usage = {**(start or {}), **{key: value for key, value in usage.items() if value is not None}}
    written = _number(usage, "cache_creation_input_tokens")
    hour = _number(usage, "cache_creation", "ephemeral_1h_input_tokens")
    thinking = _number(usage, "output_tokens_details", "thinking_tokens")
    meters = {
        "input": _number(usage, "input_tokens"),
        "cache_read": _number(usage, "cache_read_input_tokens"),
        "cache_write_5m": written - hour,
        "cache_write_1h": hour,
        "output": _number(usage, "output_tokens") - thinking,
        "reasoning": thinking,
        "web_search": _number(usage, "server_tool_use", "web_search_requests"),
    }
    for part in usage.get("iterations") or []:
        if part.get("type") == "compaction":
            meters["input"] += _number(part, "input_tokens")
            meters["cache_read"] += _number(part, "cache_read_input_tokens")
            meters["cache_write_5m"] += _number(part, "cache_creation_input_tokens")
            meters["output"] += _number(part, "output_tokens")
    return meters


def _searches(usage, *more):
    spellings = [("num_search_queries",), ("num_sources_used",), ("server_tool_use_details", "web_search_requests"), *more]
    return max(_number(usage, *spelling) for spelling in spellings)


def _chat(usage, _):
    return {**_openai(usage), "web_search": _searches(usage)}


def _embeddings(usage, _):
    """Some hosts name the total alone: there is no output to tell apart from it."""
    return {"input": _number(usage, "prompt_tokens") or _number(usage, "total_tokens")}


def _responses(usage, _):
    """The words of chat completions under other names, and the same arithmetic: xAI's reasoning stands beside its output."""
    renamed = {
        "prompt_tokens": usage.get("input_tokens"),
        "completion_tokens": usage.get("output_tokens"),
        "total_tokens": usage.get("total_tokens"),
        "prompt_tokens_details": usage.get("input_tokens_details"),
        "completion_tokens_details": usage.get("output_tokens_details"),
    }
    return {**_openai(renamed), "web_search": _searches(usage, ("server_side_tool_usage_details", "web_search_calls"))}


def _modality(usage, key, *names):
    return sum(_number(part, "tokenCount") for part in usage.get(key) or [] if part.get("modality") in names)


def _gemini(usage, _):
    """Cached tokens are a part of the prompt. Thoughts and what tools brought in stand beside prompt and candidates."""
    if "promptTokenCount" not in usage:
        return None
    cached = _number(usage, "cachedContentTokenCount")

    def put_in(*names):
        both = _modality(usage, "promptTokensDetails", *names) + _modality(usage, "toolUsePromptTokensDetails", *names)
        return both - _modality(usage, "cacheTokensDetails", *names)

    def put_out(*names):
        return _modality(usage, "candidatesTokensDetails", *names)

    audio, image = put_in("AUDIO"), put_in("IMAGE", "VIDEO")
    spoken, drawn = put_out("AUDIO"), put_out("IMAGE", "VIDEO")
    return {
        "input": _number(usage, "promptTokenCount") + _number(usage, "toolUsePromptTokenCount") - cached - audio - image,
        "cache_read": cached,
        "input_audio": audio,
        "input_image": image,
        "output": _number(usage, "candidatesTokenCount") - spoken - drawn,
        "reasoning": _number(usage, "thoughtsTokenCount"),
        "output_audio": spoken,
        "output_image": drawn,
    }


def _bedrock(usage, _):
    """Cached tokens stand beside the input; they are named twice."""
    written = _number(usage, "cacheWriteInputTokens")
    hour = sum(_number(part, "inputTokens") for part in usage.get("cacheDetails") or [] if part.get("ttl") == "1h")
    return {
        "input": _number(usage, "inputTokens"),
        "cache_read": _number(usage, "cacheReadInputTokens"),
        "cache_write_5m": written - hour,
        "cache_write_1h": hour,
        "output": _number(usage, "outputTokens"),
    }


# How usage reads, by protocol.
READERS = {
    "openai.chat": _chat,
    "openai.completions": _chat,
    "openai.embeddings": _embeddings,
    "openai.responses": _responses,
    "anthropic.messages": _anthropic,
    "gemini.generate": _gemini,
    "gemini.stream": _gemini,
    "bedrock.converse": _bedrock,
    "bedrock.converse_stream": _bedrock,
}


def _searches_beside(recording):
    """Searches that a Responses answer counts beside its usage, the last time it does."""
    counts = re.findall(r'"tool_usage":\s*{.*?"web_search":\s*{\s*"num_requests":\s*(\d+)', recording["response_text"] or "")
    return int(counts[-1]) if counts else 0


def used(recording):
    """What the ledger must say: quantity by meter, none zero. None where the answer doesn't say."""
    if recording["status"] >= 400:
        return None
    if recording["protocol"] == "anthropic.count_tokens":
        return {}
    usage = recording["usage"]
    meters = None if usage is None else READERS[recording["protocol"]](usage, recording.get("usage_start"))
    if meters is not None and recording["protocol"] == "openai.responses":
        meters["web_search"] = meters["web_search"] or _searches_beside(recording)
    return None if meters is None else {meter: quantity for meter, quantity in meters.items() if quantity}
