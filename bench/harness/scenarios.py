"""What is sent, how, and what must come back. One entry a scenario; everything else follows from it."""
import dataclasses
import json


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One scenario. `args` are the load client's; `seconds` replaces {secs}, shorter with --quick."""
    name: str
    says: str
    model: str
    body: str
    args: str
    seconds: int = 10
    expect: str = ""
    rounds: int = 99
    """At most so many rounds: a long one is not worth more."""
    fresh: bool = False
    """Start the subject anew before each measurement: memory is compared with an idle process."""
    latency: bool = False
    """The figure is added latency, not CPU."""
    path: str = "/v1/chat/completions"
    provider: str = "mock"
    """Which of lintel.yaml's providers is named."""
    tls: bool = False
    """TLS on both sides of whatever stands between load and mock, and between the two themselves in `direct`."""
    against: str = ""
    """A translated call: only Lintel answers it, and it is measured in the same rounds as this scenario."""


STREAM = "mock-d60-n20-i10"
PLAIN_BYTES = 1024
STREAM_EVENTS = 22  # twenty contents, the finish, [DONE]
TRANSLATED_EVENTS = 23  # as OpenAI begins: a chunk with the role alone
MESSAGES_EVENTS = 25  # twenty deltas, the start, the stop and what ends the message
STREAM_LOAD = "closed --connections 500 --secs {secs} --ramp 1 --skip 2 --stream"
HOLD_TARGET, HOLD_QUICK = 9900, 500

SCENARIOS = [
    Scenario("call1k", "1 KB in, 1 KB out, 64 connections, closed loop", "mock-d0-b1024", "small",
             "closed --connections 64 --secs {secs}", expect=f"--expect-bytes {PLAIN_BYTES}"),
    Scenario("tls1k", "the same with TLS 1.3 on both sides, connections kept", "mock-d0-b1024", "small",
             "closed --connections 64 --secs {secs}", expect=f"--expect-bytes {PLAIN_BYTES}", tls=True),
    Scenario("big200k", "200 KB in, 1 KB out, 16 connections, closed loop", "mock-d0-b1024", "big",
             "closed --connections 16 --secs {secs}", seconds=8, expect=f"--expect-bytes {PLAIN_BYTES}"),
    Scenario("stream500", "20 chunks 10 ms apart, 60 ms to the first, 500 at once", STREAM, "stream",
             STREAM_LOAD, expect=f"--expect-events {STREAM_EVENTS}"),
    Scenario("chat-to-messages", "the same stream, OpenAI's client and Anthropic's provider", STREAM, "stream",
             STREAM_LOAD, expect=f"--expect-events {TRANSLATED_EVENTS}", provider="mock-messages", against="stream500"),
    Scenario("messages-to-chat", "the same stream, Anthropic's client and OpenAI's provider", STREAM, "messages",
             STREAM_LOAD, expect=f"--expect-events {MESSAGES_EVENTS}", path="/v1/messages", against="stream500"),
    Scenario("rate200", "200 calls a second, 60 ms each; latency from the due time", "mock-d60-b1024", "small",
             "rate --rps 200 --secs {secs} --skip 1", expect=f"--expect-bytes {PLAIN_BYTES}", latency=True),
    Scenario("streamlow", "50 streams a second; first token from the due time", STREAM, "stream",
             "rate --rps 50 --secs {secs} --skip 1 --stream", expect=f"--expect-events {STREAM_EVENTS}", latency=True),
    Scenario("hold", "{hold} streams of 20 s at once, 1 s to the first token, opened over 10 s", "mock-d1000-n20-i1000", "stream",
             "once --connections {hold} --ramp 10 --timeout 120 --stream", seconds=30, expect=f"--expect-events {STREAM_EVENTS}",
             rounds=1, fresh=True, latency=True),
]
BY_NAME = {s.name: s for s in SCENARIOS}


def groups(names):
    """The named scenarios, each first of a list with those that are compared with it; what is missing for that is added."""
    firsts = dict.fromkeys(BY_NAME[name].against or name for name in names)
    return [[BY_NAME[first], *(s for s in SCENARIOS if s.against == first and s.name in names)] for first in firsts]


WORDS = "alpha bravo charlie delta echo foxtrot golf hotel india juliet".split()


def body(kind, model):
    """A request's bytes: `small` (1 KB), `stream` (the same, streamed), `messages` (that in Anthropic's words)
    or `big` (200 KB of text with escapes)."""
    sizes = {"small": 800, "stream": 800, "messages": 800, "big": 198_000}
    unit = 'The quick brown fox jumps over the lazy dog, "quoted", line\n' if kind == "big" else " ".join(WORDS) + " "
    text = (unit * (sizes[kind] // len(unit) + 1))[:sizes[kind]]
    system = "You are a helpful assistant."
    request = {"model": model, "messages": [{"role": "system", "content": system}, {"role": "user", "content": text}],
               "max_tokens": 256, "temperature": 0.7}
    if kind == "messages":
        request["system"] = request["messages"].pop(0)["content"]
    if kind in ("stream", "messages"):
        request["stream"] = True
    return json.dumps(request).encode()


def streams_to_hold(files, quick):
    """A gateway needs two sockets a stream, and some files for itself."""
    return HOLD_QUICK if quick else min(HOLD_TARGET, (files - 200) // 2)
