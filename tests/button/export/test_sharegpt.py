"""LLaMA-Factory's reading of a row is written out here: data/converter.py (SharegptDatasetConverter) and
data/formatter.py (FunctionFormatter, ToolFormatter), with the tags and words its templates have by default."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from llama_factory import accept
from strategies import build_example, examples, for_examples, weather_example

from button.export.button_text import RULES
from button.export.markup import unescape
from button.export.sharegpt import to_sharegpt
from signatures.records import AssistantTurn, Call, Example, Result, SubTask, ToolTurn, Turn, UserTurn

THOUGHT = re.compile(r"<think>\n(.*?)\n</think>\n\n", re.DOTALL)
TOOL_CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)


def _function_call(value: str) -> tuple[str, list[dict[str, Any]]]:
    """The thought and the calls, as FunctionFormatter tells them apart."""
    assert TOOL_CALL.search(value) is None, "would be taken for the calls"
    found = THOUGHT.search(value)
    calls = json.loads(value.replace(found[0], "") if found else value)
    for call in calls:
        assert set(call) == {"name", "arguments"}
    return (unescape(found[1]) if found else ""), calls


def _turn(message: dict[str, str]) -> Turn:
    value = message["value"]
    match message["from"]:
        case "human":
            return UserTurn(content=value)
        case "observation":
            return ToolTurn(results=tuple(Result(**result) for result in json.loads(value)))
        case "function_call":
            thought, calls = _function_call(value)
            return AssistantTurn(thought=thought, calls=tuple(Call(**call) for call in calls))
        case _:
            found = THOUGHT.match(value)
            thought, final = (found[1], value[found.end() :]) if found else ("", value)
            return AssistantTurn(thought=unescape(thought), final=unescape(final))


def test_a_row_has_llama_factorys_form() -> None:
    row = to_sharegpt(weather_example())

    assert set(row) == {"conversations", "system", "tools"}
    tags = [message["from"] for message in row["conversations"]]
    assert tags == ["human", "function_call", "observation", "function_call", "observation", "gpt"]
    assert row["conversations"][3]["value"] == (
        "<think>\nRome is warmer.\n</think>\n\n"
        '[{"name": "book_ticket", "arguments": {"city": "Rome", "seats": ["4A", "4B"], '
        '"options": {"meal": null, "bags": 2}}}]'
    )
    assert RULES[True] in row["system"]


def test_tools_are_a_json_list_of_bare_functions() -> None:
    tools = json.loads(to_sharegpt(weather_example())["tools"])

    assert [tool["name"] for tool in tools] == ["get_forecast", "book_ticket"]
    assert all("properties" in tool["parameters"] for tool in tools)


@for_examples
@given(examples())
def test_every_example_is_accepted_and_read_without_loss(example: Example) -> None:
    row = to_sharegpt(example)

    accept(row["conversations"])
    assert all(isinstance(value, str) for message in row["conversations"] for value in message.values())
    assert tuple(_turn(message) for message in row["conversations"]) == example.trajectory.turns
    assert len(json.loads(row["tools"])) == len(example.trajectory.problem.functions)


@pytest.mark.parametrize(
    "turns",
    [
        (),
        (UserTurn(content="Hi."),),
        (UserTurn(content="Hi."), UserTurn(content="Hello?"), AssistantTurn(thought="", final="Yes.")),
        (AssistantTurn(thought="", final="Welcome."), UserTurn(content="Hi.")),
    ],
)
def test_turns_that_llama_factory_would_skip_are_refused(turns: tuple[Turn, ...]) -> None:
    sub_tasks = (SubTask(task="Greet."),)
    example = build_example(scenario="greeting", sub_tasks=sub_tasks, functions=(), uses=((),), turns=turns)

    with pytest.raises(ValueError, match=f"example {example.id} has the turns"):
        to_sharegpt(example)
