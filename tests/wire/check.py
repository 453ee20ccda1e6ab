#!/usr/bin/env python3
"""Recorded calls through Lintel: what the provider gets, what the client gets, what the ledger says.

    check.py CORPUS... --binary target/release/lintel      the corpus: files or folders of .jsonl, .jsonl.gz
    check.py CORPUS... --self-test                         straight to the replay server: must be perfect

Every recorded request of `openai.chat`, `anthropic.messages` and Bedrock's Converse is sent as model `{host}/{model}` to a
gateway whose providers are all a replay server; recordings without a request are named by the model. Per
call: the provider got the very bytes, but for the model and an inserted `stream_options.include_usage`; a
2xx answer came back byte for byte; an error kept status, type, code and param; the ledger has the recorded
usage. Answers are cut whole, by event, into single bytes and into sevens; requests are written in several
styles. Ends with `N passed, N failed`; a check is one call in one cut and style.
"""

import argparse
import collections
import concurrent.futures
import http.client
import json
import os
import sys
import threading
from urllib.parse import quote, urlsplit

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import corpus
from harness import Failed, Lintel
from replay import Replay, response_bytes

PATHS = {
    "openai.chat": "/v1/chat/completions",
    "anthropic.messages": "/v1/messages",
    "bedrock.converse": "/model/{model}/converse",
    "bedrock.converse_stream": "/model/{model}/converse-stream",
}
# (cut of the answer, style of the request)
COMBINATIONS = [(cut, "recorded") for cut in ("whole", "event", "1", "7")] + [("event", style) for style in corpus.STYLES[1:]]
SECONDS = 30
SHOWN = 40
USAGE_ASKED = {"include_usage": True}
PROVIDER_KEY = "provider-secret"


class Call:
    """One recording, in one cut and style."""

    def __init__(self, recording, cut, style):
        self.recording, self.cut, self.style = recording, cut, style
        self.key = f"replay:{recording['id']}:{cut}:{style}"
        self.host = provider(recording)
        self.expected = corpus.restyle(recording["request_text"] or synthetic(recording), style)
        self.in_path = "{model}" in PATHS[recording["protocol"]]
        self.model = recording["model"] if self.in_path else json.loads(self.expected)["model"]
        self.problems = []
        self.exchange = None

    def path(self, model):
        return PATHS[self.recording["protocol"]].replace("{model}", quote(model, safe=""))

    def body(self, model):
        return (self.expected if self.in_path else corpus.with_model(self.expected, model)).encode()

    def fails(self, what):
        self.problems.append(what)

    def __str__(self):
        return f"{self.recording['id']} {self.recording['protocol']} {self.host} cut={self.cut} style={self.style}"


def synthetic(recording):
    """A request for a recording that has none. Usage is asked for: then no chunk of the recording is Lintel's."""
    if recording["protocol"].startswith("bedrock."):
        return json.dumps({"messages": [{"role": "user", "content": [{"text": "hi"}]}]})
    request = {"model": f"replay:{recording['id']}", "messages": [{"role": "user", "content": "hi"}]}
    if recording["protocol"] == "anthropic.messages":
        request["max_tokens"] = 1024
    if recording["stream"]:
        request["stream"] = True
        if recording["protocol"] == "openai.chat":
            request["stream_options"] = USAGE_ASKED
    return json.dumps(request)


def provider(recording):
    """The provider's name: the host's, with a suffix for OpenAI-compatible ones that also speak Anthropic's protocol."""
    name, foreign = recording["host_kind"], recording["protocol"] == "anthropic.messages"
    return f"{name}-messages" if foreign and name != "anthropic" else name


def configuration(recordings, port):
    """Every host as a provider."""
    lines = ["durability: process", "prices: { unknown_model: allow_unpriced }", "log: { calls: off }", "providers:"]
    for name, protocol in sorted({(provider(r), r["protocol"].split(".")[0]) for r in recordings}):
        path = "/v1" if protocol == "openai" else ""
        lines.append(f"  {name}: {{ protocol: {protocol}, base_url: \"http://127.0.0.1:{port}{path}\", api_key: \"${{REPLAY_KEY}}\" }}")
    return "\n".join(lines) + "\n"


class Client:
    """Keep-alive connections, one a thread."""

    def __init__(self, base, key, prefix):
        self.address, self.key, self.prefix = urlsplit(base), key, prefix
        self.local = threading.local()

    def send(self, call):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=SECONDS)
        model = f"{call.host}/{call.model}" if self.prefix else call.model
        headers = {"content-type": "application/json", "idempotency-key": call.key}
        if call.recording["protocol"] == "anthropic.messages":
            headers.update({"x-api-key": self.key, "anthropic-version": "2023-06-01"})
        else:
            headers["authorization"] = f"Bearer {self.key}"
        try:
            connection.request("POST", call.path(model), call.body(model), headers)
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise


def check_request(call, received, lintel):
    """What the provider got."""
    if not received:
        return call.fails("the provider got no request")
    if len(received) > 1 and call.recording["status"] not in (408, 409, 429) and call.recording["status"] < 500:
        call.fails(f"the provider got {len(received)} requests")
    path, headers, body = received[-1]
    if not path.split("?")[0].endswith(call.path(call.model).removeprefix("/v1")):
        call.fails(f"the provider got it at {path}")
    if lintel and any("lk_" in value for value in headers.values()):
        call.fails("the provider got the caller's key")
    if lintel and PROVIDER_KEY not in (headers.get("authorization", "") + headers.get("x-api-key", "")):
        call.fails("the provider did not get its credential")
    sent = call.expected.encode()
    if body == sent:
        return None
    wanted, got = json.loads(sent), json.loads(body)
    options = {**(wanted.get("stream_options") or {}), **USAGE_ASKED}
    may_ask = call.recording["protocol"] == "openai.chat" and wanted.get("stream") is True
    if not (may_ask and got == {**wanted, "stream_options": options} and is_insertion(sent, body)):
        call.fails(f"the provider got other bytes: {difference(sent, body)}")


def is_insertion(sent, got):
    """Whether `got` is `sent` with bytes put in at one place."""
    same_start = len(os.path.commonprefix([sent, got]))
    same_end = len(os.path.commonprefix([sent[::-1], got[::-1]]))
    return same_start + same_end >= len(sent)


def difference(wanted, got):
    at = len(os.path.commonprefix([wanted, got]))
    return f"at byte {at} of {len(wanted)}: {wanted[at - 20 : at + 60]!r} became {got[at - 20 : at + 60]!r} ({len(got)} bytes)"


def check_answer(call, status, headers, body):
    """What the client got."""
    recording = call.recording
    if status != recording["status"]:
        return call.fails(f"status {status} instead of {recording['status']}: {body[:300]!r}")
    if status < 300:
        wanted = response_bytes(recording)
        if body != wanted:
            call.fails(f"the client got other bytes: {difference(wanted, body)}")
        if headers.get("content-type") != recording["response_headers"].get("content-type"):
            call.fails(f"content-type {headers.get('content-type')}")
        return None
    wanted, got = error_facts(response_bytes(recording)), error_facts(body)
    if got is None:
        return call.fails(f"the error is none: {body[:300]!r}")
    for fact in ("type", "code", "param"):
        if wanted.get(fact) is not None and str(got.get(fact)) != str(wanted[fact]):
            call.fails(f"the error's {fact} is {got.get(fact)!r} instead of {wanted[fact]!r}")
    message = got.get("message")
    if not isinstance(message, str) or not message or "://" in message:
        call.fails(f"the error's message is {message!r}")
    if headers.get("x-lintel-error-origin") not in ("client", "provider"):
        call.fails(f"x-lintel-error-origin is {headers.get('x-lintel-error-origin')}")


def error_facts(body):
    """The error's object; in Bedrock's dialect that is the whole body."""
    try:
        document = json.loads(body)
        error = document.get("error", document if "message" in document else None)
    except (ValueError, AttributeError):
        return None
    return error if isinstance(error, dict) else None


def check_ledger(call, record):
    """What the ledger says."""
    if record is None:
        return call.fails(f"no row of exchange {call.exchange}")
    record = record.get("record", record)
    attempts = record.get("attempts") or []
    if not attempts:
        return call.fails("the row has no attempt")
    wanted = corpus.used(call.recording)
    last = attempts[-1]
    got = {line["meter"]: line["quantity"] for line in last["lines"]}
    if wanted is not None:
        if got != wanted:
            call.fails(f"the ledger says {got} instead of {wanted}")
        if last.get("estimated"):
            call.fails("the ledger calls reported usage estimated")
    elif call.recording["status"] < 400 and got and not last.get("estimated"):
        call.fails(f"usage that nobody reported is booked as reported: {got}")
    elif call.recording["status"] >= 400 and got:
        call.fails(f"a failed attempt is booked with {got}")


def run(calls, client, replay, lintel, jobs):
    def one(call):
        try:
            status, headers, body = client.send(call)
        except (OSError, http.client.HTTPException) as problem:
            return call.fails(f"no answer: {problem!r}")
        call.exchange = headers.get("x-request-id")
        check_answer(call, status, headers, body) if lintel else check_direct(call, status, body)
        check_request(call, replay.received.pop(call.key, []), lintel)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, calls))
        if lintel:
            asked = [call for call in calls if call.exchange]
            for call, record in zip(asked, pool.map(lambda call: lintel.exchange(call.exchange), asked)):
                check_ledger(call, record)
            for call in calls:
                if not call.exchange and not call.problems:
                    call.fails("the answer has no x-request-id")


def check_direct(call, status, body):
    if (status, body) != (call.recording["status"], response_bytes(call.recording)):
        call.fails("the replay server did not send what was recorded")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("corpus", nargs="+")
    arguments.add_argument("--binary")
    arguments.add_argument("--self-test", action="store_true")
    arguments.add_argument("--jobs", type=int, default=4)
    arguments.add_argument("--only", help="recordings whose id begins like this")
    given = arguments.parse_args()
    recordings = [r for r in corpus.read(given.corpus, PATHS) if r["id"].startswith(given.only or "")]
    if not recordings or not (given.binary or given.self_test):
        arguments.error(f"nothing to check: name recordings of {', '.join(PATHS)}, and a binary")

    calls = [Call(recording, cut, style) for cut, style in COMBINATIONS for recording in recordings]
    replay = Replay(recordings).start()
    if given.self_test:
        run(calls, Client(f"http://127.0.0.1:{replay.port}", "self-test", prefix=False), replay, None, given.jobs)
    else:
        with Lintel(given.binary, configuration(recordings, replay.port), {"REPLAY_KEY": PROVIDER_KEY}) as lintel:
            run(calls, Client(lintel.url, lintel.key("--direct"), prefix=True), replay, lintel, given.jobs)
    return report(calls, recordings)


def report(calls, recordings):
    bad = [call for call in calls if call.problems]
    for call in bad[:SHOWN]:
        print(f"FAIL {call}: " + "; ".join(call.problems))
    if len(bad) > SHOWN:
        print(f"… and {len(bad) - SHOWN} more, of the recordings " + " ".join(sorted({call.recording["id"] for call in bad[SHOWN:]})))
    kinds = collections.Counter(recording["protocol"] for recording in recordings)
    print(f"{len(recordings)} recordings (" + ", ".join(f"{count} {kind}" for kind, count in kinds.items()) + f") in {len(COMBINATIONS)} cuts and styles")
    print(f"{len(calls) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as problem:
        print(problem)
        print("0 passed, 1 failed")
        sys.exit(1)
