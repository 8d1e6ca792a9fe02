import pytest

from button.checks.placeholders import is_placeholder, placeholders_in


@pytest.mark.parametrize(
    "text",
    [
        "to [Your Name]",
        "in <city>",
        "for {date}",
        "code XXXX",
        "at HH:MM",
        "the ____",
        "e.g. this",
        "and so on...",
        "insert your email",
        "TBD",
        "YYYY-MM-DD",
        "from city A",
    ],
)
def test_blanks_are_found(text: str) -> None:
    assert placeholders_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "a [link](https://x.org)",
        "2 < 3 and 5 > 4",
        "size XXL",
        "Vitamin A",
        "Plan B",
        "see [1]",
        "$AAPL",
        "the Super Bowl XX",
        "snake_case",
        "a hotel in city centre",
    ],
)
def test_what_only_looks_like_a_blank_is_none(text: str) -> None:
    assert placeholders_in(text) == []


@pytest.mark.parametrize(
    "value", ["", " ", "string", "N/A", "unknown", "...", "Example", "'string'", "<name>", "[city]", "null", "XXX"]
)
def test_a_value_that_says_nothing_is_a_placeholder(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "value", ["none", "Rome", "A", "0", "String quartet", "Example Street 5", '["a"]', "test drive"]
)
def test_a_value_that_says_something_is_none(value: str) -> None:
    assert not is_placeholder(value)


def test_a_value_that_repeats_its_own_field_is_a_placeholder() -> None:
    assert is_placeholder("Flight ID", name="flight_id")
    assert is_placeholder("the id of the flight.", name="flight_id", description="The ID of the flight")
    assert not is_placeholder("DY1873", name="flight_id", description="The ID of the flight")
