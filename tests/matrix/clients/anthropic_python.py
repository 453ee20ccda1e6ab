"""The official Anthropic SDK for Python."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import anthropic

from cell import CITY, DESCRIPTION, HELLO, SCHEMA, TOOL_ANSWER, WEATHER, Client, equal, raises

client = Client("anthropic-python", "anthropic (Python)", "anthropic")
TOOLS = [{"name": "get_weather", "description": DESCRIPTION, "input_schema": SCHEMA}]


def sdk(on, key=None):
    return anthropic.Anthropic(base_url=on.base, api_key=key or on.key, max_retries=0, timeout=30)


def say(text):
    return [{"role": "user", "content": text}]


def send(on, text=HELLO, key=None, model=None, **options):
    return sdk(on, key).messages.create(**{"model": model or on.model, "messages": say(text), "max_tokens": 64, **options})


def follow(on, text=HELLO, model=None, **options):
    """The text as it came, and the final message."""
    with sdk(on).messages.stream(model=model or on.model, messages=say(text), **{"max_tokens": 64, **options}) as events:
        text = "".join(events.text_stream)
        return text, events.get_final_message()


def the_call(answer):
    return next(block for block in answer.content if block.type == "tool_use")


@client.cell("messages")
def create(on):
    answer = send(on)
    equal((answer.type, answer.role, answer.content[0].type), ("message", "assistant", "text"))
    on.said(answer.content[0].text)
    on.ended(answer.stop_reason, "end_turn", *(["max_tokens"] if on.upstream == "llama.cpp" else []))
    on.counted(answer.usage.input_tokens, answer.usage.output_tokens)


@client.cell("messages")
def stream(on):
    text, final = follow(on)
    on.said(text)
    equal(final.content[0].text, text)
    on.ended(final.stop_reason, "end_turn", "max_tokens")
    on.counted(final.usage.input_tokens, final.usage.output_tokens)


@client.cell("messages")
def tools(on):
    answer = send(on, WEATHER, tools=TOOLS, tool_choice={"type": "any"}, max_tokens=200)
    on.called(the_call(answer).name, the_call(answer).input)
    on.ended(answer.stop_reason, "tool_use")


@client.cell("messages")
def tools_stream(on):
    _, final = follow(on, WEATHER, tools=TOOLS, tool_choice={"type": "any"}, max_tokens=200)
    on.called(the_call(final).name, the_call(final).input)
    on.ended(final.stop_reason, "tool_use")


@client.cell("messages")
def tool_result(on):
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": TOOL_ANSWER}
    history = [*say(WEATHER), {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    answer = send(on, messages=history, tools=TOOLS)
    on.said(answer.content[0].text, after_tool=True)


@client.cell("messages")
def structured(on):
    answer = send(on, CITY, output_config={"format": {"type": "json_schema", "schema": SCHEMA}}, max_tokens=500)
    on.city(answer.content[0].text)


@client.cell("messages")
def count_tokens(on):
    def count(text, **options):
        return sdk(on).messages.count_tokens(model=on.model, messages=say(text), **options).input_tokens

    few, many = count(HELLO), count(HELLO * 50)
    assert 0 < few < many < 50 * 50, (few, many)
    assert count(HELLO, system="Be kind.") > few


@client.cell("messages", ["sandbox"])
def models(on):
    names = [model.id for model in sdk(on).models.list()]
    assert {"sandbox", "limited"} <= set(names), names
    equal(sdk(on).models.retrieve("sandbox").id, "sandbox")
    raises(anthropic.NotFoundError, lambda: sdk(on).models.retrieve("nonesuch"), status_code=404)


@client.cell("messages")
def errors(on):
    model, prompt, status = on.refused
    kind, word = (anthropic.RateLimitError, "rate_limit_error") if status == 429 else (anthropic.BadRequestError, None)
    refused = raises(kind, lambda: send(on, prompt, model=model), status_code=status)
    on.explained(refused)
    raises(kind, lambda: follow(on, prompt, model=model), status_code=status)
    equal(refused.body["type"], "error")
    equal(refused.body["error"]["type"], word or refused.body["error"]["type"])
    if on.upstream == "sandbox":
        wrong = raises(anthropic.AuthenticationError, lambda: send(on, key="lk_wrong"), status_code=401)
        equal((wrong.body["type"], wrong.body["error"]["type"]), ("error", "authentication_error"))
        raises(anthropic.NotFoundError, lambda: send(on, model="nonesuch"), status_code=404)
        raises(anthropic.BadRequestError, lambda: send(on, model="sandbox/sandbox-e400"), status_code=400)
        raises(anthropic.InternalServerError, lambda: send(on, model="sandbox/sandbox-e500"), status_code=500)
        overloaded = raises(getattr(anthropic, "OverloadedError", anthropic.InternalServerError), lambda: send(on, model="sandbox/sandbox-e529"), status_code=529)
        equal(overloaded.body["error"]["type"], "overloaded_error")


@client.cell("messages", ["sandbox"])
def stream_error(on):
    try:
        follow(on, model="sandbox/sandbox-errevent3")
        raise AssertionError("the stream's error was not raised")
    except anthropic.APIStatusError as error:
        equal(error.body["error"]["type"], "overloaded_error")


client.run()
