"""What of a client's request is neither in the request that the target got nor named.

Every leaf of the client's body must be accounted for: carried (the same value, or what its meaning is called in
the other protocol), or covered by a path in `x-lintel-dropped` or `x-lintel-emulated`. What is said in messages is
compared as a transcript, in order. What the target got must come from the client. It must not know Lintel's code.
"""

import json
import re

import said
from mutate import UNKNOWN

# Members that say how the rest is to be read: their meaning is checked with what they stand beside.
STRUCTURE = {"type", "role", "model", "stream", "include_usage", "index", "id", "call_id", "tool_call_id", "tool_use_id", "status", "phase"}
# Values that say what holds anyway.
DEFAULTS = {
    "store": (False,),
    "logprobs": (False,),
    "is_error": (False,),
    "enabled": (False,),
    "background": (False,),
    "truncation": ("disabled",),
    "strict": (False,),
    "parallel_tool_calls": (True,),
    "disable_parallel_tool_use": (False,),
    "defer_loading": (False,),
    "n": (1,),
    "temperature": (1,),
    "top_p": (1,),
    "status": ("completed",),
    "caller": ("direct",),
    "service_tier": ("auto",),
    "logit_bias": ({},),
    "prefix": (False,),
    "detail": ("auto",),
    "metadata": ({},),
}
SCHEMAS = re.compile(r"(\.parameters|\.input_schema|\.schema)$")


def covered(path, notes, below=False):
    """Whether a note names `path` or what it is a part of; with `below`, or a part of it."""
    under = lambda one, other: one == other or one.startswith((other + ".", other + "["))
    return any(under(path, note) or (below and under(note, path)) for note in notes)


def leaves(value, path="$"):
    """Every leaf with its path. Schemas, arguments and empty containers are leaves."""
    if SCHEMAS.search(path) and isinstance(value, dict):
        yield path, value
    elif isinstance(value, dict) and value and not path.endswith((".input", ".arguments")):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for at, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{at}]")
    else:
        yield path, value


def everything(value):
    """Every value inside `value`, itself included."""
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everything(inner)


def includes(got, wanted):
    """Whether `got` has all that `wanted` has; it may have more."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return all(key in got and includes(got[key], value) for key, value in wanted.items())
    return got == wanted


class Received:
    """The target's request, ready to be asked what it has."""

    def __init__(self, document):
        self.document = document
        # Where Gemini's settings stand.
        self.generation = document.get("generationConfig") or {}
        self.values = list(everything(document))
        self.text = json.dumps(document, ensure_ascii=False)

    def has(self, value):
        if isinstance(value, str):
            return any(isinstance(v, str) and (v == value or (len(value) > 3 and value in v)) for v in self.values)
        if isinstance(value, bool):
            return False
        if isinstance(value, (dict, list)):
            return any(type(v) is type(value) and includes(v, value) for v in self.values)
        return any(isinstance(v, (int, float)) and not isinstance(v, bool) and v == value for v in self.values)


def _choice(got):
    """How a target is told which tools to call: none, auto, required, or a name."""
    choice = got.get("tool_choice")
    calling = (got.get("toolConfig") or {}).get("functionCallingConfig") or {}
    if calling:
        names = calling.get("allowedFunctionNames") or []
        return names[0] if len(names) == 1 else {"ANY": "required"}.get(calling.get("mode"), calling.get("mode", "").lower())
    if isinstance(choice, dict):
        kind = choice.get("type")
        return (choice.get("function") or choice).get("name") or {"any": "required"}.get(kind, kind)
    return choice


# The tool that stands in for a schema: the model must call some tool then, and the schema is named as emulated.
STAND_IN = "lintel_json_answer"


def _chooses(value, got):
    word = value if isinstance(value, str) else value.get("type")
    if isinstance(value, dict) and ("function" in value or "name" in value):
        return _choice(got.document) == (value.get("function") or value).get("name")
    wanted = {"any": "required"}.get(word, word)
    # Nobody is asked what they would do anyway, nor told not to call what they don't have.
    return _choice(got.document) == wanted or (wanted == "auto" and (_choice(got.document) is None or STAND_IN in got.text)) or (wanted == "none" and not got.document.get("tools"))


def _one_at_a_time(_, got):
    return not got.document.get("tools") or got.document.get("parallel_tool_calls") is False or (got.document.get("tool_choice") or {}).get("disable_parallel_tool_use") is True


def _formats(value, got):
    kind = value.get("type") if isinstance(value, dict) else value
    if kind == "text":
        return True
    if got.generation:
        return got.generation.get("responseMimeType") == "application/json" and (kind == "json_object" or "responseJsonSchema" in got.generation)
    form = got.document.get("response_format") or (got.document.get("text") or {}).get("format") or (got.document.get("output_config") or {}).get("format") or {}
    return form.get("type") == kind


def _reasons(value, got):
    """That reasoning is asked for at all, or asked not to happen; how much is the dialects' own tests' matter."""
    if "thinkingConfig" in got.generation:
        return True
    asked = ("reasoning_effort", "reasoning", "thinking", "output_config")
    # As the model sees fit is what happens where nothing is said.
    return value == "adaptive" or any(got.document.get(key) for key in asked)


def _cache_mark(_, got):
    return "cache_control" in got.text or "prompt_cache_breakpoint" in got.text


# Members whose meaning has another name or another value on the other side: pattern of the path, and whether it got there.
MEANT = [
    (r"\$\.tool_choice", _chooses),
    (r"\$\.parallel_tool_calls|\$\.tool_choice\.disable_parallel_tool_use", _one_at_a_time),
    (r"\$\.(response_format|text\.format)", _formats),
    (r"\$\.output_config\.format", _formats),
    (r"\$\.(reasoning_effort|reasoning(\..*)?|thinking\..*|output_config\.effort)", _reasons),
]
# Whole subtrees that a rule above answers for, but for these members of theirs.
ANSWERED = re.compile(r"\$\.tool_choice(?!\.disable_parallel_tool_use)\b|\$\.(response_format|text\.format|output_config\.format)\.type|\$\.(reasoning|thinking|reasoning_effort|output_config\.effort)\b")


def settings(client, got, notes):
    """Leaves beside the transcript that got lost."""
    for pattern, carried in MEANT:
        for path, value in _matching(client, pattern):
            known_default = path.rsplit(".", 1)[-1] in DEFAULTS and value in DEFAULTS[path.rsplit(".", 1)[-1]]
            if value is not None and UNKNOWN not in path and not known_default and not covered(path, notes, below=True) and not carried(value, got):
                yield f"{path} = {json.dumps(value)[:80]} is lost"


def _matching(document, pattern):
    found = []

    def walk(value, path):
        if re.fullmatch(pattern, path):
            found.append((path, value))
            return
        for key, inner in value.items() if isinstance(value, dict) else ():
            walk(inner, f"{path}.{key}")

    walk(document, "$")
    return found


def others(client, got, notes, items):
    """Leaves that no rule speaks of."""
    told = {item.path for item in items}
    for path, value in leaves(client):
        key = re.sub(r"\[\d+\]$", "", path).rsplit(".", 1)[-1]
        inside = any(path.startswith(("$.messages", "$.system", "$.input", "$.instructions")) for _ in (0,))
        if key in STRUCTURE or value in (None, "", [], {}) or ANSWERED.match(path) or covered(path, notes, below=SCHEMAS.search(path) is not None):
            continue
        if key in DEFAULTS and value in DEFAULTS[key] or re.fullmatch(r"\$\.(parallel_tool_calls)", path):
            continue
        if inside and _transcribed(path, key, told):
            continue
        if SCHEMAS.search(path):
            if not got.has(value):
                yield f"{path} is another schema"
            continue
        if value is True and _flag(key, got):
            continue
        if ("prompt_cache_breakpoint" in path or "cache_control" in path) and (_cache_mark(value, got) or covered(re.sub(r"prompt_cache_breakpoint.*", "cache_control", path), notes) or covered(re.sub(r"\]\.cache_control", "].function.cache_control", path), notes)):
            continue
        if path.startswith("$.include") and "logprobs" in str(value) and (_flag("logprobs", got) or _flag("responseLogprobs", got)):
            continue
        # What nobody has heard of is named where a member stands for itself: at the top and in tools, unless it says no.
        if UNKNOWN in path and (value is False or not re.match(r"\$\.(tools\[\d+\]\.(function\.)?)?" + UNKNOWN, path)):
            continue
        # A failed result stands under another key, and a file's name is a label that Gemini's public API refuses.
        if (key == "is_error" and '"error"' in got.text) or (key == "filename" and "contents" in got.document):
            continue
        # A schema that the target enforces needs no name there, and is always enforced to the letter.
        if re.fullmatch(r"\$\.(response_format\.json_schema|text\.format)\.(name|strict)", path) and ((got.document.get("output_config") or {}).get("format") or "responseJsonSchema" in got.generation):
            continue
        if not (got.has(value) or (isinstance(value, str) and got.has(re.sub(r"[^a-zA-Z0-9_-]", "_", value)))):
            yield f"{path} = {json.dumps(value)[:80]} is lost"


def _flag(key, got):
    return any(isinstance(v, dict) and v.get(key) is True for v in got.values)


def _transcribed(path, key, told):
    """Whether the leaf is what an item of the transcript consists of."""
    if path in told:
        return True
    mine = ("text", "content", "thinking", "data", "url", "file_data", "image_url", "arguments", "input", "output", "name", "refusal", "file_url", "media_type", "format", "summary", "reasoning", "reasoning_content", "document_url")
    return key in mine and any(path.startswith((place + ".", place + "[")) for place in told)


def transcript(client_items, got_items, notes):
    """Items of the client's that did not arrive in their order, and items that came from nowhere."""
    for system in (True, False):
        wanted = [item for item in client_items if (item.role == "system") is system]
        arrived = [[item.role, item.kind, item.value] for item in got_items if (item.role == "system") is system]
        spare = [item.value for item in client_items if covered(item.path, notes, below=True)]
        at = 0
        for item in wanted:
            found = next((i for i in range(at, len(arrived)) if _is(arrived[i], item)), None)
            if found is not None:
                arrived[found][2] = arrived[found][2].replace(item.value, "\0", 1)
                at = found
            elif not covered(item.path, notes, below=True):
                yield f"{item.path}: the {item.role}'s {item.kind} {item.value[:60]!r} did not arrive"
        for role, kind, value in arrived:
            for left in filter(None, value.split("\0")):
                if not any(left in known or known in left for known in spare):
                    yield f"the target got {role}'s {kind} {left[:60]!r} from nowhere"


def _is(arrived, item):
    role, kind, value = arrived
    if (role, kind) != (item.role, item.kind):
        return False
    return item.value in value if kind in ("text", "document", "reasoning") else item.value == value


def lost(client_protocol, client, target_protocol, received, notes):
    """Every complaint about a translated request."""
    items = said.request(client_protocol, client)
    got = Received(received)
    yield from transcript(items, said.request(target_protocol, received), notes)
    yield from settings(client, got, notes)
    yield from others(client, got, notes, items)
