"""Recordings with things in them that nobody knows: what comes after the APIs of today must not break a call.

Deterministic: the same recording and seed give the same mutation. Requests and answers get members with unknown
names, at every level where members are data and not somebody's own words (schemas, arguments, labels), in another
order; streams get events of unknown types, whole answers unknown blocks; some answers end, and say their tier, by a
word that nobody knows. Usage is never touched, nor a stop that means something to a client's loop.
It must not know what is checked.
"""

import json
import random

from said import events

# What stands below these is the application's own: an unknown member would be another schema, another argument.
OWN = ("parameters", "input_schema", "schema", "input", "arguments", "metadata", "args", "logit_bias", "parametersJsonSchema", "usage", "tool_usage", "labels")
UNKNOWN = "x_unheard_of"
# Values of closed lists that may grow, in answers: the key, and what of it may be another word tomorrow.
WORDS = {"finish_reason": ("stop",), "stop_reason": ("end_turn",), "service_tier": ("default", "standard")}
WORD = "hologram"
EVENTS = {
    "openai.chat": {"object": "chat.completion.hologram", "choices": [], UNKNOWN: {"deep": [1, None, "é"]}},
    "openai.responses": {"type": "response.hologram.delta", "sequence_number": 0, UNKNOWN: {"deep": [1, None]}},
    "anthropic.messages": {"type": "hologram", UNKNOWN: {"deep": [1, None]}},
}


def chance(recording, seed):
    return random.Random(f"{recording['id']} {seed}")


def members(value, dice, depth=0):
    """The value with unknown members in objects and its keys in another order."""
    if isinstance(value, list):
        return [members(item, dice, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    pairs = [(key, inner if key in OWN else members(inner, dice, depth + 1)) for key, inner in value.items()]
    if dice.random() < 0.5:
        pairs.insert(dice.randrange(len(pairs) + 1), (f"{UNKNOWN}_{dice.randrange(9)}", dice.choice([None, False, 7, "new", {"a": [1]}, []])))
    if dice.random() < 0.5:
        dice.shuffle(pairs)
    return dict(pairs)


def words(value):
    """The value with words that nobody knows in closed lists."""
    if isinstance(value, list):
        return [words(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: WORD if inner in WORDS.get(key, ()) and isinstance(inner, str) else inner if key in OWN else words(inner) for key, inner in value.items()}


def strange(recording, seed):
    """Whether the recording's answer says unknown words: a third of them do."""
    return random.Random(f"{recording['id']} words {seed}").random() < 1 / 3


def request(recording, seed):
    """The recorded request as a newer client would write it; its model stays where it is read."""
    dice = chance(recording, seed)
    return json.dumps(members(json.loads(recording["request_text"]), dice), ensure_ascii=False)


def _block(document, protocol, dice):
    """An unknown block among the blocks of the answer."""
    if protocol == "anthropic.messages" and isinstance(document.get("content"), list):
        document["content"].insert(dice.randrange(len(document["content"]) + 1), {"type": "hologram", "data": {"x": 1}})
    if protocol == "openai.responses" and isinstance(document.get("output"), list):
        document["output"].insert(dice.randrange(len(document["output"]) + 1), {"type": "hologram", "id": "hg_1", "data": {"x": 1}})
    return document


def whole(recording, seed):
    """A whole answer with unknown members and blocks."""
    dice = chance(recording, seed)
    document = members(json.loads(recording["response_text"]), dice)
    if strange(recording, seed):
        document = words(document)
    return json.dumps(_block(document, recording["protocol"], dice), ensure_ascii=False)


def stream(recording, seed):
    """A stream with unknown members in its events and unknown events between them, framed as it was."""
    dice = chance(recording, seed)
    protocol, text = recording["protocol"], recording["response_text"]
    gap = "\r\n\r\n" if "\r\n\r\n" in text else "\n\n"
    out = []
    for block in text.split(gap):
        found = list(events((block + "\n\n").encode()))
        lines = block.split("\n")
        if len(found) == 1 and isinstance(found[0], dict) and sum(line.startswith("data:") for line in lines) == 1:
            event = members(found[0], dice)
            changed = json.dumps(words(event) if strange(recording, seed) else event, ensure_ascii=False)
            block = "\n".join("data: " + changed if line.startswith("data:") else line for line in lines)
        out.append(block)
        # Only between events, and not before the first: an answer's head comes first in every protocol.
        if found and block and dice.random() < 0.2 and not _ends(found[0]):
            name = EVENTS[protocol].get("type")
            data = "data: " + json.dumps(EVENTS[protocol], ensure_ascii=False)
            out.append(f"event: {name}\n{data}" if name and block.startswith("event:") else data)
    return gap.join(out)


def _ends(event):
    return event.get("type") in ("message_stop", "response.completed", "response.incomplete", "response.failed")


def mutated(recording, seed):
    """The recording, mutated; none of what is said and used has changed."""
    changed = dict(recording)
    if (recording["request_text"] or "").startswith("{"):
        changed["request_text"] = request(recording, seed)
    if recording["status"] < 300 and recording["protocol"] in EVENTS and not recording.get("response_b64"):
        try:
            changed["response_text"] = stream(recording, seed) if recording["stream"] else whole(recording, seed)
        except ValueError:
            pass
    return changed
