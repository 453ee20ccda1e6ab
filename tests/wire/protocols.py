"""The wire protocols as the checker needs them: one row each. What is said here is said of the protocol, not of Lintel."""

import re
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

USAGE_ASKED = {"include_usage": True}
HELLO = [{"role": "user", "content": "hi"}]


class Protocol(NamedTuple):
    """How one operation is called."""

    # Where a client sends it, and where a provider gets it. With {model}, the model stands there and not in the body.
    path: str
    # Lintel's name for what the provider speaks, and where that provider's API begins.
    family: str
    base: str
    # The header that holds a caller's key.
    auth: str
    # A request for recordings that have none.
    request: dict
    # Streams report their usage only when `stream_options` asks for it.
    asks: bool = False
    # What programs read in an error.
    facts: tuple = ("type", "code", "param")

    def in_path(self):
        return "{model}" in self.path

    def sent_to(self, model):
        """The path and query of a call of `model`."""
        return self.path.replace("{model}", quote(model, safe="/:@"))

    def reaches(self, target, model):
        """Whether a provider that was asked for `target` was asked for this operation of `model`, with its query."""
        wanted, got = urlsplit(self.path), urlsplit(target)
        same_query = set(filter(None, wanted.query.split("&"))) <= set(got.query.split("&"))
        return unquote(got.path) == wanted.path.replace("{model}", model) and same_query


def openai(path, request, asks=False):
    return Protocol(path, "openai", "/v1", "authorization", request, asks)


def anthropic(path, request):
    return Protocol(path, "anthropic", "", "x-api-key", request)


def gemini(path):
    request = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    return Protocol(path, "gemini", "/v1beta", "x-goog-api-key", request, facts=("code", "status"))


def bedrock(path):
    request = {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}
    return Protocol(path, "bedrock", "", "authorization", request, facts=())


PROTOCOLS = {
    "openai.chat": openai("/v1/chat/completions", {"messages": HELLO}, asks=True),
    "openai.completions": openai("/v1/completions", {"prompt": "hi"}, asks=True),
    "openai.embeddings": openai("/v1/embeddings", {"input": "hi"}),
    "openai.responses": openai("/v1/responses", {"input": "hi"}),
    "anthropic.messages": anthropic("/v1/messages", {"messages": HELLO, "max_tokens": 1024}),
    "anthropic.count_tokens": anthropic("/v1/messages/count_tokens?beta=true", {"messages": HELLO}),
    "gemini.generate": gemini("/v1beta/models/{model}:generateContent"),
    "gemini.stream": gemini("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
    "bedrock.converse": bedrock("/model/{model}/converse"),
    "bedrock.converse_stream": bedrock("/model/{model}/converse-stream"),
}

# What is checked when nothing else is asked for: the surfaces that Lintel serves.
SERVED = tuple(PROTOCOLS)


def name_of(recording):
    """The protocol's name. Recordings of rare operations are filed together and told apart by their path."""
    if recording["protocol"] == "openai.other" and recording["path"].split("?")[0].endswith("/v1/completions"):
        return "openai.completions"
    return recording["protocol"]


def model_of(recording):
    """The model that a recording's path names."""
    found = re.search(r"/models?/([^/:?]+)(?:[:/?]|$)", recording["path"] or "")
    return unquote(found[1]) if found else f"replay:{recording['id']}"


def of_path(target):
    """The protocol whose operation a provider was asked for by its path alone; None where no path tells."""
    got = urlsplit(target).path
    tails = {name: urlsplit(row.path).path.removeprefix("/v1") for name, row in PROTOCOLS.items() if not row.in_path()}
    # The older completions' path is the tail of the newer one's: the longest that fits is the one.
    return max((name for name, tail in tails.items() if got.endswith(tail)), key=lambda name: len(tails[name]), default=None)
