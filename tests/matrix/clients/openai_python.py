"""The official OpenAI SDK for Python: chat completions, responses, embeddings, models."""

import asyncio
import os
import sys
from enum import Enum

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import openai
from pydantic import BaseModel

from cell import CITY, DESCRIPTION, HELLO, SCHEMA, TOOL_ANSWER, WEATHER, Client, equal, raises

client = Client("openai-python", "openai (Python)", "openai")
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": DESCRIPTION, "parameters": SCHEMA}}]
RESPONSES_TOOLS = [{"type": "function", "name": "get_weather", "description": DESCRIPTION, "parameters": SCHEMA, "strict": True}]


class Name(str, Enum):
    paris = "Paris"
    oslo = "Oslo"


class City(BaseModel):
    city: Name


def sdk(on, key=None):
    return openai.OpenAI(base_url=on.base + "/v1", api_key=key or on.key, max_retries=0, timeout=30)


def say(text):
    return [{"role": "user", "content": text}]


def chat(on, text=HELLO, key=None, model=None, **options):
    return sdk(on, key).chat.completions.create(model=model or on.model, messages=say(text), **{"max_tokens": 64, **options})


def sums(usage):
    equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens)


@client.cell("chat")
def create(on):
    answer = chat(on)
    equal((answer.object, answer.choices[0].message.role), ("chat.completion", "assistant"))
    on.said(answer.choices[0].message.content)
    on.ended(answer.choices[0].finish_reason, "stop", *(["length"] if on.upstream == "llama.cpp" else []))
    on.counted(answer.usage.prompt_tokens, answer.usage.completion_tokens)
    sums(answer.usage)
    assert answer.usage.completion_tokens <= 64


@client.cell("chat")
def stream(on):
    with chat(on, stream=True) as events:
        chunks = list(events)
    on.said("".join(chunk.choices[0].delta.content or "" for chunk in chunks))
    on.ended(chunks[-1].choices[0].finish_reason, "stop", "length")
    assert all(chunk.usage is None for chunk in chunks), "usage came though nobody asked for it"
    equal(len({chunk.id for chunk in chunks}), 1)


@client.cell("chat")
def stream_usage(on):
    with chat(on, stream=True, stream_options={"include_usage": True}) as events:
        last = list(events)[-1]
    equal(last.choices, [])
    on.counted(last.usage.prompt_tokens, last.usage.completion_tokens)
    sums(last.usage)


@client.cell("chat")
def tools(on):
    answer = chat(on, WEATHER, tools=TOOLS, tool_choice="required", max_tokens=200)
    call = answer.choices[0].message.tool_calls[0]
    on.called(call.function.name, call.function.arguments)
    on.ended(answer.choices[0].finish_reason, "tool_calls")


@client.cell("chat")
def tools_stream(on):
    with sdk(on).chat.completions.stream(model=on.model, messages=say(WEATHER), tools=TOOLS, tool_choice="required", max_tokens=200) as events:
        events.until_done()
        final = events.get_final_completion().choices[0]
    on.called(final.message.tool_calls[0].function.name, final.message.tool_calls[0].function.arguments)
    on.ended(final.finish_reason, "tool_calls")


@client.cell("chat")
def tool_result(on):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}
    history = [*say(WEATHER), {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_1", "content": TOOL_ANSWER}]
    answer = sdk(on).chat.completions.create(model=on.model, messages=history, tools=TOOLS, max_tokens=64)
    on.said(answer.choices[0].message.content, after_tool=True)


@client.cell("chat")
def structured(on):
    answer = sdk(on).chat.completions.parse(model=on.model, messages=say(CITY), response_format=City, max_tokens=500)
    assert isinstance(answer.choices[0].message.parsed, City), answer


@client.cell("chat")
def parallel(on):
    async def ask():
        async with openai.AsyncOpenAI(base_url=on.base + "/v1", api_key=on.key, max_retries=0, timeout=30) as many:
            return await asyncio.gather(*(many.chat.completions.create(model=on.model, messages=say(f"hello {i}"), max_tokens=8) for i in range(8)))

    answers = asyncio.run(ask())
    assert all(answer.usage.completion_tokens for answer in answers)
    equal(len({answer.id for answer in answers}), 8)


@client.cell("chat", ["sandbox"])
def choices(on):
    equal([choice.index for choice in chat(on, n=3).choices], [0, 1, 2])


@client.cell("chat")
def errors(on):
    model, prompt, status = on.refused
    kind = openai.RateLimitError if status == 429 else openai.BadRequestError
    refused = raises(kind, lambda: chat(on, prompt, model=model), status_code=status)
    on.explained(refused)
    raises(kind, lambda: list(chat(on, prompt, model=model, stream=True)), status_code=status)
    if on.upstream == "llama.cpp":
        equal(refused.type, "exceed_context_size_error")
    if on.upstream == "sandbox":
        gateway_errors(on, refused)


def gateway_errors(on, limited):
    equal(limited.code, "rate_limit_exceeded")
    assert limited.response.headers.get("retry-after"), "429 without retry-after"
    raises(openai.AuthenticationError, lambda: chat(on, key="lk_wrong"), status_code=401)
    raises(openai.NotFoundError, lambda: chat(on, model="nonesuch"), status_code=404)
    raises(openai.BadRequestError, lambda: chat(on, n=1000), status_code=400, param="n")
    raises(openai.BadRequestError, lambda: chat(on, model="sandbox/sandbox-e400"), status_code=400, code="invalid_value")
    for upstream, seen in ((500, 500), (503, 503), (401, 502)):
        # A provider that refuses Lintel's credential (401) is no fault of the caller's key.
        raises(openai.InternalServerError, lambda: chat(on, model=f"sandbox/sandbox-e{upstream}"), status_code=seen)
    # A route that the key may not name and one that doesn't exist must look the same, or be refused.
    try:
        chat(on, key=on.narrow_key)
        raise AssertionError("a key used a route that it may not name")
    except (openai.NotFoundError, openai.PermissionDeniedError):
        pass


@client.cell("chat", ["sandbox"])
def stream_error(on):
    def read():
        with chat(on, model="sandbox/sandbox-errevent3", stream=True) as events:
            return list(events)

    assert "server had an error" in raises(openai.APIError, read).message


@client.cell("responses", operation="create")
def responses_create(on):
    answer = sdk(on).responses.create(model=on.model, input=HELLO, max_output_tokens=64)
    equal(answer.object, "response")
    on.said(answer.output_text)
    on.ended(answer.status, "completed", "incomplete")
    on.counted(answer.usage.input_tokens, answer.usage.output_tokens)
    equal(answer.usage.total_tokens, answer.usage.input_tokens + answer.usage.output_tokens)


@client.cell("responses", operation="stream")
def responses_stream(on):
    with sdk(on).responses.stream(model=on.model, input=HELLO, max_output_tokens=64) as events:
        seen = list(events)
    text = "".join(event.delta for event in seen if event.type == "response.output_text.delta")
    on.said(text)
    on.ended(seen[-1].type, "response.completed", *(["response.incomplete"] if on.upstream == "llama.cpp" else []))
    final = seen[-1].response
    equal(final.output_text, text)
    on.counted(final.usage.input_tokens, final.usage.output_tokens)


@client.cell("responses", operation="tools")
def responses_tools(on):
    answer = sdk(on).responses.create(model=on.model, input=WEATHER, tools=RESPONSES_TOOLS, tool_choice="required", max_output_tokens=200)
    call = next(item for item in answer.output if item.type == "function_call")
    on.called(call.name, call.arguments)
    assert call.call_id


@client.cell("responses", operation="tools_stream")
def responses_tools_stream(on):
    with sdk(on).responses.create(model=on.model, input=WEATHER, tools=RESPONSES_TOOLS, tool_choice="required", max_output_tokens=200, stream=True) as events:
        seen = list(events)
    if on.upstream == "sandbox":  # the others, which are passed through, number nothing
        equal([event.sequence_number for event in seen], list(range(len(seen))))
    done = next(event.item for event in seen if event.type == "response.output_item.done" and event.item.type == "function_call")
    equal(done.arguments, "".join(event.delta for event in seen if event.type == "response.function_call_arguments.delta"))
    on.called(done.name, done.arguments)
    equal(seen[-1].type, "response.completed")


@client.cell("responses", operation="tool_result")
def responses_tool_result(on):
    call = {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": '{"city":"Oslo"}'}
    history = [*say(WEATHER), call, {"type": "function_call_output", "call_id": "call_1", "output": TOOL_ANSWER}]
    answer = sdk(on).responses.create(model=on.model, input=history, tools=RESPONSES_TOOLS, max_output_tokens=64)
    on.said(answer.output_text, after_tool=True)


@client.cell("responses", operation="structured")
def responses_structured(on):
    answer = sdk(on).responses.parse(model=on.model, input=CITY, text_format=City, max_output_tokens=500)
    assert isinstance(answer.output_parsed, City), answer


@client.cell("responses", operation="errors")
def responses_errors(on):
    model, prompt, status = on.refused
    kind = openai.RateLimitError if status == 429 else openai.BadRequestError
    on.explained(raises(kind, lambda: sdk(on).responses.create(model=model, input=prompt), status_code=status))
    if on.upstream == "sandbox":
        raises(openai.AuthenticationError, lambda: sdk(on, "lk_wrong").responses.create(model=on.model, input=HELLO), status_code=401)
        raises(openai.NotFoundError, lambda: sdk(on).responses.create(model="nonesuch", input=HELLO), status_code=404)


@client.cell("embeddings")
def embeddings(on):
    # Asked for twice: as base64, which is what the SDK does unasked, and as numbers.
    short = sdk(on).embeddings.create(model=on.embedder, input=["hello", "good bye"])
    plain = sdk(on).embeddings.create(model=on.embedder, input="hello", encoding_format="float")
    equal([item.index for item in short.data], [0, 1])
    assert len(short.data[0].embedding) > 3 and short.data[0].embedding != short.data[1].embedding
    assert all(abs(a - b) < 1e-4 for a, b in zip(short.data[0].embedding, plain.data[0].embedding, strict=True)), "base64 and numbers differ"
    # aimock counts no tokens of embeddings.
    assert short.usage.prompt_tokens or on.upstream == "aimock", short.usage


@client.cell("models", ["sandbox"])
def models(on):
    names = [model.id for model in sdk(on).models.list()]
    assert {"sandbox", "limited"} <= set(names), names
    equal(sdk(on).models.retrieve("sandbox").id, "sandbox")
    equal([model.id for model in sdk(on, on.narrow_key).models.list()], ["limited"])
    raises(openai.NotFoundError, lambda: sdk(on).models.retrieve("nonesuch"), status_code=404)


client.run()
