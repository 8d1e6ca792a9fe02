"""What a request can supply, by the kind that a parameter's name tells."""

import pytest

from button.checks.supply import can_supply, unsupplied
from signatures.records import Function, JsonObject

TEXT: JsonObject = {"type": "string", "description": "d"}
NUMBER: JsonObject = {"type": "integer", "description": "d"}


@pytest.mark.parametrize(
    ("parameter", "body", "text", "expected"),
    [
        ("departure_date", TEXT, "fares from Cork to Rome", False),
        ("departure_date", TEXT, "fares from Cork to Rome on 4 May 2027", True),
        ("date", TEXT, "the forecast for tomorrow", True),
        ("start_time", TEXT, "book a court in Graz", False),
        ("start_time", TEXT, "book a court in Graz at 7 PM", True),
        ("email", TEXT, "write to Ana Silva", False),
        ("email", TEXT, "write to ana@example.org", True),
        ("phone_number", TEXT, "call Ana Silva", False),
        ("phone_number", TEXT, "call +351 912 345 678", True),
        ("order_id", TEXT, "track the order of Ana", False),
        ("order_id", TEXT, "track order AB-1234", True),
        ("guests", NUMBER, "a table for friends", False),
        ("guests", NUMBER, "a table for six", True),
        ("city", TEXT, "anything at all", True),
    ],
)
def test_a_parameter_is_supplied_where_the_text_says_something_of_its_kind(
    parameter: str, body: JsonObject, text: str, expected: bool
) -> None:
    assert can_supply(parameter, body, text) is expected


def test_a_parameter_that_an_earlier_result_feeds_or_that_lists_its_values_needs_no_words() -> None:
    function = Function(
        name="book_seat",
        description="Books a seat and returns its number.",
        parameters={"train_id": TEXT, "date": TEXT, "travel_class_id": {**TEXT, "enum": ["1", "2"]}},
        required=("train_id", "date"),
        responses={"seat": TEXT},
    )
    assert unsupplied(function, "a seat to Rome", fed=["train_id"]) == ["date"]
    assert unsupplied(function, "a seat to Rome", fed=[]) == ["train_id", "date"]
