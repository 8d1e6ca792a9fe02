import pytest
from journeys import BOOK, SEARCH, STAY, function

from button.checks.feeding import feeds
from signatures.records import Function, JsonObject

ITEMS: JsonObject = {
    "type": "array",
    "description": "the flights",
    "items": {"type": "object", "properties": {"flight_number": {"type": "string"}, "price": {"type": "number"}}},
}


def giving(name: str, **responses: str | JsonObject) -> Function:
    return function(name, "Gives something that was found.", {"q": "string"}, responses)


def taking(name: str, **parameters: str | JsonObject) -> Function:
    return function(name, "Takes something and does it.", parameters, {"ok": "boolean"})


def test_a_field_feeds_the_parameter_of_its_name() -> None:
    assert ("flight_number", "flight_number") in feeds(SEARCH, BOOK)
    assert ("hotel_name", "hotel_name") in feeds(STAY, BOOK)
    assert feeds(BOOK, SEARCH) == []


@pytest.mark.parametrize(
    ("giver", "taker", "pair"),
    [
        (giving("search_flights", flights=ITEMS), taking("book", flight_number="string"), ("flights", "flight_number")),
        (giving("search_flights", id="string"), taking("book", flight_id="string"), ("id", "flight_id")),
        (giving("get_quote", price="number"), taking("convert", amount="number"), ("price", "amount")),
        (giving("get_weather", forecast="string"), taking("send_email", body="string"), ("forecast", "body")),
        (giving("get_weather", temperature="number"), taking("post", message="string"), ("temperature", "message")),
        (giving("find_city", city="string"), taking("get_weather", location="string"), ("city", "location")),
        (giving("find_user", userEmail="string"), taking("mail", email="string"), ("userEmail", "email")),
        (giving("list_scores", scores="array"), taking("average", scores="array"), ("scores", "scores")),
    ],
)
def test_names_that_mean_the_same_can_feed(giver: Function, taker: Function, pair: tuple[str, str]) -> None:
    assert pair in feeds(giver, taker)


@pytest.mark.parametrize(
    ("giver", "taker"),
    [
        (giving("get_weather", temperature="number"), taking("book", flight_id="string")),
        (giving("get_weather", flight_id="boolean"), taking("book", flight_id="string")),
        (giving("get_weather", city="string"), taking("book", city="integer")),
        (giving("find_hotel", id="string"), taking("book", flight_id="string")),
    ],
)
def test_other_names_or_types_cannot(giver: Function, taker: Function) -> None:
    assert feeds(giver, taker) == []
