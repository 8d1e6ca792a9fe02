from enum import StrEnum
from typing import Any, Literal

import dspy
import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from strategies import JSON_VALUES

from button.lms.schema import closed, is_closed, object_schema, output_schema, response_format
from signatures.compose import ComposeInParallel, ComposeSequentially
from signatures.functions import DefineFunctions
from signatures.judge import JudgeComposition
from signatures.play import PlayAssistant, PlayTool, PlayUser
from signatures.scenario import EvolveScenario, NameScenario
from signatures.task import WriteAtomicTask

CLOSED: list[type] = [
    *(ComposeInParallel, ComposeSequentially, JudgeComposition, PlayUser, EvolveScenario, NameScenario),
    WriteAtomicTask,
]
OPEN: list[type] = [PlayAssistant, PlayTool, DefineFunctions]


class Colour(StrEnum):
    RED = "red"


class Inner(BaseModel):
    title: str
    default: int = 3
    kind: Literal["a", "b"] = "a"


class Outer(BaseModel):
    inner: Inner
    more: list[Inner] = Field(default_factory=list, min_length=1)
    either: Inner | None = None
    colour: Colour = Colour.RED
    free: dict[str, Any]


class Odd(dspy.Signature):  # type: ignore[misc]
    """Odd types."""

    question: str = dspy.InputField(desc="a")
    outer: Outer = dspy.OutputField(desc="b")
    score: float | None = dspy.OutputField(desc="c")


def test_the_schema_names_the_output_fields_in_order_and_no_input() -> None:
    schema = output_schema(PlayAssistant)
    assert list(schema["properties"]) == schema["required"] == ["thought", "calls", "final_answer"]
    assert schema["additionalProperties"] is False


def test_declared_objects_are_closed_and_complete_at_every_depth() -> None:
    outer = output_schema(Odd)["properties"]["outer"]
    inner = outer["properties"]["inner"]
    assert outer["required"] == ["inner", "more", "either", "colour", "free"]
    assert inner == {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "default": {"type": "integer"},
            "kind": {"type": "string", "enum": ["a", "b"]},
        },
        "required": ["title", "default", "kind"],
        "additionalProperties": False,
    }
    assert outer["properties"]["more"] == {"type": "array", "items": inner, "minItems": 1}
    assert outer["properties"]["either"] == {"anyOf": [inner, {"type": "null"}]}
    assert outer["properties"]["colour"]["enum"] == ["red"] or outer["properties"]["colour"]["const"] == "red"
    assert output_schema(Odd)["properties"]["score"] == {"anyOf": [{"type": "number"}, {"type": "null"}]}


def test_a_nested_open_map_stays_open() -> None:
    arguments = output_schema(PlayAssistant)["properties"]["calls"]["items"]["properties"]["arguments"]
    assert arguments == {"type": "object", "additionalProperties": True}
    assert output_schema(Odd)["properties"]["outer"]["properties"]["free"] == arguments
    assert output_schema(PlayTool)["properties"]["result"] == arguments


@given(st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=3))
def test_an_open_map_takes_whatever_a_model_may_write(arguments: dict[str, Any]) -> None:
    answer = {"thought": "t", "calls": [{"name": "f", "arguments": arguments}], "final_answer": ""}
    assert jsonschema_rs.validator_for(output_schema(PlayAssistant)).is_valid(answer)


def test_a_schema_is_whole_in_itself() -> None:
    for signature in (*CLOSED, *OPEN, Odd):
        text = str(output_schema(signature))
        assert "$ref" not in text
        assert "$defs" not in text


@pytest.mark.parametrize("signature", CLOSED)
def test_what_is_closed_is_asked_for_strictly(signature: type) -> None:
    schema = output_schema(signature)
    assert is_closed(schema)
    assert response_format("Name", schema) == {
        "type": "json_schema",
        "name": "Name",
        "schema": schema,
        "strict": True,
    }


@pytest.mark.parametrize("signature", OPEN)
def test_what_is_open_somewhere_is_not_asked_for_strictly(signature: type) -> None:
    """OpenAI refuses a strict schema with an open object or with a value of any type."""
    assert response_format("Name", output_schema(signature))["strict"] is False


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, True),
        ({"type": "object"}, False),
        (object_schema({}), True),
        (object_schema({"a": {"type": "object"}}), False),
        ({"type": "array", "items": {"anyOf": [object_schema({}), {"type": "object"}]}}, False),
        ({**object_schema({"a": {"type": "string"}}), "required": []}, False),
        ({**object_schema({"a": {"type": "string"}}), "additionalProperties": True}, False),
        (object_schema({"a": {}}), False),
        (object_schema({"a": {"enum": [1, "x"]}}), True),
        (object_schema({"type": {"type": "string"}, "properties": {"type": "string"}}), True),
        (object_schema({"a": {"type": "string", "enum": [{"type": "object"}]}}), True),
    ],
)
def test_only_closed_and_complete_objects_and_typed_values_are_closed(schema: dict[str, Any], expected: bool) -> None:
    assert is_closed(schema) is expected


def test_titles_and_defaults_go_but_properties_of_that_name_stay() -> None:
    schema = {
        "title": "Thing",
        "type": "object",
        "default": {},
        "properties": {"title": {"title": "Title", "type": "string", "default": "x"}, "default": {"type": "integer"}},
    }
    assert closed(schema) == object_schema({"title": {"type": "string"}, "default": {"type": "integer"}})


def test_an_enums_values_are_left_alone() -> None:
    assert closed({"enum": [{"title": "x", "default": 1}, ["y"]]}) == {"enum": [{"title": "x", "default": 1}, ["y"]]}
