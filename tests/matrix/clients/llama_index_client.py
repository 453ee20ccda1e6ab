"""LlamaIndex through its class for hosts that speak OpenAI's protocol."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import openai
from llama_index.core.llms import ChatMessage, MessageRole
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

from cell import CITY, HELLO, TOOL_ANSWER, WEATHER, Client, equal
from shapes import City, get_weather

client = Client("llama-index", "llama-index (openai-like)", "llama-index-llms-openai-like")
TOOL = FunctionTool.from_defaults(get_weather)


def model(on, **options):
    settings = {"model": on.model, "api_base": on.base + "/v1", "api_key": on.key, "is_chat_model": True, "is_function_calling_model": True, "max_retries": 0, "timeout": 30, "max_tokens": 64}
    return OpenAILike(**{**settings, **options})


@client.cell("chat")
def create(on):
    answer = model(on).chat([ChatMessage(role="user", content=HELLO)])
    on.said(answer.message.content)
    on.counted(answer.raw.usage.prompt_tokens, answer.raw.usage.completion_tokens)


@client.cell("chat")
def stream(on):
    on.said("".join(part.delta or "" for part in model(on).stream_complete(HELLO)))


@client.cell("chat")
def tools(on):
    sdk = model(on, max_tokens=200)
    answer = sdk.chat_with_tools([TOOL], user_msg=WEATHER, tool_required=True)
    call = sdk.get_tool_calls_from_response(answer)[0]
    on.called(call.tool_name, call.tool_kwargs)


@client.cell("chat")
def tool_result(on):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}}
    history = [
        ChatMessage(role="user", content=WEATHER),
        ChatMessage(role="assistant", content=None, additional_kwargs={"tool_calls": [call]}),
        ChatMessage(role=MessageRole.TOOL, content=TOOL_ANSWER, additional_kwargs={"tool_call_id": "call_1", "name": "get_weather"}),
    ]
    on.said(model(on).chat(history).message.content, after_tool=True)


@client.cell("chat")
def structured(on):
    # Its own way to a structured answer: a tool that it forces.
    sdk = model(on, max_tokens=500, should_use_structured_outputs=True)
    answer = sdk.as_structured_llm(City).chat([ChatMessage(role="user", content=CITY)])
    assert isinstance(answer.raw, City), answer


@client.cell("chat")
def errors(on):
    name, prompt, status = on.refused
    try:
        result = model(on, model=name).complete(prompt)
    except openai.APIStatusError as error:
        equal((type(error), error.status_code), (openai.RateLimitError if status == 429 else openai.BadRequestError, status))
        on.explained(error)
    else:
        raise AssertionError(f"returned {result!r}")


client.run()
