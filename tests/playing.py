"""Parts of a play of the weather example: what its user says, what its assistant calls, what comes back."""

from collections.abc import Sequence
from typing import Any

from strategies import weather_example

from signatures.records import AssistantTurn, Call, Result, ToolTurn, Turn, UserTurn

PROBLEM = weather_example().trajectory.problem
USER = UserTurn(content="Book me a ticket to the warmer of Oslo and Rome on Friday.")
FORECAST = PROBLEM.functions[0]


def forecast(city: str, **more: Any) -> Call:
    return Call(name="get_forecast", arguments={"city": city, "day": "Friday", **more})


def calling(*calls: Call) -> AssistantTurn:
    return AssistantTurn(thought="I need this.", calls=calls)


def answered(*calls: Call) -> Sequence[Turn]:
    """A round: the calls, and an answer to each."""
    results = (Result(name=call.name, arguments=call.arguments, results={"temperature": 18.25}) for call in calls)
    return [calling(*calls), ToolTurn(results=tuple(results))]
