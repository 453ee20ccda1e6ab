"""LangChain's package for Anthropic."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import anthropic
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from cell import CITY, HELLO, TOOL_ANSWER, WEATHER, Client
from shapes import City, get_weather

client = Client("langchain-anthropic", "langchain-anthropic", "langchain-anthropic")


def model(on, **options):
    return ChatAnthropic(**{"base_url": on.base, "api_key": on.key, "model": on.model, "max_retries": 0, "timeout": 30, "max_tokens": 64, **options})


@client.cell("messages")
def create(on):
    answer = model(on).invoke(HELLO)
    on.said(answer.text)
    on.counted(answer.usage_metadata["input_tokens"], answer.usage_metadata["output_tokens"])


@client.cell("messages")
def stream(on):
    whole = None
    for chunk in model(on).stream(HELLO):
        whole = chunk if whole is None else whole + chunk
    on.said(whole.text)
    on.counted(whole.usage_metadata["input_tokens"], whole.usage_metadata["output_tokens"])


@client.cell("messages")
def tools(on):
    answer = model(on, max_tokens=200).bind_tools([get_weather], tool_choice="any").invoke(WEATHER)
    on.called(answer.tool_calls[0]["name"], answer.tool_calls[0]["args"])


@client.cell("messages")
def tool_result(on):
    call = {"name": "get_weather", "args": {"city": "Oslo"}, "id": "toolu_1", "type": "tool_call"}
    history = [HumanMessage(WEATHER), AIMessage("", tool_calls=[call]), ToolMessage(TOOL_ANSWER, tool_call_id="toolu_1")]
    on.said(model(on).bind_tools([get_weather]).invoke(history).text, after_tool=True)


@client.cell("messages")
def structured(on):
    answer = model(on, max_tokens=500).with_structured_output(City, method="json_schema").invoke(CITY)
    assert isinstance(answer, City), answer


@client.cell("messages")
def count_tokens(on):
    few, many = (model(on).get_num_tokens_from_messages([HumanMessage(text)]) for text in (HELLO, HELLO * 50))
    assert 0 < few < many, (few, many)


@client.cell("messages")
def errors(on):
    name, prompt, status = on.refused
    refused(on, lambda: model(on, model=name).invoke(prompt), anthropic.RateLimitError if status == 429 else anthropic.BadRequestError)
    if on.upstream == "sandbox":
        refused(None, lambda: model(on, api_key="lk_wrong").invoke(HELLO), anthropic.AuthenticationError)


def refused(on, call, kind):
    """`call` raises this error of the SDK, or LangChain's own subclass of it; with the upstream's reason, given an `on`."""
    try:
        result = call()
    except anthropic.APIStatusError as error:
        assert isinstance(error, kind), f"raised {type(error).__name__}"
        if on:
            on.explained(error)
    else:
        raise AssertionError(f"returned {result!r}")


client.run()
