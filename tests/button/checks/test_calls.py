import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journeys import BOOK, FUNCTIONS, SEARCH, function
from strategies import JSON_VALUES

from button.checks.calls import call_problems, normalised_call, result_problems
from signatures.records import Call

ARGUMENTS = {"origin": "Rome", "destination": "Oslo", "date": "2026-05-04", "passengers": 2}
NESTED = function(
    "order",
    "Orders items for a guest.",
    {
        "items": {
            "type": "array",
            "description": "what to order",
            "items": {"type": "object", "properties": {"count": {"type": "integer"}}, "additionalProperties": False},
        }
    },
    {"order_id": "string", "notes": {"type": "array", "description": "remarks"}},
)


def search(**changes: Any) -> Call:
    return Call(name="search_flights", arguments=ARGUMENTS | changes)


def test_a_call_that_fits_has_no_problems() -> None:
    assert call_problems(search(), FUNCTIONS) == []
    assert call_problems(search(cabin="business", passengers=2.0), FUNCTIONS) == []


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (
            search(date=7),
            "function 'search_flights': argument 'date' is 7 (integer), its schema wants a string",
        ),
        (
            search(passengers="two"),
            "function 'search_flights': argument 'passengers' is 'two' (string), its schema wants an integer",
        ),
        (
            search(passengers=True),
            "function 'search_flights': argument 'passengers' is true (boolean), its schema wants an integer",
        ),
        (
            search(cabin="first"),
            "function 'search_flights': argument 'cabin' is 'first', its schema allows only 'economy', 'business'",
        ),
        (
            search(seat="4A"),
            "function 'search_flights': argument 'seat' is not defined, the schema knows "  # noqa: ISC004 - too long
            "'origin', 'destination', 'date', 'passengers', 'cabin'",
        ),
        (
            search(origin=""),
            "function 'search_flights': argument 'origin' is '', which is no value; give a concrete one",
        ),
        (
            search(origin="string"),
            "function 'search_flights': argument 'origin' is 'string', which is no value; give a concrete one",
        ),
        (
            search(origin="[city]"),
            "function 'search_flights': argument 'origin' is '[city]', which is no value; give a concrete one",
        ),
        (
            search(origin="Origin"),
            "function 'search_flights': argument 'origin' is 'Origin', which is no value; give a concrete one",
        ),
        (
            Call(name="search_flights", arguments={key: ARGUMENTS[key] for key in ("origin", "date", "passengers")}),
            "function 'search_flights': argument 'destination' is missing, it is required",
        ),
        (
            Call(name="fly", arguments={}),
            "function 'fly' is not defined; the functions are search_flights, find_hotel, book_trip",
        ),
    ],
)
def test_a_call_that_misfits_is_refused_with_the_value_seen(call: Call, problem: str) -> None:
    assert call_problems(call, FUNCTIONS) == [problem]


def test_a_misfit_deep_inside_is_named_by_its_path() -> None:
    call = Call(name="order", arguments={"items": [{"count": 1}, {"count": "x", "size": 3}]})
    assert call_problems(call, [NESTED]) == [
        "function 'order': argument 'items[1].count' is 'x' (string), its schema wants an integer",
        "function 'order': argument 'items[1].size' is not defined, the schema knows 'count'",
    ]


def test_an_allowed_value_is_never_a_placeholder() -> None:
    kind = {"type": "string", "description": "x", "enum": ["unknown", "test"]}
    one = function("label", "Labels a thing somehow.", {"kind": kind}, {"ok": "boolean"})
    assert call_problems(Call(name="label", arguments={"kind": "test"}), [one]) == []


def test_a_result_that_fits_has_no_problems() -> None:
    assert result_problems({"flight_number": "DY1873", "price": 129.5}, SEARCH) == []
    assert result_problems({"order_id": "A-1", "notes": []}, NESTED) == []


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ("done", "is 'done' (string); it must be an object with the fields flight_number, price"),
        ({"flight_number": "DY1873"}, "field 'price' is missing"),
        ({"flight_number": "DY1873", "price": "129"}, "field 'price' is '129' (string), its schema wants a number"),
        ({"flight_number": "DY1873", "price": 1, "note": "x"}, "field 'note' is not defined"),
        ({"flight_number": "", "price": 1}, "field 'flight_number' is '', which is no value"),
        ({"flight_number": "N/A", "price": 1}, "field 'flight_number' is 'N/A', which is no value"),
        ({"flight_number": "flight number", "price": 1}, "which is no value"),
    ],
)
def test_a_result_that_misfits_is_refused(results: Any, said: str) -> None:
    assert said in " | ".join(result_problems(results, SEARCH))


def test_a_result_of_nothing_but_empty_lists_is_refused() -> None:
    one = function("list_all", "Lists all there is.", {"q": "string"}, {"a": "array", "b": "array"})
    assert "every field is empty" in result_problems({"a": [], "b": []}, one)[0]
    assert result_problems({"a": [], "b": [1]}, one) == []


def test_calls_that_ask_for_the_same_have_one_form() -> None:
    form = normalised_call(search(), SEARCH)
    assert form == normalised_call(search(origin=" rome ", passengers=2.0, cabin="Economy"), SEARCH)
    assert form == normalised_call(Call(name="search_flights", arguments=dict(reversed(ARGUMENTS.items()))), SEARCH)
    assert form != normalised_call(search(passengers=3), SEARCH)
    assert form != normalised_call(search(cabin="business"), SEARCH)
    assert form != normalised_call(search(passengers=True), SEARCH)


@given(st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=4))
def test_a_normalised_call_stays_as_it_is(arguments: dict[str, Any]) -> None:
    form = normalised_call(Call(name="book_trip", arguments=arguments), BOOK)
    assert normalised_call(Call(**json.loads(form)), BOOK) == form


@given(st.dictionaries(st.sampled_from(sorted(ARGUMENTS)), JSON_VALUES, max_size=4))
def test_any_arguments_can_be_checked(arguments: dict[str, Any]) -> None:
    problems = call_problems(Call(name="search_flights", arguments=arguments), FUNCTIONS)
    assert problems if arguments.keys() != ARGUMENTS.keys() else True


@pytest.mark.parametrize("odd", [10**30, "\ud800", float("nan"), "a\x00b", [[[]]]])
def test_odd_values_are_refused_without_a_crash(odd: Any) -> None:
    problems = call_problems(search(passengers=odd), FUNCTIONS)
    assert len(problems) == 1
    assert all(problem.encode() for problem in problems)
