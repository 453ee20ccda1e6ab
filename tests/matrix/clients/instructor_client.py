"""Instructor: structured answers around the OpenAI SDK, by a forced tool and by a JSON schema."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import instructor
import openai
from instructor.core import InstructorRetryException

from cell import CITY, WEATHER, Client
from shapes import City

client = Client("instructor", "instructor", "instructor")


def ask(on, text, mode, model=None, **options):
    sdk = openai.OpenAI(base_url=on.base + "/v1", api_key=on.key, max_retries=0, timeout=30)
    maker = instructor.from_openai(sdk, mode=mode).chat.completions
    make = getattr(maker, options.pop("how", "create"))
    return make(model=model or on.model, response_model=options.pop("shape", City), max_retries=0, max_tokens=500, messages=[{"role": "user", "content": text}], **options)


class get_weather(City):
    """Weather of a city"""


@client.cell("chat")
def tools(on):
    answer = ask(on, WEATHER, instructor.Mode.TOOLS, shape=get_weather)
    assert answer.city in ("Paris", "Oslo"), answer


@client.cell("chat")
def tools_stream(on):
    *_, last = ask(on, WEATHER, instructor.Mode.TOOLS, shape=get_weather, how="create_partial")
    assert last.city in ("Paris", "Oslo"), last


@client.cell("chat")
def structured(on):
    answer, raw = ask(on, CITY, instructor.Mode.JSON_SCHEMA, how="create_with_completion")
    assert answer.city in ("Paris", "Oslo"), answer
    assert raw.usage.completion_tokens > 0


@client.cell("chat")
def errors(on):
    model, prompt, status = on.refused
    try:
        result = ask(on, prompt, instructor.Mode.JSON_SCHEMA, model=model)
    except InstructorRetryException as error:
        assert str(status) in str(error), error
        on.explained(error)
    except openai.APIStatusError as error:
        assert error.status_code == status, error
        on.explained(error)
    else:
        raise AssertionError(f"returned {result!r}")


client.run()
