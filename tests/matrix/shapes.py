"""The tool and the structured answer, in the form that frameworks written around pydantic take them."""

from typing import Literal

from pydantic import BaseModel


class City(BaseModel):
    """A city."""

    city: Literal["Paris", "Oslo"]


def get_weather(city: Literal["Paris", "Oslo"]) -> str:
    """Weather of a city"""
    return f"fine in {city}"
