"""LangChain's package for OpenAI: chat completions, responses, embeddings."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import openai
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

from cell import CITY, HELLO, TOOL_ANSWER, WEATHER, Client
from shapes import City, get_weather

client = Client("langchain-openai", "langchain-openai", "langchain-openai")


def model(on, **options):
    return ChatOpenAI(**{"base_url": on.base + "/v1", "api_key": on.key, "model": on.model, "max_retries": 0, "timeout": 30, "max_tokens": 64, **options})


def check_create(on, **options):
    answer = model(on, **options).invoke(HELLO)
    on.said(answer.text)
    on.counted(answer.usage_metadata["input_tokens"], answer.usage_metadata["output_tokens"])


def check_stream(on, **options):
    whole = None
    for chunk in model(on, stream_usage=True, **options).stream(HELLO):
        whole = chunk if whole is None else whole + chunk
    on.said(whole.text)
    on.counted(whole.usage_metadata["input_tokens"], whole.usage_metadata["output_tokens"])


def check_tools(on, **options):
    answer = model(on, max_tokens=200, **options).bind_tools([get_weather], tool_choice="required").invoke(WEATHER)
    on.called(answer.tool_calls[0]["name"], answer.tool_calls[0]["args"])


def check_tool_result(on, **options):
    call = {"name": "get_weather", "args": {"city": "Oslo"}, "id": "call_1", "type": "tool_call"}
    history = [HumanMessage(WEATHER), AIMessage("", tool_calls=[call]), ToolMessage(TOOL_ANSWER, tool_call_id="call_1")]
    on.said(model(on, **options).bind_tools([get_weather]).invoke(history).text, after_tool=True)


def check_structured(on, **options):
    answer = model(on, max_tokens=500, **options).with_structured_output(City, method="json_schema").invoke(CITY)
    assert isinstance(answer, BaseModel) and answer.city in ("Paris", "Oslo"), answer


CHECKS = {"create": check_create, "stream": check_stream, "tools": check_tools, "tool_result": check_tool_result, "structured": check_structured}
for operation, check in CHECKS.items():
    client.cell("chat", operation=operation)(check)
for operation, check in CHECKS.items():
    client.cell("responses", operation=operation)(lambda on, check=check: check(on, use_responses_api=True))


@client.cell("chat")
def errors(on):
    name, prompt, status = on.refused
    refused(on, lambda: model(on, model=name).invoke(prompt), openai.RateLimitError if status == 429 else openai.BadRequestError)
    if on.upstream == "sandbox":
        refused(None, lambda: model(on, api_key="lk_wrong").invoke(HELLO), openai.AuthenticationError)


def refused(on, call, kind):
    """`call` raises this error of the SDK, or LangChain's own subclass of it; with the upstream's reason, given an `on`."""
    try:
        result = call()
    except openai.APIStatusError as error:
        assert isinstance(error, kind), f"raised {type(error).__name__}"
        if on:
            on.explained(error)
    else:
        raise AssertionError(f"returned {result!r}")


@client.cell("embeddings")
def embeddings(on):
    # The check of a text's length needs a tokenizer that is fetched from elsewhere.
    maker = OpenAIEmbeddings(base_url=on.base + "/v1", api_key=on.key, model=on.embedder, check_embedding_ctx_length=False, max_retries=0)
    first, second = maker.embed_documents(["hello", "good bye"])
    assert len(first) > 3 and first != second


client.run()
