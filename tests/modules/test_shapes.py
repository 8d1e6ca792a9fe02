import random
import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.shapes import answer_schema, empty_talk
from signatures.records import Call

CALL = Call(name="find", arguments={"city": "Porto", "date": "3 May 2027", "max_price": "60 pounds"})


def shaped(field: str, call: Call = CALL, **body: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {field: {"type": "string", **body}}, "required": [field]}
    return answer_schema(schema, call, random.Random(0))


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("message_status", "Sent", "The message was sent to Bo"),
        ("reminder_details", "Set", "Set Reminder Title, Date and Time"),
        ("opening_hours", "8:30 AM to 6 PM", "Porto"),
        ("hotel_price", "45 pounds", "95 pounds"),
        ("hotel_price", "54 pounds", "54 euros"),
        ("next_bus", "Bus 14 at 11:35 AM", "Tram 14 at 11:35 AM"),
        ("delivery_date", "3 May 2027", "4 June 2019"),
        ("address", "14 Linden Street, Porto", "14 Linden Street, Cork"),
        ("phone_number", "+35 221 555 0142", "555"),
        ("rating", "4.3 out of 5", "good"),
        ("train_connections", "Departures at 9:15 AM, 1 PM and 4:30 PM", "Train"),
        ("weather_forecast", "Sunny with light wind, 19 degrees Celsius", "3 May 2027"),
        ("room_availability", "4 rooms available", "No"),
        ("restaurant", "Blue Heron Grill", "Blue Heron Grill, Cork"),
        ("heating_company", "House of Warmth 24", "Heating company in Graz meets the budget"),
        ("next_bus", "Bus 14 at 11:35 AM", "Leipzig Bus Company"),
        ("last_bus_time", "Bus 14 at 11:35 PM", "Bus 14 at 12:05 PM"),
        ("restaurants", "Blue Heron, Old Mill and Red Door", "Blue Heron"),
    ],
)
def test_a_field_has_the_shape_its_name_calls_for(field: str, good: str, bad: str) -> None:
    assert jsonschema_rs.is_valid(shaped(field), {field: good})
    assert not jsonschema_rs.is_valid(shaped(field), {field: bad})


def test_a_price_nobody_bounded_is_an_everyday_one_in_one_currency() -> None:
    schema = shaped("fare", Call(name="find", arguments={"city": "Porto"}))
    assert jsonschema_rs.is_valid(schema, {"fare": "45 euros"})
    assert not jsonschema_rs.is_valid(schema, {"fare": "600 euros"})
    assert not jsonschema_rs.is_valid(schema, {"fare": "45 pounds"})


def test_a_code_is_drawn_by_the_program_the_same_for_the_same_call() -> None:
    (pattern,) = {shaped("booking_code")["properties"]["booking_code"]["pattern"] for _ in range(3)}
    assert re.fullmatch(r"\^[A-Z]{2}-\d{4}\$", pattern)


@pytest.mark.parametrize("body", [{"enum": ["a"]}, {"type": "integer"}, {"format": "date"}, {"pattern": "^x$"}])
def test_a_field_with_a_shape_of_its_own_keeps_it(body: dict[str, Any]) -> None:
    assert shaped("price", **body)["properties"]["price"] == {"type": "string", **body}


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_name_and_any_call_give_a_valid_schema(field: str, said: str) -> None:
    jsonschema_rs.validator_for(shaped(field, Call(name="find", arguments={"query": said})))


def test_an_answer_that_only_repeats_the_call_says_empty_talk() -> None:
    assert empty_talk({"rental_properties": "Rental Properties Porto, 3 May 2027"}, CALL)
    assert not empty_talk({"rental_properties": "Old Mill Flats"}, CALL)
    assert empty_talk({"options": "Street Aster, Street Place and Garden"}, CALL)
    assert not empty_talk({"status": "Sent", "price": "45 pounds", "places": 3}, CALL)
