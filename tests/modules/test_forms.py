import random
import re

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from button.checks.wording import task_problems
from modules.details import details_in
from modules.forms import (
    FOUND,
    findings,
    next_forms,
    said_in_one_go,
    slot_problems,
    task_forms,
    task_schema,
    thing_sought,
)

TASK = "Check the forecast water level of the river in Coimbra on 21 August 2027."
SLOTS = st.sampled_from(["a yoga class", "the opening hours of the library", "pollen levels", "plumbers"])


@given(st.integers(0, 10**6), SLOTS)
def test_a_form_that_is_filled_in_is_a_task_with_all_its_details(seed: int, slot: str) -> None:
    forms, details = task_forms(random.Random(seed))
    schema = task_schema(forms)
    for form in forms:
        task = form.replace(FOUND, slot)
        assert jsonschema_rs.is_valid(schema, task)
        assert task_problems(task) == slot_problems(task) == []
        said = details_in(task)
        assert said
        assert set(said) <= set(details)
        assert thing_sought(task)


@pytest.mark.parametrize("slot", ["Mei Oyelaran", "the book of 1984", "KT-5551"])
def test_a_slot_takes_neither_names_nor_figures(slot: str) -> None:
    forms, _ = task_forms(random.Random(1))
    assert not any(jsonschema_rs.is_valid(task_schema(forms), form.replace(FOUND, slot)) for form in forms)


@pytest.mark.parametrize(
    "task",
    [
        "Look up the last bus home after the concert in Rosario on 3 May 2027.",
        "Find a list of restaurants near your home in Krakow.",
        "Check the hotels in the city of in Porto on 3 May 2027.",
        "Find the details of the in Aarhus.",
        "Find a bike to use for an activity or in Bogota.",
        "Search for a dictionary that includes words in both spanish and english from a new in Portland.",
        "Look up the validity of a driver license in Portland on 30 May 2028.",
        "Find an anniversary dinner reservation in Portland.",
    ],
)
def test_a_slot_that_breaks_off_or_leans_on_something_unsaid_is_a_problem(task: str) -> None:
    assert slot_problems(task)


@pytest.mark.parametrize(
    ("task", "thing"),
    [
        (TASK, "forecast water level"),
        (
            "Look up the fastest routes and travel times to an office in Accra on 6 February 2027 at 4 PM.",
            "fastest routes",
        ),
        ("Check if there are any grants available for walls in Nairobi for less than 40 euros.", "grants"),
        ("Find a pharmacy that is open late in Nantes.", "pharmacy"),
        ("Write a poem about the sea.", None),
    ],
)
def test_what_a_task_looks_for_is_its_first_noun(task: str, thing: str | None) -> None:
    assert thing_sought(task) == thing


@given(st.integers(0, 10**6), st.sampled_from(["pharmacy", "water level", "grants"]), st.sampled_from([None, "price"]))
def test_what_was_found_can_be_read_back_from_a_next_task(seed: int, thing: str, beside: str | None) -> None:
    forms = next_forms(random.Random(seed), thing, beside=beside)
    assert len(set(forms)) == 4
    for form in forms:
        assert findings(form) == [thing, *([beside] if beside else [])]
        assert [detail.kind for detail in details_in(form)] == ["person"]


@given(st.integers(0, 10**6))
def test_a_fact_is_not_booked(seed: int) -> None:
    assert not any(re.match("Book|Reserve", form) for form in next_forms(random.Random(seed), "room availability"))


def test_tasks_are_said_in_one_go() -> None:
    said = said_in_one_go([TASK, "Get the ratings of it.", "Email the level and the ratings that were found to Bo."])
    assert said == (
        f"{TASK.rstrip('.')}, and get the ratings of it. Then email the level and the ratings that were found to Bo."
    )
