"""The LiteLLM SDK, as a client of each protocol that it can be pointed at."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import litellm

from cell import CITY, DESCRIPTION, HELLO, SCHEMA, TOOL_ANSWER, WEATHER, Client, equal, raises

litellm.telemetry = False
client = Client("litellm", "litellm (SDK)", "litellm")
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": DESCRIPTION, "parameters": SCHEMA}}]
SHAPE = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA, "strict": True}}
# Its name of the protocol, and where the base address ends.
KINDS = {"chat": ("openai", "/v1"), "messages": ("anthropic", "")}


def ask(on, surface, text=HELLO, model=None, key=None, **options):
    kind, path = KINDS[surface]
    settings = {"model": f"{kind}/{model or on.model}", "api_base": on.base + path, "api_key": key or on.key, "messages": [{"role": "user", "content": text}]}
    return litellm.completion(**{**settings, "max_tokens": 64, "num_retries": 0, "max_retries": 0, "timeout": 30, **options})


def check_create(on, surface):
    answer = ask(on, surface)
    on.said(answer.choices[0].message.content)
    on.ended(answer.choices[0].finish_reason, "stop", *(["length"] if on.upstream == "llama.cpp" else []))
    on.counted(answer.usage.prompt_tokens, answer.usage.completion_tokens)


def check_stream(on, surface):
    chunks = list(ask(on, surface, stream=True, stream_options={"include_usage": True}))
    on.said("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices))
    usage = [chunk.usage for chunk in chunks if getattr(chunk, "usage", None)][-1]
    on.counted(usage.prompt_tokens, usage.completion_tokens)


def check_tools(on, surface):
    answer = ask(on, surface, WEATHER, tools=TOOLS, tool_choice="required", max_tokens=200)
    on.called(answer.choices[0].message.tool_calls[0].function.name, answer.choices[0].message.tool_calls[0].function.arguments)
    on.ended(answer.choices[0].finish_reason, "tool_calls")


def check_tool_result(on, surface):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}
    history = [{"role": "user", "content": WEATHER}, {"role": "assistant", "content": None, "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_1", "content": TOOL_ANSWER}]
    on.said(ask(on, surface, messages=history, tools=TOOLS).choices[0].message.content, after_tool=True)


def check_structured(on, surface):
    # For Anthropic's protocol this is a forced tool of LiteLLM's own, for a model whose name it doesn't know.
    on.city(ask(on, surface, CITY, response_format=SHAPE, max_tokens=500).choices[0].message.content)


def check_errors(on, surface):
    model, prompt, status = on.refused
    kinds = litellm.RateLimitError if status == 429 else (litellm.BadRequestError, litellm.ContextWindowExceededError)
    try:
        result = ask(on, surface, prompt, model=model)
    except kinds as error:
        equal(error.status_code, status)
        on.explained(error)
    else:
        raise AssertionError(f"returned {result!r}")
    if on.upstream == "sandbox":
        raises(litellm.AuthenticationError, lambda: ask(on, surface, key="lk_wrong"), status_code=401)
        raises(litellm.NotFoundError, lambda: ask(on, surface, model="nonesuch"), status_code=404)


CHECKS = {"create": check_create, "stream": check_stream, "tools": check_tools, "tool_result": check_tool_result, "structured": check_structured, "errors": check_errors}
for surface in KINDS:
    for operation, check in CHECKS.items():
        client.cell(surface, operation=operation)(lambda on, check=check, surface=surface: check(on, surface))


@client.cell("responses", operation="create")
def responses_create(on):
    answer = litellm.responses(model=f"openai/{on.model}", api_base=on.base + "/v1", api_key=on.key, input=HELLO, max_output_tokens=64, timeout=30)
    on.said("".join(part.text for item in answer.output if item.type == "message" for part in item.content))
    on.counted(answer.usage.input_tokens, answer.usage.output_tokens)


@client.cell("embeddings")
def embeddings(on):
    answer = litellm.embedding(model=f"openai/{on.embedder}", api_base=on.base + "/v1", api_key=on.key, input=["hello", "good bye"], timeout=30)
    first, second = (item["embedding"] for item in answer.data)
    assert len(first) > 3 and first != second


client.run()
