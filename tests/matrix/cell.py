"""What a client written in Python needs to have its cells run: one check each, named client/surface/operation/upstream.

Says what to ask and what must come back, for every upstream; knows no client. Cells are printed as JSON lines, which
run.py reads; a cell fails by raising.
"""

import json
import os
import time
import traceback
from importlib import metadata

# Everything that clients are told about where to go: {"key", "narrow_key", "upstreams": {name: {"base", "models": {protocol or surface: model}}}}.
CASE = json.loads(os.environ["MATRIX_CASE"])
PROTOCOLS = {"chat": "openai", "responses": "openai", "embeddings": "openai", "models": "openai", "messages": "anthropic", "gemini": "gemini", "converse": "bedrock"}

HELLO = "hello"
WEATHER = "What is the weather? Please use get_weather."
CITY = "Name a city."
TOOL_ANSWER = "21 degrees"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Paris", "Oslo"]}},
    "required": ["city"],
    "additionalProperties": False,
}
DESCRIPTION = "Weather of a city"
# What the upstreams say to HELLO; llama.cpp's model is random, so nothing but that it speaks can be known.
SAYS = {"sandbox": "The sandbox heard: hello", "aimock": "Hello from the mock, which speaks in several chunks."}
SAYS_AFTER_TOOL = {"sandbox": "The tool answered: 21 degrees", "aimock": "The tool answered: 21 degrees"}
# The usage that aimock's fixtures report for HELLO.
COUNTS = {"aimock": (11, 9)}


TRANSLATED = "-translated"
UPSTREAMS = ("sandbox", "aimock", "aimock-translated", "llama.cpp")


def target(upstream, surface):
    """The model to name; None if this surface has none at this upstream."""
    models = CASE["upstreams"].get(upstream, {"models": {}})["models"]
    return models.get(surface) or models.get(PROTOCOLS[surface])


def equal(got, want):
    assert got == want, f"{got!r} is not {want!r}"


def raises(kind, call, **facts):
    """`call` raises exactly `kind`, with these attributes. Returns what it raised."""
    try:
        result = call()
    except kind as error:
        assert type(error) is kind, f"raised {type(error).__name__}, a kind of {kind.__name__}"
        for name, want in facts.items():
            equal(getattr(error, name), want)
        return error
    raise AssertionError(f"returned {str(result)[:200]!r} instead of raising {kind.__name__}")


class On:
    """Where one cell runs, and what its upstream is known to answer."""

    def __init__(self, upstream, surface):
        place, model = CASE["upstreams"][upstream], target(upstream, surface)
        # Translated or not, an upstream answers the same.
        upstream = upstream.removesuffix(TRANSLATED)
        self.upstream, self.key, self.narrow_key = upstream, CASE["key"], CASE["narrow_key"]
        self.base = place.get("embedder", place["base"]) if surface == "embeddings" else place["base"]
        self.place, self.model, self.embedder = place, model, place["models"].get("embeddings")
        # A call that the upstream itself refuses: model, prompt, status; and what its message says.
        self.refused = {
            "sandbox": ("limited", HELLO, 429),
            "aimock": (self.model, "Please answer with status 429", 429),
            "llama.cpp": (self.model, "a" * 20_000, 400),
        }[upstream]
        self.reason = {"sandbox": "Rate limit", "aimock": "Rate limited", "llama.cpp": "context size"}[upstream]

    def explained(self, error):
        """An upstream's refusal that reached the client: its own message, not somebody else's of the same status."""
        assert self.reason in str(error), f"the message is {str(error)[:300]!r}"

    def said(self, text, after_tool=False):
        """What HELLO, or a tool's result, is answered with."""
        want = (SAYS_AFTER_TOOL if after_tool else SAYS).get(self.upstream)
        self.spoke(text)
        if want:
            equal(text, want)

    def spoke(self, text):
        """Any answer, where what was asked is not known to the letter."""
        assert isinstance(text, str) and text, f"said {text!r}"

    def counted(self, given, made):
        """The usage of an answer to HELLO."""
        assert given and made, f"usage is {given!r} and {made!r}"
        equal((given, made), COUNTS.get(self.upstream, (given, made)))

    def called(self, name, arguments):
        """A call of the tool get_weather, its arguments parsed or as JSON text."""
        equal(name, "get_weather")
        self.city(arguments)

    def city(self, value):
        """A value of SCHEMA, parsed or as JSON text."""
        value = json.loads(value) if isinstance(value, str) else value
        assert set(value) == {"city"} and value["city"] in ("Paris", "Oslo"), f"{value!r} does not fit the schema"

    def ended(self, reason, *wanted):
        assert reason in wanted, f"stopped for {reason!r}, not {wanted!r}"


class Client:
    """A client's cells, in the order in which they are written down."""

    def __init__(self, name, label, package=None, version=None):
        self.name, self.label, self.version, self.cells = name, label, version or metadata.version(package), []

    def cell(self, surface, upstreams=UPSTREAMS, operation=None):
        """Makes the function below it, which takes an `On`, a cell of each upstream."""

        def add(check):
            name = operation or check.__name__.removeprefix(surface + "_")
            self.cells.extend((surface, name, upstream, check) for upstream in upstreams)
            return check

        return add

    def run(self):
        for surface, operation, upstream, check in self.cells:
            if target(upstream, surface) is None:
                continue
            line = {"client": self.name, "label": self.label, "version": self.version, "surface": surface, "operation": operation, "upstream": upstream}
            began = time.monotonic()
            try:
                check(On(upstream, surface))
                line["ok"] = True
            except Exception as error:  # a cell fails by raising anything
                text = "".join(traceback.format_exception_only(type(error), error)).strip()
                frames = [f for f in traceback.extract_tb(error.__traceback__) if "clients" in f.filename]
                line |= {"ok": False, "why": f"{text[:600]} (line {frames[-1].lineno if frames else '?'})"}
            print(json.dumps(line | {"seconds": round(time.monotonic() - began, 2)}), flush=True)
