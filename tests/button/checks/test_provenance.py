from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from journeys import FUNCTIONS, SEARCH, function, journey, journeys

from button.checks.provenance import trace_arguments
from button.checks.reading import leaves
from signatures.records import ArgumentSource, AssistantTurn, Call, JsonObject, Result, ToolTurn, Trajectory, UserTurn

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "checks" / "provenance.yaml").read_text())
VALUES = [
    pytest.param(case["user"], case["result"], name, value, origin, id=f"{name}={value}"[:60])
    for case in CASES
    for name, value, origin in case["values"]
]
LOOK_UP = function("look_up", "Looks something up.", {"q": "string"}, {"found": "object"})


def trace(
    user: str, results: Any, arguments: JsonObject, bodies: JsonObject | None = None
) -> tuple[ArgumentSource, ...]:
    """The sources of a call's arguments that follows one earlier result."""
    acting = function("act", "Does something with it.", bodies or dict.fromkeys(arguments, "string"), {"ok": "boolean"})
    first, second = Call(name="look_up", arguments={}), Call(name="act", arguments=arguments)
    turns = (
        UserTurn(content=user),
        AssistantTurn(thought="Look first.", calls=(first,)),
        ToolTurn(results=(Result(name="look_up", arguments={}, results=results),)),
        AssistantTurn(thought="Then act.", calls=(second,)),
    )
    return trace_arguments(turns, (LOOK_UP, acting))


@pytest.mark.parametrize(("user", "result", "name", "value", "origin"), VALUES)
def test_a_value_is_traced_to_where_it_was_said(
    user: str, result: JsonObject, name: str, value: object, origin: str
) -> None:
    (source,) = trace(user, result, {name: value})
    assert source.origin == origin
    assert (source.source_turn, source.source_call) == ((2, 0) if origin == "result" else (None, None))


@given(journeys())
def test_every_argument_of_a_coherent_trajectory_is_grounded(trajectory: Trajectory) -> None:
    sources = trace_arguments(trajectory.turns, FUNCTIONS)
    calls = {
        (index, number): call
        for index, turn in enumerate(trajectory.turns)
        if isinstance(turn, AssistantTurn)
        for number, call in enumerate(turn.calls)
    }
    expected = [(*place, path) for place, call in calls.items() for path, _ in leaves(call.arguments)]
    assert [(source.turn, source.call, source.path) for source in sources] == expected
    origins = {(calls[source.turn, source.call].name, source.path): source.origin for source in sources}
    assert origins.pop(("book_trip", "flight_number")) == "result"
    assert origins.pop(("book_trip", "hotel_name")) == "result"
    assert set(origins.values()) == {"user"}


WORDS = st.from_regex(r"[a-z]{4,9}", fullmatch=True)
VALUES_SAID = (
    WORDS
    | st.lists(WORDS, min_size=2, max_size=4).map(" ".join)
    | st.from_regex(r"[A-Z]{2}[0-9]{4}", fullmatch=True)
    | st.integers(10, 10**6)
    | st.integers(1000, 10**6).map(lambda cents: cents / 100)
    | st.dates().filter(lambda day: day.year > 1000).map(str)
)


@given(VALUES_SAID)
def test_a_value_copied_from_the_user_is_never_ungrounded(value: object) -> None:
    (source,) = trace(f"Please do it with {value}, thanks.", {}, {"thing": value})
    assert source.origin == "user"


@given(VALUES_SAID)
def test_a_value_copied_from_a_result_is_never_ungrounded(value: object) -> None:
    (source,) = trace("Please do it.", {"list": [{"field": 0.125}, {"field": value}]}, {"thing": value})
    assert (source.origin, source.source_turn, source.source_call) == ("result", 2, 0)


FRESH = (
    st.from_regex(r"[qxz][b-d]{4,8}[qxz]", fullmatch=True)
    | st.from_regex(r"[A-Z]{2}[0-9]{5}", fullmatch=True)
    | st.integers(10**7, 10**9)
    | st.integers(10**8, 10**9).map(lambda cents: (cents * 2 + 1) / 200)
    | st.dates().filter(lambda day: 1000 < day.year < 2020).map(str)
)


@given(FRESH, st.sampled_from(["thing", "total", "name", "date", "body", "count"]))
def test_a_fresh_value_is_always_ungrounded(value: object, name: str) -> None:
    user = "I stay in Rome from May 4, 2026 for 3 nights with 2 people and $450."
    (source,) = trace(
        user, {"offers": [{"code": "DY1873", "price": 129.5}, {"code": "SK4712", "price": 88}]}, {name: value}
    )
    assert source.origin == "ungrounded"


def test_nested_values_have_paths() -> None:
    arguments = {"guest": {"name": "Ann", "ages": [4, 50]}, "extras": []}
    sources = trace("Ann and her son of 4 years", {}, arguments)
    assert [(source.path, source.origin) for source in sources] == [
        ("guest.name", "user"),
        ("guest.ages[0]", "user"),
        ("guest.ages[1]", "ungrounded"),
    ]


def test_a_schema_gives_its_default_and_its_allowed_values() -> None:
    bodies: JsonObject = {
        "cabin": {"type": "string", "description": "class", "enum": ["economy", "business"]},
        "limit": {"type": "integer", "description": "how many", "default": 10},
        "unit": {"type": "string", "description": "the unit: celsius or fahrenheit"},
        "style": {"type": "string", "description": "the style, e.g. modern"},
        "nested": {"type": "object", "description": "x", "properties": {"kind": {"type": "string", "enum": ["a1"]}}},
        "gap": {"type": ["string", "null"], "description": "x"},
    }
    given_values = {
        "cabin": "economy", "limit": 10, "unit": "celsius", "style": "modern", "nested": {"kind": "a1"}, "gap": None,
    }  # fmt: skip
    origins = {source.path: source.origin for source in trace("Do it.", {}, given_values, bodies)}
    assert origins == {
        "cabin": "schema", "limit": "schema", "unit": "schema", "style": "ungrounded", "nested.kind": "schema",
        "gap": "schema",
    }  # fmt: skip


def test_a_value_counts_for_the_user_before_a_result_and_for_a_result_before_the_schema() -> None:
    bodies: JsonObject = {"city": {"type": "string", "description": "x", "enum": ["Rome"]}}
    assert trace("To Rome.", {"city": "Rome"}, {"city": "Rome"}, bodies)[0].origin == "user"
    assert trace("To a city.", {"city": "Rome"}, {"city": "Rome"}, bodies)[0].origin == "result"
    assert trace("To a city.", {"city": "Oslo"}, {"city": "Rome"}, bodies)[0].origin == "schema"


def test_of_several_results_the_earliest_exact_one_counts() -> None:
    def turn(index: int, results: JsonObject) -> tuple[AssistantTurn, ToolTurn]:
        call = Call(name="look_up", arguments={"n": index})
        return (
            AssistantTurn(thought="x", calls=(call,)),
            ToolTurn(results=(Result(name="look_up", arguments=call.arguments, results=results),)),
        )

    act = AssistantTurn(thought="x", calls=(Call(name="look_up", arguments={"q": "DY1873"}),))
    turns = (
        UserTurn(content="Please look."),
        *turn(0, {"note": "not DY1873 today"}),
        *turn(1, {"flight": "DY1873"}),
        *turn(2, {"flight": "DY1873"}),
        act,
    )
    assert trace_arguments(turns, (LOOK_UP,))[-1].source_turn == 4


def test_a_call_knows_nothing_of_its_own_round() -> None:
    turns = list(journey().turns)
    first = turns[1]
    assert isinstance(first, AssistantTurn)
    early = Call(name="book_trip", arguments={"flight_number": "DY1873"})
    turns[1] = first.model_copy(update={"calls": (*first.calls, early)})
    sources = trace_arguments(turns, FUNCTIONS)
    assert [source.origin for source in sources if source.call == 2] == ["ungrounded"]


def test_an_unknown_function_is_traced_too() -> None:
    turns = (
        UserTurn(content="To Rome"),
        AssistantTurn(thought="x", calls=(Call(name="fly", arguments={"to": "Rome"}),)),
    )
    assert [source.origin for source in trace_arguments(turns, (SEARCH,))] == ["user"]


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_texts_can_be_traced(user: str, result: str, value: str) -> None:
    assert len(trace(user, {"a": result}, {"value": value})) == 1
