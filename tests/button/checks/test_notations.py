import pytest

from button.checks.notations import says_otherwise


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("It costs $5", "USD"),
        ("50 euros", "EUR"),
        ("50 euros", "\u20ac"),
        ("in the United States", "US"),
        ("in the U.S.", "USA"),
        ("a return flight", "round_trip"),
        ("20 degrees Celsius", "C"),
        ("every week", "weekly"),
        ("to New York City", "NYC"),
        ("the United Arab Emirates", "UAE"),
        ("in Spanish", "es"),
    ],
)
def test_another_spelling_is_found(text: str, value: str) -> None:
    assert says_otherwise(text, value)


@pytest.mark.parametrize(
    ("text", "value"),
    [("give it to us", "US"), ("50 euros", "USD"), ("to new york city", "NYC"), ("Rome", "IT"), ("", "EUR")],
)
def test_another_thing_is_not(text: str, value: str) -> None:
    assert not says_otherwise(text, value)
