"""AWS's SDK for Python: Bedrock's Converse and ConverseStream, with a bearer token, which it sends over TLS only."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from cell import CITY, DESCRIPTION, HELLO, SCHEMA, TOOL_ANSWER, WEATHER, Client, equal

client = Client("boto3", "boto3 (Python)", "boto3")
TOOLS = {"tools": [{"toolSpec": {"name": "get_weather", "description": DESCRIPTION, "inputSchema": {"json": SCHEMA}}}], "toolChoice": {"any": {}}}


def sdk(on, key=None):
    os.environ["AWS_BEARER_TOKEN_BEDROCK"] = key or on.key
    settings = Config(retries={"total_max_attempts": 1}, read_timeout=30, connect_timeout=5)
    return boto3.session.Session().client("bedrock-runtime", endpoint_url=on.place["tls_base"], verify=on.place["ca_file"], region_name="us-east-1", config=settings)


def body(on, text, model, options):
    return {"modelId": model or on.model, "messages": [{"role": "user", "content": [{"text": text}]}], "inferenceConfig": {"maxTokens": 64}, **options}


def converse(on, text=HELLO, key=None, model=None, **options):
    return sdk(on, key).converse(**body(on, text, model, options))


def follow(on, text=HELLO, **options):
    """Every event, by its name."""
    events = list(sdk(on).converse_stream(**body(on, text, None, options))["stream"])
    equal(next(iter(events[0])), "messageStart")
    return [next(iter(event.items())) for event in events]


def counted(on, usage):
    on.counted(usage["inputTokens"], usage["outputTokens"])
    # The input leaves out what a cache gave; the total does not.
    cached = usage.get("cacheReadInputTokens", 0) + usage.get("cacheWriteInputTokens", 0)
    equal(usage["totalTokens"], usage["inputTokens"] + usage["outputTokens"] + cached)


@client.cell("converse")
def create(on):
    answer = converse(on, system=[{"text": "Be kind."}])
    equal(answer["output"]["message"]["role"], "assistant")
    on.said(answer["output"]["message"]["content"][0]["text"])
    on.ended(answer["stopReason"], "end_turn", *(["max_tokens"] if on.upstream == "llama.cpp" else []))
    counted(on, answer["usage"])


@client.cell("converse")
def stream(on):
    events = follow(on)
    on.said("".join(event["delta"]["text"] for name, event in events if name == "contentBlockDelta"))
    on.ended(dict(events)["messageStop"]["stopReason"], "end_turn", "max_tokens")
    counted(on, dict(events)["metadata"]["usage"])


@client.cell("converse")
def tools(on):
    answer = converse(on, WEATHER, toolConfig=TOOLS, inferenceConfig={"maxTokens": 200})
    call = next(block["toolUse"] for block in answer["output"]["message"]["content"] if "toolUse" in block)
    on.called(call["name"], call["input"])
    on.ended(answer["stopReason"], "tool_use")


@client.cell("converse")
def tools_stream(on):
    events = follow(on, WEATHER, toolConfig=TOOLS, inferenceConfig={"maxTokens": 200})
    name = next(event["start"]["toolUse"]["name"] for kind, event in events if kind == "contentBlockStart" and "toolUse" in event["start"])
    on.called(name, "".join(event["delta"]["toolUse"]["input"] for kind, event in events if kind == "contentBlockDelta" and "toolUse" in event["delta"]))
    on.ended(dict(events)["messageStop"]["stopReason"], "tool_use")


@client.cell("converse")
def tool_result(on):
    history = [
        {"role": "user", "content": [{"text": WEATHER}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather", "input": {"city": "Oslo"}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": TOOL_ANSWER}]}}]},
    ]
    answer = converse(on, messages=history, toolConfig={"tools": TOOLS["tools"]})
    on.said(answer["output"]["message"]["content"][0]["text"], after_tool=True)


@client.cell("converse")
def structured(on):
    shape = {"type": "json_schema", "structure": {"jsonSchema": {"name": "city", "schema": json.dumps(SCHEMA)}}}
    answer = converse(on, CITY, outputConfig={"textFormat": shape}, inferenceConfig={"maxTokens": 500})
    on.city(answer["output"]["message"]["content"][0]["text"])


@client.cell("converse")
def errors(on):
    model, prompt, status = on.refused

    def refusal(status, call):
        error = caught(call)
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], status)
        return error.response["Error"]

    refused = refusal(status, lambda: converse(on, prompt, model=model))
    equal(refused["Code"], "ThrottlingException" if status == 429 else "ValidationException")
    on.explained(refused["Message"])
    if on.upstream == "sandbox":
        equal(refusal(401, lambda: converse(on, key="lk_wrong"))["Code"], "UnrecognizedClientException")
        equal(refusal(404, lambda: converse(on, model="nonesuch"))["Code"], "ResourceNotFoundException")


def caught(call):
    """botocore makes a class of its own for every error code, so the kind alone says little."""
    try:
        result = call()
    except ClientError as error:
        return error
    raise AssertionError(f"returned {str(result)[:200]!r} instead of raising")


client.run()
