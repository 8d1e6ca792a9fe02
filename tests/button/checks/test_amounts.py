import pytest
from hypothesis import given
from hypothesis import strategies as st

from button.checks.amounts import as_number, figures, numbers_in


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("two hundred and fifty-five", [255]),
        ("$1.2k, 1,200 people and -3.5 degrees", [1200, 1200, -3.5]),
        ("1.5 million", [1_500_000]),
        ("between 3-5", [3, 5]),
        ("AB123, v2 and 192.168.1.1", []),
        ("one of the first", []),
        ("a dozen eggs", [12]),
        ("twenty twenty-six", [20, 26]),
        ("seat 12, row 4.", [12, 4]),
        ("15% of 80", [15, 80]),
    ],
)
def test_figures_are_read_in_digits_and_words(text: str, values: list[float]) -> None:
    assert [figure.value for figure in figures(text)] == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("two hours and a half", {2.5, 150, 9000}),
        ("half an hour", {0.5, 30, 1800}),
        ("a couple of weeks", {2, 14} - {14}),
        ("two weeks", {2, 14}),
        ("15%", {15, 0.15}),
        ("half a dozen", {6}),
        ("the second", {2}),
        ("1/2 cup", {1, 2, 0.5}),
        ("5 km", {5, 5000}),
    ],
)
def test_numbers_are_known_in_the_units_they_may_be_asked_in(text: str, values: set[float]) -> None:
    assert numbers_in(text).values == values


def test_lengths_of_time_are_told_from_other_numbers() -> None:
    numbers = numbers_in("4 people, three nights, 2 weeks, a 90-minute show, 2 hours")
    assert numbers.days == {3, 14}
    assert numbers.minutes == {90, 120}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("five", 5),
        ("$1,200.50", 1200.5),
        ("-3", -3),
        ("1.2k", 1200),
        ("12 apples", None),
        ("a 3", None),
        ("", None),
    ],
)
def test_a_text_is_a_number_only_as_a_whole(text: str, value: float | None) -> None:
    assert as_number(text) == value


@given(st.integers(-(10**9), 10**9))
def test_any_integer_is_read_back_with_and_without_thousands_marks(number: int) -> None:
    assert [figure.value for figure in figures(f"about {number} of them")] == [number]
    assert [figure.value for figure in figures(f"about {number:,} of them")] == [number]


@given(st.decimals(0, 10**6, places=2))
def test_any_price_is_read_back(price: object) -> None:
    assert float(str(price)) in numbers_in(f"It costs ${price}.").values


def test_digits_without_end_are_no_number() -> None:
    assert figures("7" * 400) == []
    assert as_number("7" * 400) is None


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert all(figure.readings[0] == figure.value for figure in figures(text, loose=True))
