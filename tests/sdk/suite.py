#!/usr/bin/env python3
"""The official Python SDKs, unmodified, against a running Lintel.

Environment: LINTEL_BASE (http://127.0.0.1:8080), LINTEL_KEY (made with --direct), LINTEL_NARROW_KEY (may
name only the route `tiny`). Routes: `sandbox`; `tiny` and `tiny-messages`, a llama.cpp server spoken to in
each protocol.
"""

import json
import os

import anthropic
import openai

from cells import Cells

BASE, KEY, NARROW = os.environ["LINTEL_BASE"], os.environ["LINTEL_KEY"], os.environ["LINTEL_NARROW_KEY"]
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Paris", "Oslo"]}},
    "required": ["city"],
    "additionalProperties": False,
}
QUESTION = [{"role": "user", "content": "What is the weather? Please use get_weather."}]
OPENAI_TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "parameters": CITY}}]
ANTHROPIC_TOOLS = [{"name": "get_weather", "description": "Weather of a city", "input_schema": CITY}]


def chat(key=KEY):
    return openai.OpenAI(base_url=BASE + "/v1", api_key=key, max_retries=0, timeout=30)


def messages(key=KEY):
    return anthropic.Anthropic(base_url=BASE, api_key=key, max_retries=0, timeout=30)


def say(text):
    return [{"role": "user", "content": text}]


def equal(got, want):
    assert got == want, f"{got!r} is not {want!r}"


def raises(kind, call, status=None, code=None):
    """`call` raises exactly `kind`, with this HTTP status and this `code`. Returns what it raised."""
    try:
        result = call()
    except kind as error:
        assert type(error) is kind, f"raised {type(error).__name__}, a kind of {kind.__name__}"
        if status:
            equal(error.status_code, status)
        if code:
            equal(error.code if hasattr(error, "code") else error.body["error"]["code"], code)
        return error
    raise AssertionError(f"returned {result!r} instead of raising {kind.__name__}")


# OpenAI's SDK


def openai_chat(route):
    answer = chat().chat.completions.create(model=route, messages=say("hello"), max_tokens=16)
    equal(answer.object, "chat.completion")
    assert answer.choices[0].message.content, answer
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert answer.usage.completion_tokens <= 16
    if route == "sandbox":
        equal(answer.choices[0].message.content, "The sandbox heard: hello")


def openai_stream(route):
    with chat().chat.completions.create(model=route, messages=say("hello"), max_tokens=16, stream=True) as stream:
        chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text and chunks[-1].choices[0].finish_reason in ("stop", "length"), chunks[-1]
    assert all(chunk.usage is None for chunk in chunks), "usage came though nobody asked for it"
    assert len({chunk.id for chunk in chunks}) == 1


def openai_stream_usage(route):
    options = {"include_usage": True}
    with chat().chat.completions.create(model=route, messages=say("hello"), max_tokens=16, stream=True, stream_options=options) as stream:
        chunks = list(stream)
    equal(chunks[-1].choices, [])
    assert chunks[-1].usage.total_tokens == chunks[-1].usage.prompt_tokens + chunks[-1].usage.completion_tokens > 0


def openai_tools(route):
    client = chat()
    first = client.chat.completions.create(model=route, messages=QUESTION, tools=OPENAI_TOOLS, tool_choice="required", max_tokens=200)
    call = first.choices[0].message.tool_calls[0]
    equal((call.function.name, first.choices[0].finish_reason), ("get_weather", "tool_calls"))
    assert json.loads(call.function.arguments)["city"] in ("Paris", "Oslo")


def openai_tool_result(route):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}
    history = [*QUESTION, {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"}]
    answer = chat().chat.completions.create(model=route, messages=history, tools=OPENAI_TOOLS, max_tokens=16)
    assert answer.choices[0].message.content
    if route == "sandbox":
        equal(answer.choices[0].message.content, "The tool answered: 21 degrees")


def openai_tools_stream():
    with chat().chat.completions.stream(model="sandbox", messages=QUESTION, tools=OPENAI_TOOLS) as stream:
        for _ in stream:
            pass
        call = stream.get_final_completion().choices[0].message.tool_calls[0]
    equal(call.function.name, "get_weather")
    assert json.loads(call.function.arguments)["city"] in ("Paris", "Oslo")


def openai_json_schema(route):
    shape = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY, "strict": True}}
    answer = chat().chat.completions.create(model=route, messages=say("Name a city."), response_format=shape, max_tokens=500)
    assert json.loads(answer.choices[0].message.content)["city"] in ("Paris", "Oslo"), answer


def openai_n():
    answer = chat().chat.completions.create(model="sandbox", messages=say("hello"), n=3)
    equal([choice.index for choice in answer.choices], [0, 1, 2])


def openai_models():
    names = [model.id for model in chat().models.list()]
    assert {"sandbox", "tiny"} <= set(names), names
    equal(chat().models.retrieve("sandbox").id, "sandbox")
    equal([model.id for model in chat(NARROW).models.list()], ["tiny"])
    raises(openai.NotFoundError, lambda: chat().models.retrieve("nonesuch"), 404)


def openai_errors():
    ask = {"messages": say("hello")}
    raises(openai.AuthenticationError, lambda: chat("lk_wrong").chat.completions.create(model="sandbox", **ask), 401)
    raises(openai.NotFoundError, lambda: chat().chat.completions.create(model="nonesuch", **ask), 404)
    # A route that the key may not name and one that doesn't exist must look the same, or be refused.
    hidden = (openai.NotFoundError, openai.PermissionDeniedError)
    try:
        chat(NARROW).chat.completions.create(model="sandbox", **ask)
        raise AssertionError("a key used a route that it may not name")
    except hidden:
        pass


def openai_provider_errors():
    def failing(status, **options):
        return lambda: chat().chat.completions.create(model=f"sandbox/sandbox-e{status}", messages=say("hello"), **options)

    limited = raises(openai.RateLimitError, failing(429), 429, "rate_limit_exceeded")
    assert limited.response.headers.get("retry-after"), "429 without retry-after"
    raises(openai.BadRequestError, failing(400), 400, "invalid_value")
    raises(openai.InternalServerError, failing(500), 500)
    raises(openai.InternalServerError, failing(503), 503)
    # A provider that refuses Lintel's credential is no fault of the caller's key.
    raises(openai.InternalServerError, failing(401), 502)
    raises(openai.RateLimitError, failing(429, stream=True), 429)


def openai_bad_request():
    too_many = raises(openai.BadRequestError, lambda: chat().chat.completions.create(model="sandbox", messages=say("hello"), n=1000), 400)
    equal(too_many.param, "n")


def openai_stream_error():
    def read():
        with chat().chat.completions.create(model="sandbox/sandbox-errevent3", messages=say("hello"), stream=True) as stream:
            return list(stream)

    error = raises(openai.APIError, read)
    assert "server had an error" in error.message, error.message


def openai_upstream_refusal():
    refused = raises(openai.BadRequestError, lambda: chat().chat.completions.create(model="tiny", messages=say("a" * 20_000)), 400)
    equal(refused.type, "exceed_context_size_error")


def openai_async(route):
    import asyncio

    async def ask():
        async with openai.AsyncOpenAI(base_url=BASE + "/v1", api_key=KEY, max_retries=0, timeout=30) as client:
            tasks = [client.chat.completions.create(model=route, messages=say(f"hello {i}"), max_tokens=8) for i in range(8)]
            return await asyncio.gather(*tasks)

    assert all(answer.usage.completion_tokens for answer in asyncio.run(ask()))


# Anthropic's SDK


def anthropic_create(route):
    answer = messages().messages.create(model=route, max_tokens=16, messages=say("hello"))
    equal((answer.type, answer.role, answer.content[0].type), ("message", "assistant", "text"))
    assert answer.content[0].text and 0 < answer.usage.output_tokens <= 16
    if route == "sandbox":
        equal((answer.content[0].text, answer.stop_reason), ("The sandbox heard: hello", "end_turn"))


def anthropic_stream(route):
    with messages().messages.stream(model=route, max_tokens=16, messages=say("hello")) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    equal(final.content[0].text, text)
    assert text and final.usage.output_tokens and final.usage.input_tokens and final.stop_reason in ("end_turn", "max_tokens")


def anthropic_tools(route):
    answer = messages().messages.create(model=route, max_tokens=200, messages=QUESTION, tools=ANTHROPIC_TOOLS, tool_choice={"type": "any"})
    call = next(block for block in answer.content if block.type == "tool_use")
    equal((call.name, answer.stop_reason), ("get_weather", "tool_use"))
    assert call.input["city"] in ("Paris", "Oslo")


def anthropic_tool_result(route):
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "21 degrees"}
    history = [*QUESTION, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    answer = messages().messages.create(model=route, max_tokens=16, messages=history, tools=ANTHROPIC_TOOLS)
    assert answer.content[0].text
    if route == "sandbox":
        equal(answer.content[0].text, "The tool answered: 21 degrees")


def anthropic_tools_stream():
    with messages().messages.stream(model="sandbox", max_tokens=200, messages=QUESTION, tools=ANTHROPIC_TOOLS) as stream:
        final = stream.get_final_message()
    assert final.content[0].input["city"] in ("Paris", "Oslo")
    equal(final.stop_reason, "tool_use")


def anthropic_json_schema(route):
    shape = {"format": {"type": "json_schema", "schema": CITY}}
    answer = messages().messages.create(model=route, max_tokens=500, messages=say("Name a city."), output_config=shape)
    assert json.loads(answer.content[0].text)["city"] in ("Paris", "Oslo"), answer


def anthropic_models():
    names = [model.id for model in messages().models.list()]
    assert {"sandbox", "tiny-messages"} <= set(names), names
    equal(messages().models.retrieve("sandbox").id, "sandbox")
    raises(anthropic.NotFoundError, lambda: messages().models.retrieve("nonesuch"), 404)


def anthropic_errors():
    def ask(model, key=KEY, **options):
        return lambda: messages(key).messages.create(model=model, max_tokens=16, messages=say("hello"), **options)

    wrong = raises(anthropic.AuthenticationError, ask("sandbox", "lk_wrong"), 401)
    equal(wrong.body["error"]["type"], "authentication_error")
    equal(wrong.body["type"], "error")
    raises(anthropic.NotFoundError, ask("nonesuch"), 404)
    limited = raises(anthropic.RateLimitError, ask("sandbox/sandbox-e429"), 429)
    equal(limited.body["error"]["type"], "rate_limit_error")
    raises(anthropic.BadRequestError, ask("sandbox/sandbox-e400"), 400)
    raises(anthropic.InternalServerError, ask("sandbox/sandbox-e500"), 500)
    overloaded = raises(anthropic.OverloadedError if hasattr(anthropic, "OverloadedError") else anthropic.InternalServerError, ask("sandbox/sandbox-e529"), 529)
    equal(overloaded.body["error"]["type"], "overloaded_error")


def anthropic_stream_error():
    def read():
        with messages().messages.stream(model="sandbox/sandbox-errevent3", max_tokens=16, messages=say("hello")) as stream:
            return list(stream)

    try:
        read()
        raise AssertionError("the stream's error was not raised")
    except anthropic.APIStatusError as error:
        equal(error.body["error"]["type"], "overloaded_error")


def main():
    cells = Cells("python")
    for route in ("sandbox", "tiny"):
        for case in (openai_chat, openai_stream, openai_stream_usage, openai_tools, openai_tool_result, openai_json_schema, openai_async):
            cells.run(f"{route}/{case.__name__.replace('_', '.', 1)}", lambda case=case, route=route: case(route))
        model = {"sandbox": "sandbox", "tiny": "tiny-messages"}[route]
        for case in (anthropic_create, anthropic_stream, anthropic_tools, anthropic_tool_result, anthropic_json_schema):
            cells.run(f"{route}/{case.__name__.replace('_', '.', 1)}", lambda case=case, model=model: case(model))
    for case in (openai_tools_stream, openai_n, openai_models, openai_errors, openai_provider_errors, openai_bad_request, openai_stream_error):
        cells.run(f"sandbox/{case.__name__.replace('_', '.', 1)}", case)
    for case in (anthropic_tools_stream, anthropic_models, anthropic_errors, anthropic_stream_error):
        cells.run(f"sandbox/{case.__name__.replace('_', '.', 1)}", case)
    cells.run("tiny/openai.upstream_refusal", openai_upstream_refusal)
    cells.finish()


if __name__ == "__main__":
    main()
