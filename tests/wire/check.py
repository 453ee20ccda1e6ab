#!/usr/bin/env python3
"""Recorded calls through Lintel: what the provider gets, what the client gets, what the ledger says.

    check.py CORPUS... --binary target/release/lintel      the corpus: files or folders of .jsonl, .jsonl.gz
    check.py CORPUS... --binary … --mutate SEED             the same with things in them that nobody knows: bytes must still pass
    check.py CORPUS... --self-test                         straight to the replay server: must be perfect

Every recorded request of a protocol that Lintel serves (`protocols.py`; `--protocols` names others) is sent as
model `{host}/{model}` to a gateway whose providers are all a replay server; recordings without a request are
named by the model, and recordings of anything but a call (`GET`) are skipped and counted. Per
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
from urllib.parse import urlsplit

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import corpus
import mutate
from harness import Lintel, finish
from protocols import PROTOCOLS, SERVED, USAGE_ASKED, model_of
from replay import Replay, response_bytes

# (cut of the answer, style of the request)
COMBINATIONS = [(cut, "recorded") for cut in ("whole", "event", "1", "7")] + [("event", style) for style in corpus.STYLES[1:]]
SECONDS = 30
SHOWN = 40
PROVIDER_KEY = "provider-secret"


class Call:
    """One recording, in one cut and style."""

    def __init__(self, recording, cut, style):
        self.recording, self.cut, self.style = recording, cut, style
        self.protocol = PROTOCOLS[recording["protocol"]]
        self.key = f"replay:{recording['id']}:{cut}:{style}"
        self.host = provider(recording)
        self.expected = corpus.restyle(recording["request_text"] or synthetic(recording), style)
        self.model = model_of(recording) if self.protocol.in_path() else json.loads(self.expected)["model"]
        self.problems = []
        self.exchange = None

    def fails(self, what):
        self.problems.append(what)

    def __str__(self):
        return f"{self.recording['id']} {self.recording['protocol']} {self.host} cut={self.cut} style={self.style}"


def synthetic(recording):
    """A request for a recording that has none. Usage is asked for: then no chunk of the recording is Lintel's."""
    protocol = PROTOCOLS[recording["protocol"]]
    if protocol.in_path():
        return json.dumps(protocol.request)
    request = {"model": f"replay:{recording['id']}", **protocol.request}
    if recording["stream"]:
        request["stream"] = True
        if protocol.asks:
            request["stream_options"] = USAGE_ASKED
    return json.dumps(request)


def provider(recording):
    """The provider's name: the host's, with a suffix where it is called in another protocol than OpenAI's or its own."""
    name, family = recording["host_kind"], PROTOCOLS[recording["protocol"]].family
    return name if family == "openai" or name == family == "anthropic" else f"{name}-{family}"


def configuration(recordings, port):
    """Every host as a provider."""
    lines = ["durability: process", "prices: { unknown_model: allow_unpriced }", "log: { calls: off }", "providers:"]
    for name, family, base in sorted({(provider(r), PROTOCOLS[r["protocol"]].family, PROTOCOLS[r["protocol"]].base) for r in recordings}):
        lines.append(f"  {name}: {{ protocol: {family}, base_url: \"http://127.0.0.1:{port}{base}\", api_key: \"${{REPLAY_KEY}}\", objects: shared }}")
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
        auth, in_path = call.protocol.auth, call.protocol.in_path()
        headers = {"content-type": "application/json", "idempotency-key": call.key}
        headers[auth] = f"Bearer {self.key}" if auth == "authorization" else self.key
        if call.protocol.family == "anthropic":
            headers["anthropic-version"] = "2023-06-01"
        body = call.expected if in_path else corpus.with_model(call.expected, model)
        try:
            connection.request("POST", call.protocol.sent_to(model), body.encode(), headers)
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
    if not call.protocol.reaches(path, call.model):
        call.fails(f"the provider got it at {path}")
    if lintel and any("lk_" in value for value in headers.values()):
        call.fails("the provider got the caller's key")
    if lintel and not any(PROVIDER_KEY in headers.get(name, "") for name in ("authorization", "x-api-key", "x-goog-api-key", "api-key")):
        call.fails("the provider did not get its credential")
    sent = call.expected.encode()
    if body == sent:
        return None
    wanted, got = json.loads(sent), json.loads(body)
    options = {**(wanted.get("stream_options") or {}), **USAGE_ASKED}
    may_ask = call.protocol.asks and wanted.get("stream") is True
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
    wanted, got = error_facts(response_bytes(recording)) or {}, error_facts(body)
    if got is None:
        return call.fails(f"the error is none: {body[:300]!r}")
    for fact in call.protocol.facts:
        if wanted.get(fact) is not None and str(got.get(fact)) != str(wanted[fact]):
            call.fails(f"the error's {fact} is {got.get(fact)!r} instead of {wanted[fact]!r}")
    message = got.get("message")
    if not isinstance(message, str) or not message or "://" in message:
        call.fails(f"the error's message is {message!r}")
    if headers.get("x-lintel-error-origin") not in ("client", "provider"):
        call.fails(f"x-lintel-error-origin is {headers.get('x-lintel-error-origin')}")


def error_facts(body):
    """The error's object: inside the body, or the body itself where that has the message."""
    try:
        document = json.loads(body)
    except ValueError:
        return None
    error = document.get("error", document) if isinstance(document, dict) else None
    return error if isinstance(error, dict) and "message" in error else None


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
    arguments.add_argument("--mutate", metavar="SEED", help="put unknown things into requests and answers first")
    arguments.add_argument("--only", help="recordings whose id begins like this")
    arguments.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=SERVED, metavar="NAME", help="of: " + ", ".join(PROTOCOLS))
    given = arguments.parse_args()
    found = [r for r in corpus.read(given.corpus, given.protocols) if r["id"].startswith(given.only or "")]
    recordings = [r for r in found if r["method"] == "POST"]
    if given.mutate:
        recordings = [mutate.mutated(r, given.mutate) for r in recordings]
    if not recordings or not (given.binary or given.self_test):
        arguments.error("nothing to check: name recordings of " + ", ".join(given.protocols) + ", and a binary")

    calls = [Call(recording, cut, style) for cut, style in COMBINATIONS for recording in recordings]
    replay = Replay(recordings).start()
    if given.self_test:
        run(calls, Client(f"http://127.0.0.1:{replay.port}", "self-test", prefix=False), replay, None, given.jobs)
    else:
        with Lintel(given.binary, configuration(recordings, replay.port), {"REPLAY_KEY": PROVIDER_KEY}) as lintel:
            run(calls, Client(lintel.url, lintel.key("--direct"), prefix=True), replay, lintel, given.jobs)
    return report(calls, recordings, len(found) - len(recordings))


def report(calls, recordings, skipped):
    bad = [call for call in calls if call.problems]
    for call in bad[:SHOWN]:
        print(f"FAIL {call}: " + "; ".join(call.problems))
    if len(bad) > SHOWN:
        print(f"… and {len(bad) - SHOWN} more, of the recordings " + " ".join(sorted({call.recording["id"] for call in bad[SHOWN:]})))
    kinds = collections.Counter(recording["protocol"] for recording in recordings)
    print(f"{len(recordings)} recordings (" + ", ".join(f"{count} {kind}" for kind, count in kinds.items()) + f") in {len(COMBINATIONS)} cuts and styles")
    if skipped:
        print(f"{skipped} recordings skipped: they are no calls")
    print(f"{len(calls) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    finish(main)
