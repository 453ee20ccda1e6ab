#!/usr/bin/env python3
"""Recorded calls through Lintel to targets of another protocol, judged by the official SDKs.

    cross.py CORPUS... --binary target/release/lintel      the corpus: files or folders of .jsonl, .jsonl.gz

Gemini is a target only. Every recorded request that its provider understood goes to a target of each other protocol, as it is and with its streaming the other way:
to a replay server that answers with recordings of the target's protocol, a different one each time, and to the
sandbox. Per call: the target got a request that is valid by the published types and rules (`published.py`,
`rules.py`); what it lacks is named (`lost.py`); the client's answer is what the SDK's types promise, and the SDK
reads in it the recorded text, calls, stop reason and usage (`said.py`, `sdk.py`). A call that can't be carried is
listed in `uncarried.json` with its reason; one listed that is carried fails. Ends with `N passed, N failed`.
"""

import argparse
import collections
import concurrent.futures
import http.client
import json
import os
import sys
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import corpus
import lost
import mutate
import published
import rules
import said
import sdk
from check import SHOWN, Client
from harness import Failed, Lintel
from protocols import PROTOCOLS
from replay import Replay, response_bytes

DIALECTS = tuple(name for name in ("openai.chat", "openai.responses", "anthropic.messages"))
# Where a request goes, by the protocol that the target speaks: models of several generations, which take different things.
MODELS = {
    "openai.chat": ("gpt-5.1", "gpt-4o"),
    "gemini.generate": ("gemini-2.5-flash", "gemini-3-pro-preview"),
    "anthropic.messages": ("claude-sonnet-4-5", "claude-opus-4-8", "claude-3-5-haiku-latest", "claude-sonnet-4-6", "claude-3-7-sonnet-latest", "claude-opus-5"),
}
PAIRS = (
    ("openai.chat", "anthropic.messages"),
    ("anthropic.messages", "openai.chat"),
    ("openai.responses", "anthropic.messages"),
    ("openai.responses", "openai.chat"),
    ("openai.chat", "gemini.generate"),
    ("anthropic.messages", "gemini.generate"),
    ("openai.responses", "gemini.generate"),
)
# What the sandbox can be told to speak.
SIMULATED = ("openai", "anthropic")
UNCARRIED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "uncarried.json")
PROVIDER_KEY = "provider-secret"


# Hosts that Lintel knows by a row: an answer is given by the host that gave it.
HOSTS = {
    "openai.chat": ("openai", "gemini", "groq", "mistral", "deepseek", "xai", "openrouter", "perplexity", "cerebras", "moonshotai", "alibaba", "zai"),
    "anthropic.messages": ("anthropic",),
    "gemini.generate": ("google",),
}


# Hosts without the Responses API, and one that stands for OpenAI there: with it nothing would be translated.
WITHOUT_RESPONSES = ("gemini", "mistral", "perplexity", "cerebras", "moonshotai", "alibaba", "zai")
LIKE_OPENAI = "together"


def host_of(answer, source):
    """The host that answers; a host without a row is any host."""
    kind = "google" if answer["protocol"].startswith("gemini") else answer["host_kind"]
    if source == "openai.responses" and kind == "openai":
        return LIKE_OPENAI
    return kind if kind in HOSTS[answer["protocol"].replace("gemini.stream", "gemini.generate")] else "generic"


def may_answer(answer, source, target):
    """Whether the answer's host would be asked by translation."""
    return (source, target) != ("openai.responses", "openai.chat") or answer["host_kind"] in ("openai", *WITHOUT_RESPONSES)


class Cross:
    """One recorded request on its way to one target."""

    def __init__(self, recording, target, stream, answer, number):
        self.recording, self.target, self.stream, self.answer = recording, target, stream, answer
        self.protocol = PROTOCOLS[recording["protocol"]]
        self.host = f"replay-{target.replace('.', '-')}-{host_of(answer, recording['protocol'])}" if answer else f"sandbox-{target.replace('.', '-')}"
        self.model = MODELS[target][number % len(MODELS[target])] if answer else "sandbox"
        self.client = json.loads(recording["request_text"])
        self.client.pop("stream", None)
        self.client.pop("stream_options", None)
        if stream:
            self.client["stream"] = True
            if self.protocol.asks:
                self.client["stream_options"] = {"include_usage": True}
        self.client["model"] = self.model
        # As SDKs write it, and as people do: what is carried as it was written then holds line ends.
        self.expected = json.dumps(self.client, ensure_ascii=False, indent=2 if number % 2 else None)
        self.key = f"replay:{answer['id'] if answer else 'none'}:event:{recording['id']}-{number}-{stream}"
        self.problems = []

    def fails(self, what):
        self.problems.append(what)

    def pair(self):
        return f"{self.recording['protocol']} → {self.target}"

    def __str__(self):
        how = "stream" if self.stream else "whole"
        answer = self.answer["id"] if self.answer else "the sandbox"
        return f"{self.recording['id']} {self.pair()} {self.model} {how}, answered by {answer}"


def configuration(calls, port):
    lines = ["durability: process", "prices: { unknown_model: allow_unpriced }", "log: { calls: off }", "providers:"]
    for target in MODELS:
        row, name = PROTOCOLS[target], target.replace(".", "-")
        for host in sorted({call.host for call in calls if call.answer and call.target == target}):
            known = f", host: {host.rsplit('-', 1)[-1]}" if host.rsplit("-", 1)[-1] in (*HOSTS[target], LIKE_OPENAI) else ""
            lines.append(f"  {host}: {{ protocol: {row.family}{known}, base_url: \"http://127.0.0.1:{port}{row.base}\", api_key: \"${{REPLAY_KEY}}\" }}")
        if row.family in SIMULATED:
            lines.append(f"  sandbox-{name}: {{ protocol: sandbox, sandbox: {{ speaks: {row.family} }} }}")
    return "\n".join(lines) + "\n"


def notes_of(headers, lintel):
    """What the answer names as dropped or emulated. Lists too long for a header are in the exchange's record."""
    named = []
    for header in ("x-lintel-dropped", "x-lintel-emulated"):
        named += [path.strip() for path in headers.get(header, "").split(",") if path.strip()]
    if "..." in named:
        record = lintel.exchange(headers["x-request-id"]) or {}
        record = record.get("record", record)
        named += record.get("dropped") or []
        named += record.get("emulated") or []
    return named


def check_request(call, received, notes):
    """What the target got."""
    if len(received) != 1:
        return call.fails(f"the target got {len(received)} requests")
    path, _, body = received[0]
    document = json.loads(body)
    operation = "gemini.stream" if call.target == "gemini.generate" and call.stream else call.target
    if not PROTOCOLS[operation].reaches(path, document.get("model", call.model)):
        return call.fails(f"the target got it at {path}")
    same_family = PROTOCOLS[call.target].family == call.protocol.family
    theirs = published.unheard(call.recording["protocol"], call.client) if same_family else ()
    judged = {key: value for key, value in document.items() if key not in theirs}
    if problem := published.request(call.target, judged, own=call.host.endswith(("-openai", "-anthropic"))):
        call.fails(f"invalid request: {problem}")
    else:
        for problem in rules.broken(call.target, document):
            call.fails(f"broken rule: {problem}")
    if "model" in document and bool(document.get("stream")) is not call.stream:
        call.fails("the target was asked for another kind of answer")
    for problem in lost.lost(call.recording["protocol"], call.client, call.target, document, notes):
        call.fails(problem)
    return document


def check_answer(call, body):
    """What the client got: valid, and what the SDK reads in it. Gives the SDK's reading."""
    protocol = call.recording["protocol"]
    if call.stream:
        for event in sdk.events(protocol, body):
            if problem := published.event(protocol, event):
                call.fails(f"invalid event: {problem}: {json.dumps(event)[:200]}")
                break
    elif problem := published.whole(protocol, json.loads(body)):
        call.fails(f"invalid answer: {problem}")
    try:
        return sdk.read(protocol, body, call.stream)
    except Exception as problem:  # whatever a strict client stumbles over
        call.fails(f"the SDK raises {problem!r}"[:300])
    return None


def compare(call, document, body):
    """The client's answer beside the recorded one."""
    recorded = response_bytes(call.answer)
    want = said.streamed(call.target, recorded) if call.stream else said.answer(call.target, json.loads(recorded))
    got = said.answer(call.recording["protocol"], document)
    # The SDKs don't put reasoning together.
    plain = said.streamed(call.recording["protocol"], body) if call.stream else said.answer(call.recording["protocol"], json.loads(body))
    if want.choices == 0:
        return
    for what in ("text", "calls"):
        if getattr(got, what) != getattr(want, what):
            call.fails(f"{what}: {str(getattr(got, what))[:160]!r} instead of {str(getattr(want, what))[:160]!r}")
    if plain._replace(reasoning="") != got._replace(reasoning=""):
        call.fails(f"the SDK reads {str(got)[:200]} in {str(plain)[:200]}")
    if plain.reasoning != want.reasoning:
        call.fails(f"reasoning: {plain.reasoning[:100]!r} instead of {want.reasoning[:100]!r}")
    if got.stop not in stops(want, call.recording["protocol"]):
        call.fails(f"stop: {got.stop} instead of {want.stop}")
    usage(call, document)


def stops(want, client):
    """The words that tell the recorded end."""
    if want.stop is None or want.stop in ("end", "tools"):
        return ("tools", "end") if want.calls else ("end",)
    if want.stop == "pause":
        return ("pause", "end")
    return (want.stop,) if want.stop in ("max", "filter") else ("end", "tools", want.stop)


def summed(meters):
    """Meters as far as every protocol can tell them apart."""
    if meters is None:
        return None
    add = lambda *names: sum(meters.get(name, 0) for name in names)
    return {
        "input": add("input", "input_audio", "input_image"),
        "cache_read": add("cache_read"),
        "cache_write": add("cache_write_5m", "cache_write_1h"),
        "output": add("output", "reasoning", "output_audio", "output_image"),
    }


def usage(call, document):
    want = summed(corpus.used(call.answer))
    if want is None:
        return
    given = {"protocol": call.recording["protocol"], "status": 200, "usage": document.get("usage"), "usage_start": None, "response_text": json.dumps(document), "stream": False}
    got = summed(corpus.used(given))
    if got != want:
        call.fails(f"usage: {got} instead of {want}")


def check_sandbox(call, document):
    """The sandbox answers a schema by the schema: also where it must come through a forced tool."""
    schema = (call.client.get("response_format") or (call.client.get("text") or {}).get("format") or (call.client.get("output_config") or {}).get("format") or {}).get("type")
    answer = said.answer(call.recording["protocol"], document)
    # After a tool's result the sandbox tells that result.
    if schema == "json_schema" and not answer.calls and answer.stop != "max" and not answer.text.startswith("Thetoolanswered"):
        try:
            json.loads(answer.text)
        except ValueError:
            call.fails(f"a schema was asked for, and the answer is {answer.text[:100]!r}")


def judge(call, client, replay, lintel, uncarried):
    try:
        status, headers, body = client.send(call)
    except (OSError, http.client.HTTPException) as problem:
        return call.fails(f"no answer: {problem!r}")
    received = replay.received.pop(call.key, [])
    reason = uncarried.get(call.pair(), {}).get(call.recording["id"])
    if status >= 400:
        if not (reason and 400 <= status < 500):
            call.fails(f"status {status}: {body[:300]!r}")
        return None
    if reason:
        return call.fails(f"it is carried, though uncarried.json says: {reason}")
    try:
        if call.answer:
            check_request(call, received, notes_of(headers, lintel))
        document = check_answer(call, body)
        if document is not None:
            compare(call, document, body) if call.answer else check_sandbox(call, document)
    except Exception as problem:  # a judge that stumbles has found something
        call.fails(f"the check stumbles: {problem!r} at line {problem.__traceback__.tb_lineno}")
    return None


def answered(target, stream):
    """The protocol of recorded answers to a target's call."""
    return "gemini.stream" if (target, stream) == ("gemini.generate", True) else target


def usable(recording):
    """Recorded answers that are one 2xx answer of their protocol, without an error inside."""
    if recording["status"] != 200 or "concatenated" in recording["flags"] or "error_in_200" in recording["flags"]:
        return False
    # Arguments that come in pieces have no counterpart in this reader.
    if recording["stream"]:
        return "partialArgs" not in (recording["response_text"] or "")
    try:
        document = json.loads(response_bytes(recording))
    except ValueError:
        return False
    return isinstance(document, dict) and bool(document.get("choices") or document.get("content") is not None or document.get("output") or document.get("candidates"))


def calls_of(recordings, pairs, only):
    """Every call that is made, and the answers that rotate: which one is chosen is fixed by the request's id."""
    answers = {(name, stream): [r for r in recordings if r["protocol"] == answered(name, stream) and bool(r["stream"]) is stream and usable(r)] for name in MODELS for stream in (False, True)}
    for source, target in pairs:
        asked = [r for r in recordings if r["protocol"] == source and (r["request_text"] or "").startswith("{") and r["status"] != 400]
        for number, recording in enumerate(asked):
            if not recording["id"].startswith(only or ""):
                continue
            for stream in (False, True):
                pool = [answer for answer in answers[target, stream] if may_answer(answer, source, target)]
                seed = zlib.crc32(f"{recording['id']} {target}".encode())
                yield Cross(recording, target, stream, pool[(number + seed) % len(pool)], number)
                if PROTOCOLS[target].family in SIMULATED:
                    yield Cross(recording, target, stream, None, number)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("corpus", nargs="+")
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--jobs", type=int, default=2)
    arguments.add_argument("--only", help="recordings whose id begins like this")
    arguments.add_argument("--pair", help="one pair, as in openai.chat:anthropic.messages")
    arguments.add_argument("--mutate", metavar="SEED", help="put unknown things into requests and answers first")
    arguments.add_argument("--all", action="store_true", help="show every failure")
    given = arguments.parse_args()
    pairs = [tuple(given.pair.split(":"))] if given.pair else PAIRS
    recordings = list(corpus.read(given.corpus, (*DIALECTS, "gemini.generate", "gemini.stream")))
    if given.mutate:
        recordings = [mutate.mutated(recording, given.mutate) for recording in recordings]
    calls = list(calls_of(recordings, pairs, given.only))
    if not calls:
        arguments.error("nothing to check: name recordings of " + ", ".join(DIALECTS))
    with open(UNCARRIED, encoding="utf-8") as file:
        uncarried = json.load(file)
    replay = Replay(recordings).start()
    with Lintel(given.binary, configuration(calls, replay.port), {"REPLAY_KEY": PROVIDER_KEY}) as lintel:
        client = Client(lintel.url, lintel.key("--direct"), prefix=True)
        with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
            list(pool.map(lambda call: judge(call, client, replay, lintel, uncarried), calls))
    return report(calls, given.all)


def report(calls, everything):
    bad = [call for call in calls if call.problems]
    shown = len(bad) if everything else SHOWN
    for call in bad[:shown]:
        print(f"FAIL {call}: " + "; ".join(call.problems[:6]))
    if len(bad) > shown:
        print(f"… and {len(bad) - shown} more, of the recordings " + " ".join(sorted({call.recording["id"] for call in bad[shown:]})))
    kinds = collections.Counter(call.pair() for call in calls)
    wrong = collections.Counter(call.pair() for call in bad)
    for pair, count in kinds.items():
        print(f"{pair}: {count - wrong[pair]} of {count}")
    print(f"{len(calls) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as problem:
        print(problem)
        print("0 passed, 1 failed")
        sys.exit(1)
