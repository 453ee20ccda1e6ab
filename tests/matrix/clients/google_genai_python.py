"""Google's Gen AI SDK for Python, as it speaks to the Gemini API."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from google import genai
from google.genai import errors as failures
from google.genai import types

from cell import CITY, DESCRIPTION, HELLO, SCHEMA, TOOL_ANSWER, WEATHER, Client, equal, raises

client = Client("google-genai-python", "google-genai (Python)", "google-genai")
TOOLS = [types.Tool(function_declarations=[types.FunctionDeclaration(name="get_weather", description=DESCRIPTION, parameters_json_schema=SCHEMA)])]
FORCED = types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY"))


def models(on, key=None):
    # Its default is v1; an upstream without Lintel may know no other than v1beta.
    options = types.HttpOptions(base_url=on.base, api_version=on.place.get("gemini_version"), timeout=30_000, retry_options=types.HttpRetryOptions(attempts=1))
    # The client must outlive its models: it closes its connections when it goes.
    made = genai.Client(api_key=key or on.key, http_options=options)
    models.alive = made
    return made.models


def generate(on, contents=HELLO, key=None, model=None, **config):
    settings = types.GenerateContentConfig(**{"max_output_tokens": 64, **config})
    return models(on, key).generate_content(model=model or on.model, contents=contents, config=settings)


def counted(on, usage):
    on.counted(usage.prompt_token_count, usage.candidates_token_count)
    equal(usage.total_token_count, usage.prompt_token_count + usage.candidates_token_count)


@client.cell("gemini")
def create(on):
    answer = generate(on, system_instruction="Be kind.")
    on.said(answer.text)
    on.ended(answer.candidates[0].finish_reason.name, "STOP", *(["MAX_TOKENS"] if on.upstream == "llama.cpp" else []))
    counted(on, answer.usage_metadata)


@client.cell("gemini")
def stream(on):
    config = types.GenerateContentConfig(max_output_tokens=64)
    chunks = list(models(on).generate_content_stream(model=on.model, contents=HELLO, config=config))
    on.said("".join(chunk.text or "" for chunk in chunks))
    on.ended(chunks[-1].candidates[0].finish_reason.name, "STOP", "MAX_TOKENS")
    counted(on, chunks[-1].usage_metadata)


@client.cell("gemini")
def tools(on):
    answer = generate(on, WEATHER, tools=TOOLS, tool_config=FORCED, max_output_tokens=200)
    on.called(answer.function_calls[0].name, answer.function_calls[0].args)


@client.cell("gemini")
def tools_stream(on):
    config = types.GenerateContentConfig(tools=TOOLS, tool_config=FORCED, max_output_tokens=200)
    chunks = list(models(on).generate_content_stream(model=on.model, contents=WEATHER, config=config))
    calls = [call for chunk in chunks for call in chunk.function_calls or []]
    equal(len(calls), 1)
    on.called(calls[0].name, calls[0].args)


@client.cell("gemini")
def tool_result(on):
    history = [
        types.Content(role="user", parts=[types.Part(text=WEATHER)]),
        types.Content(role="model", parts=[types.Part.from_function_call(name="get_weather", args={"city": "Oslo"})]),
        types.Content(role="user", parts=[types.Part.from_function_response(name="get_weather", response={"result": TOOL_ANSWER})]),
    ]
    answer = generate(on, history, tools=TOOLS)
    # A Gemini result is an object, and which of its members is the text is nobody's rule.
    assert TOOL_ANSWER in answer.text if on.upstream != "llama.cpp" else answer.text, answer.text


@client.cell("gemini")
def structured(on):
    answer = generate(on, CITY, response_mime_type="application/json", response_json_schema=SCHEMA, max_output_tokens=500)
    on.city(answer.text)


@client.cell("gemini")
def errors(on):
    model, prompt, status = on.refused
    refused = raises(failures.ClientError, lambda: generate(on, prompt, model=model), code=status)
    equal(refused.status, "RESOURCE_EXHAUSTED" if status == 429 else "INVALID_ARGUMENT")
    on.explained(refused.message)
    if on.upstream == "sandbox":
        raises(failures.ClientError, lambda: generate(on, key="lk_wrong"), code=401)
        raises(failures.ClientError, lambda: generate(on, model="nonesuch"), code=404)


client.run()
