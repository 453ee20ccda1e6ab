"""What the providers publish about requests and answers: the types of their official SDKs, without mercy.

A request must have every required member and none that the type doesn't name; the SDKs themselves would send
anything. An answer must have every required member and only known words; the SDKs themselves would take anything.
It must not know Lintel.
"""

import functools
import importlib
import json
import pkgutil
import sys
import typing

import pydantic
import typing_extensions
from pydantic import ConfigDict, TypeAdapter

from mutate import UNKNOWN

REQUESTS = {
    "openai.chat": ("openai.types", "chat.completion_create_params", "CompletionCreateParams"),
    "openai.responses": ("openai.types", "responses.response_create_params", "ResponseCreateParams"),
    "anthropic.messages": ("anthropic.types", "message_create_params", "MessageCreateParams"),
}
WHOLE = {
    "openai.chat": ("openai.types.chat", "ChatCompletion"),
    "openai.responses": ("openai.types.responses", "Response"),
    "anthropic.messages": ("anthropic.types", "Message"),
}
EVENTS = {
    "openai.chat": ("openai.types.chat", "ChatCompletionChunk"),
    "openai.responses": ("openai.types.responses", "ResponseStreamEvent"),
    "anthropic.messages": ("anthropic.types", "RawMessageStreamEvent"),
}
# Members that a newer SDK no longer names, but that the API takes with older models: recorded calls have them.
OLDER = {"anthropic.messages": ("temperature", "top_p", "top_k")}
# What hosts with OpenAI's protocol take beyond it; OpenAI itself refuses it.
HOSTS_ADD = ("reasoning_content", "reasoning", "reasoning_details", "extra_content", "cache_control", "top_k")
HOSTS_PARTS = ("thinking", "document_url", "video_url")
STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


def _forbid_unknown(package):
    """Every typed dictionary of the package refuses members that it doesn't name."""
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, package + "."):
        importlib.import_module(found.name)
    for name, module in list(sys.modules.items()):
        if name.startswith(package):
            for kind in vars(module).values():
                if isinstance(kind, type) and typing_extensions.is_typeddict(kind):
                    kind.__pydantic_config__ = STRICT


def _eager(schema):
    """Iterables are lazy to pydantic, which would let anything through: they become lists. Nothing takes unknown members."""
    if isinstance(schema, dict):
        changed = {key: _eager(value) for key, value in schema.items()}
        if changed.get("type") == "generator":
            changed["type"] = "list"
        # Requests may hold blocks of answers, whose models take anything.
        if changed.get("type") == "model":
            changed["config"] = {**(changed.get("config") or {}), "extra_fields_behavior": "forbid"}
        if changed.get("type") == "model-fields":
            changed["extra_behavior"] = "forbid"
        return changed
    if isinstance(schema, (list, tuple)):
        return type(schema)(_eager(item) for item in schema)
    return schema


@functools.cache
def _request(protocol):
    package, module, name = REQUESTS[protocol]
    _forbid_unknown(package)
    kind = getattr(importlib.import_module(f"{package}.{module}"), name)
    from pydantic_core import SchemaValidator

    return SchemaValidator(_eager(TypeAdapter(kind).core_schema))


@functools.cache
def _answer(table, protocol):
    module, name = (WHOLE if table == "whole" else EVENTS)[protocol]
    return TypeAdapter(getattr(importlib.import_module(module), name))


def _lines(error, document):
    """The deepest complaints: a union complains for each of its members, and those that got furthest are meant."""
    found = [(tuple(e["loc"]), e["msg"]) for e in error.errors(include_url=False, include_input=False)]
    places = {}
    for place, message in found:
        path, at = "$", document
        for step in place:
            known = (isinstance(at, dict) and step in at) or (isinstance(at, list) and isinstance(step, int) and step < len(at))
            if known:
                path, at = (f"{path}.{step}" if isinstance(step, str) else f"{path}[{step}]"), at[step]
        places.setdefault(path, []).append(f"{place[-1]}: {message}")
    deepest = max(places, key=lambda path: (path.count(".") + path.count("["), -len(places[path])))
    return f"{deepest}: " + " | ".join(dict.fromkeys(places[deepest]).keys())[:400]


def _gemini(document):
    """Google's SDK has types for the members of a body, which refuse unknown members by themselves."""
    from google.genai import types

    members = {
        "contents": list[types.Content],
        "systemInstruction": types.Content,
        "tools": list[types.Tool],
        "toolConfig": types.ToolConfig,
        "generationConfig": types.GenerationConfig,
        "safetySettings": list[types.SafetySetting],
        "cachedContent": str,
        "labels": dict[str, str],
    }
    for key, value in document.items():
        if key not in members:
            return f"$.{key}: Extra inputs are not permitted"
        try:
            TypeAdapter(members[key]).validate_json(json.dumps(value))
        except pydantic.ValidationError as error:
            return _lines(error, value).replace("$", f"$.{key}", 1)
    return None


def _without(value, keys):
    if isinstance(value, dict):
        return {key: _without(inner, keys) for key, inner in value.items() if key not in keys and not key.startswith(UNKNOWN)}
    if isinstance(value, list):
        added = HOSTS_PARTS if keys else ()
        return [_without(inner, keys) for inner in value if not (isinstance(inner, dict) and inner.get("type") in added)]
    return value


@functools.cache
def _named(protocol):
    package, module, name = REQUESTS[protocol]
    kind = getattr(importlib.import_module(f"{package}.{module}"), name)
    return {key for one in typing.get_args(kind) for key in typing_extensions.get_type_hints(one)}


def unheard(protocol, document):
    """Members at the top of a request that its own protocol does not name: another host's, which its caller knows."""
    return {key for key in document if key not in _named(protocol)}


def request(protocol, document, own=True):
    """What is wrong with a request by its published type; none when nothing is. A host that is not the protocol's own takes more."""
    document = {key: value for key, value in document.items() if key not in OLDER.get(protocol, ())}
    document = _without(document, () if own else HOSTS_ADD)
    if protocol == "gemini.generate":
        return _gemini(document)
    try:
        _request(protocol).validate_python(document)
    except pydantic.ValidationError as error:
        return _lines(error, document)
    return None


def whole(protocol, document):
    """What is wrong with a whole answer."""
    return _validate(_answer("whole", protocol), document)


def event(protocol, document):
    """What is wrong with one event of a stream."""
    return _validate(_answer("event", protocol), document)


def _validate(adapter, document):
    try:
        adapter.validate_python(document, strict=False)
    except pydantic.ValidationError as error:
        return _lines(error, document)
    return None
