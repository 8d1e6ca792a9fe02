"""Values: drawn within their bounds, and read back from how they are written."""

import random
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from button.lms.simulation.kinds import draw, read, show

BANKS: dict[str, Any] = {
    "first_name": ["Ada"], "last_name": ["Khan"], "street": ["Elm Street"], "fruit": ["figs", "plums", "pears"],
    "rate": {"EUR": 0.9},
}  # fmt: skip


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_day_is_written_in_words_and_read_back(day: date) -> None:
    assert read("string", show(day.isoformat())) == day.isoformat()


@given(st.integers(0, 10**6), st.sampled_from([0, 0.25, 0.5, 0.99]))
def test_an_amount_is_read_back(dollars: int, cents: float) -> None:
    assert read("number", show(dollars + cents)) == dollars + cents


@given(st.lists(st.sampled_from(["rice", "olive oil", "eggs", "bell peppers"]), min_size=1, unique=True))
def test_a_list_is_read_back(items: list[str]) -> None:
    assert read("array", show(items)) == items


def test_cents_are_written_in_full() -> None:
    assert (show(12.5), show(12.25), show(12.0), show(0.8608)) == ("12.5", "12.25", "12", "0.8608")


@pytest.mark.parametrize(
    ("kind", "arguments", "value"),
    [
        ("product price rate", {"price": 20, "rate": 1.5}, 30.0),
        ("bmi kg cm", {"kg": 70, "cm": 175}, 22.9),
        ("payout amount years", {"amount": 24000, "years": 10}, 200.0),
        ("product price rate", {"price": "twenty", "rate": 0}, 1.0),
    ],
)
def test_a_value_follows_from_the_arguments(kind: str, arguments: dict[str, Any], value: Any) -> None:
    assert draw(kind, BANKS, random.Random(1), arguments) == value


def test_a_contact_s_email_bears_the_name() -> None:
    assert draw("email", BANKS, random.Random(1), {"contact": "Ines Dahl"}).startswith("ines.dahl@example.")


def test_a_result_s_day_lies_after_the_days_asked_for() -> None:
    arguments = {"from": "2026-03-01", "to": "2026-03-09", "name": "x"}
    for seed in range(50):
        assert "2026-03-10" <= draw("date", BANKS, random.Random(seed), arguments) <= "2026-03-30"
    assert draw("date", BANKS, random.Random(0), {"when": "2026-02-31"}) >= "2026-01-12"


def test_a_rate_stays_near_its_bank() -> None:
    values = [draw("near rate currency", BANKS, random.Random(seed), {"currency": "EUR"}) for seed in range(50)]
    assert all(0.87 < value < 0.93 for value in values)
    assert len(set(values)) > 10
