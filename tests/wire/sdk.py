"""Answers as the official SDKs read them: real clients on a transport that gives back bytes that are already here.

Raises whatever the SDK raises. It must not know what an answer should say.
"""

import json
import warnings

import anthropic
import httpx2
import openai

warnings.filterwarnings("ignore", message="Pydantic serializer warnings")
HELLO = [{"role": "user", "content": "hi"}]


def _http(body, kind):
    return httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, headers={"content-type": kind}, content=body)))


def _openai(body, kind):
    return openai.OpenAI(api_key="k", base_url="http://sdk.test/v1", max_retries=0, http_client=_http(body, kind))


def _dump(model):
    return model.model_dump(mode="json", warnings=False)


def _chat_stream(body):
    with _openai(body, "text/event-stream").chat.completions.stream(model="m", messages=HELLO) as stream:
        list(stream)
        # The state's own snapshot: the final completion would raise at an answer that was cut by its length.
        return _dump(stream.current_completion_snapshot)


def _responses_stream(body):
    with _openai(body, "text/event-stream").responses.stream(model="m", input="hi") as stream:
        last = [event for event in stream if event.type in ("response.completed", "response.incomplete", "response.failed")]
    return _dump(last[-1].response) if last else {}


def _messages(body, kind):
    return anthropic.Anthropic(api_key="k", base_url="http://sdk.test", max_retries=0, http_client=_http(body, kind)).messages


def _messages_stream(body):
    with _messages(body, "text/event-stream").stream(model="m", max_tokens=9, messages=HELLO) as stream:
        return _dump(stream.get_final_message())


JSON = "application/json"
WHOLE = {
    "openai.chat": lambda body: _dump(_openai(body, JSON).chat.completions.create(model="m", messages=HELLO)),
    "openai.responses": lambda body: _dump(_openai(body, JSON).responses.create(model="m", input="hi")),
    "anthropic.messages": lambda body: _dump(_messages(body, JSON).create(model="m", max_tokens=9, messages=HELLO)),
}
STREAM = {"openai.chat": _chat_stream, "openai.responses": _responses_stream, "anthropic.messages": _messages_stream}


def read(protocol, body, stream):
    """The answer, put together by the SDK, as JSON."""
    return (STREAM if stream else WHOLE)[protocol](body)


def events(protocol, body):
    """The JSON of every event, as the SDK's own decoder of server-sent events splits them."""
    module = anthropic if protocol.startswith("anthropic") else openai
    for event in module._streaming.SSEDecoder().iter_bytes(iter([body])):
        if event.data and event.data != "[DONE]":
            yield json.loads(event.data)
