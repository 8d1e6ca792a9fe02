import pytest
from journeys import FUNCTIONS, SEARCH, function

from button.checks.generality import tailored_problems, twin_problems, without_examples
from signatures.records import Function, JsonObject

TASK = (
    "Find a flight from Rome to Oslo on May 4, 2026 for Maria Lopez, order AB-1234, costs in USD, on Friday, 2 people."
)


def about(name: str, description: str, **parameters: str | JsonObject) -> Function:
    return function(name, description, parameters, {"result_code": "string"})


def test_general_functions_pass() -> None:
    assert tailored_problems(FUNCTIONS, TASK) == []


@pytest.mark.parametrize(
    ("one", "place"),
    [
        (about("book_oslo_flight", "Books a flight to a city."), "name"),
        (about("book_flight", "Books a flight from Rome for a person."), "description"),
        (about("book_flight", "Books order AB-1234 of somebody."), "description"),
        (
            about("book_flight", "Books a flight.", city={"type": "string", "description": "x", "enum": ["Oslo"]}),
            "enum",
        ),
        (
            about("book_flight", "Books a flight.", city={"type": "string", "description": "x", "default": "Rome"}),
            "default",
        ),
        (
            about("book_flight", "Books a flight.", who={"type": "string", "description": "Maria Lopez"}),
            "description of",
        ),
    ],
)
def test_a_function_that_repeats_the_task_is_refused(one: Function, place: str) -> None:
    problems = tailored_problems((one,), TASK)
    assert "is tailored to the task" in problems[0]
    assert place in problems[0]


@pytest.mark.parametrize(
    "one",
    [
        about("convert", "Converts a sum between currencies such as USD and EUR.", to="string"),
        about(
            "book",
            "Books up to 2 seats.",
            day={"type": "string", "description": "x", "enum": ["Friday", "Sunday", "Monday"]},
        ),
        about("book", "Books a flight.", city={"type": "string", "description": "the city, e.g. Oslo"}),
    ],
)
def test_units_small_numbers_choices_and_examples_are_general(one: Function) -> None:
    assert tailored_problems((one,), TASK) == []


def test_one_function_under_two_names_is_refused() -> None:
    twin = SEARCH.model_copy(update={"name": "find_flights"})
    assert "'find_flights' does the same as 'search_flights'" in twin_problems((SEARCH, twin))[0]
    assert twin_problems(FUNCTIONS) == []


def test_another_action_on_the_same_thing_is_another_function() -> None:
    cancel = SEARCH.model_copy(update={"name": "cancel_flights", "description": "Cancels flights that were booked."})
    assert twin_problems((SEARCH, cancel)) == []


def test_examples_are_taken_out_of_a_description() -> None:
    assert without_examples("A unit (e.g. 'metric'); optional").split() == ["A", "unit", ";", "optional"]
