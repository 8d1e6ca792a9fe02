from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from journeys import BOOK, FUNCTIONS, SEARCH, STAY, function
from strategies import functions

from button.checks.functions import (
    function_problems,
    openai_tool,
    parameters_schema,
    responses_schema,
    set_problems,
)
from signatures.records import Function, SubTask

TASK = "Find a flight from Rome to Oslo on May 4, 2026, a hotel there for 3 nights, and book both for Maria Lopez."
SUB_TASKS = (SubTask(task="Find a flight."), SubTask(task="Find a hotel."), SubTask(task="Book.", depends_on=(0, 1)))
USES = (("search_flights",), ("find_hotel",), ("book_trip",))


def test_an_openai_tool_keeps_optional_parameters_optional() -> None:
    tool = openai_tool(SEARCH)
    assert tool["type"] == "function"
    assert tool["function"]["name"] == "search_flights"
    schema = tool["function"]["parameters"]
    assert schema["required"] == ["origin", "destination", "date", "passengers"]
    assert "cabin" in schema["properties"]
    assert schema["additionalProperties"] is False
    assert "strict" not in tool["function"]


@given(functions("any"))
def test_every_form_is_a_json_schema(drawn: Function) -> None:
    for schema in (parameters_schema(drawn), responses_schema(drawn)):
        jsonschema_rs.meta.validate(schema)
    assert list(drawn.responses) == responses_schema(drawn)["required"]


@pytest.mark.parametrize("one", FUNCTIONS, ids=lambda one: one.name)
def test_a_sound_function_has_no_problems(one: Function) -> None:
    assert function_problems(one) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "search-flights"}, "not well formed"),
        ({"name": "1st"}, "not well formed"),
        ({"name": "x" * 65}, "not well formed"),
        ({"description": ""}, "description ''"),
        ({"description": "Searches."}, "description 'Searches.'"),
        ({"responses": {}}, "returns nothing"),
        ({"required": ("origin", "seat")}, "requires 'seat', which it does not define"),
        (
            {"parameters": {"a b": {"type": "string", "description": "x"}}, "required": ()},
            "its name is not well formed",
        ),
    ],
)
def test_a_broken_function_is_refused_with_the_value_seen(change: dict[str, Any], said: str) -> None:
    assert said in function_problems(SEARCH.model_copy(update=change))[0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"description": "x"}, "no type"),
        ({"type": "str", "description": "x"}, "type is 'str'"),
        ({"type": "string"}, "no description"),
        ({"type": "string", "description": " "}, "no description"),
        ({"type": "string", "description": "x", "enum": []}, "enum is empty"),
        ({"type": "string", "description": "x", "enum": ["a", 1]}, "enum holds 1 (integer)"),
        ({"type": "string", "description": "x", "enum": "a"}, "no valid JSON Schema"),
        ({"type": "integer", "description": "x", "default": "two"}, "default is 'two' (string)"),
        ({"type": "array", "description": "x", "items": {"type": "text"}}, "no valid JSON Schema"),
        ({"type": "array", "description": "x", "items": {"description": "y"}}, "in its items it has no type"),
        (
            {"type": "object", "description": "x", "properties": {"a": {"enum": [1]}}},
            "in its property 'a' it has no type",
        ),
        ({"type": "string", "description": "x", "pattern": "("}, "no valid JSON Schema"),
        ({"type": "string", "description": "x", "required": True}, "no valid JSON Schema"),
        ({"type": "string", "description": "x", "$ref": "file:///etc/hostname"}, "no valid JSON Schema"),
    ],
)
def test_a_field_that_is_no_json_schema_is_refused(body: dict[str, Any], said: str) -> None:
    broken = SEARCH.model_copy(update={"parameters": {"origin": body}, "required": ()})
    assert said in function_problems(broken)[0]
    assert "parameter 'origin'" in function_problems(broken)[0]


@pytest.mark.parametrize(
    "body",
    [
        {"type": "array", "description": "open"},
        {"type": "object", "description": "open"},
        {"type": ["string", "null"], "description": "maybe", "default": None},
        {"type": "array", "description": "x", "items": {"type": "object", "properties": {"a": {"type": "string"}}}},
        {"type": "number", "description": "x", "enum": [1, 2.5], "default": 1},
    ],
)
def test_open_and_nested_fields_are_sound(body: dict[str, Any]) -> None:
    assert function_problems(SEARCH.model_copy(update={"parameters": {"origin": body}, "required": ()})) == []


def test_a_sound_set_has_no_problems() -> None:
    assert set_problems(FUNCTIONS, USES, SUB_TASKS, TASK) == []


def test_a_sub_task_may_need_no_function() -> None:
    sub_tasks = (*SUB_TASKS, SubTask(task="Compare.", depends_on=(0, 2)))
    assert set_problems(FUNCTIONS, (*USES, ()), sub_tasks, TASK) == []


@pytest.mark.parametrize(
    ("given_functions", "uses", "said"),
    [
        ((), ((), (), ()), "no function is defined"),
        (FUNCTIONS, USES[:2], "for 2 sub-task(s), there are 3"),
        ((*FUNCTIONS, SEARCH), USES, "2 functions are named 'search_flights'"),
        (FUNCTIONS, (*USES[:2], ("book_trip", "pay")), "uses 'pay', which is not defined"),
        (FUNCTIONS, (*USES[:2], ()), "'book_trip' serves no sub-task"),
    ],
)
def test_names_link_functions_and_sub_tasks(
    given_functions: tuple[Function, ...], uses: tuple[tuple[str, ...], ...], said: str
) -> None:
    assert said in " | ".join(set_problems(given_functions, uses, SUB_TASKS, TASK))


def test_a_dependency_needs_an_answer_that_fits_a_parameter() -> None:
    deaf = function(
        "book_trip", "Books a trip for a traveler.", {"traveler_name": "string"}, {"confirmation_code": "string"}
    )
    problems = set_problems((SEARCH, STAY, deaf), USES, SUB_TASKS, TASK)
    assert "sub-task 3 needs the output of sub-task 1" in problems[0]
    assert "flight_number, price" in problems[0]
    assert set_problems((SEARCH, STAY, BOOK), USES, SUB_TASKS, TASK) == []
