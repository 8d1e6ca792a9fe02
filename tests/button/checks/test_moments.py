from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from button.checks.moments import Date, moments, same_day

MAY_4 = (2026, 5, 4)


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-04",
        "May 4, 2026",
        "May 4th 2026",
        "4 May 2026",
        "the 4th of May, 2026",
        "4 may 2026",
        "2026/5/4",
        "5/4/2026",
    ],
)
def test_one_day_is_read_in_any_notation(text: str) -> None:
    assert MAY_4 in moments(f"on {text}, please").dates[0]


@pytest.mark.parametrize(
    ("text", "dates"),
    [
        ("July 3rd-5th, 2026", [(2026, 7, 3), (2026, 7, 5)]),
        ("from March 3 to March 5, 2026", [(None, 3, 3), (2026, 3, 5)]),
        ("3-5 July", [(None, 7, 3), (None, 7, 5)]),
        ("in July 2026", [(2026, 7, None)]),
        ("2026-07", [(2026, 7, None)]),
        ("Sept. 4", [(None, 9, 4)]),
        ("12-34-5678", []),
        ("10.0.0.1 or 555-123-4567", []),
        ("we may walk 5 km", []),
    ],
)
def test_dates_are_found_where_there_are_some(text: str, dates: list[Date]) -> None:
    assert [mention[0] for mention in moments(text).dates] == dates


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("7:30 PM", [(1170,)]),
        ("7 p.m.", [(1140,)]),
        ("12 am", [(0,)]),
        ("noon or midnight", [(720,), (0,)]),
        ("19:00", [(1140,)]),
        ("7:30", [(450, 1170)]),
        ("07:30", [(450,)]),
        ("2026-05-04T19:00:00Z", [(1140,)]),
        ("at 7 on Friday", [(420, 1140)]),
        ("at 7 dollars", []),
        ("a 16:9 screen", []),
    ],
)
def test_times_are_found_with_their_readings(text: str, times: list[tuple[int, ...]]) -> None:
    assert list(moments(text).times) == times


def test_what_is_no_moment_remains() -> None:
    assert moments("4 seats on May 4 at 7 pm").rest.split() == ["4", "seats", "on", "at"]


def test_an_unsaid_year_or_day_fits_any() -> None:
    assert same_day((None, 5, 4), (2026, 5, 4))
    assert same_day((2026, 5, None), (2026, 5, 4))
    assert not same_day((2025, 5, 4), (2026, 5, 4))
    assert not same_day((None, 5, 5), (2026, 5, 4))


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_any_day_is_read_back(day: date) -> None:
    expected = (day.year, day.month, day.day)
    for text in (day.isoformat(), f"{day:%B} {day.day}, {day.year}", f"{day.day} {day:%B} {day.year}"):
        assert moments(text).dates == ((expected,),)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert len(moments(text).rest) <= 4 * len(text) + 8
