import random

from hypothesis import given
from hypothesis import strategies as st

from modules.details import (
    DIRECTIONS,
    PARAMETER_NAMES,
    Detail,
    details,
    details_in,
    details_of_kinds,
    direction,
    new_code,
    next_steps,
    side_steps,
)

SEEDS = st.integers(0, 2**31 - 1)


@given(SEEDS)
def test_details_are_a_verb_and_a_few_of_different_kinds(seed: int) -> None:
    verb, *rest = details(random.Random(seed))
    assert verb.startswith("begin with '")
    kinds = [detail.split()[0] for detail in rest]
    assert set(kinds) <= {"city", "date", "person", "code", "amount", "time"}
    assert len(set(kinds)) == len(kinds) >= 2


@given(SEEDS)
def test_the_same_randomness_draws_the_same(seed: int) -> None:
    for draw in (details, next_steps, side_steps, direction):
        assert draw(random.Random(seed)) == draw(random.Random(seed))


def test_rows_differ() -> None:
    drawn = [details(random.Random(seed)) for seed in range(500)]
    assert len(set(drawn)) > 480
    assert len({next_steps(random.Random(seed)) for seed in range(200)}) > 150
    assert len({side_steps(random.Random(seed)) for seed in range(200)}) > 60
    assert {direction(random.Random(seed)) for seed in range(500)} == set(DIRECTIONS)


@given(SEEDS, st.randoms(use_true_random=False))
def test_every_drawn_detail_is_found_again_where_it_is_said(seed: int, order: random.Random) -> None:
    drawn = [*details_of_kinds(random.Random(seed)), Detail("code", new_code(random.Random(seed)))]
    order.shuffle(drawn)
    said = "It is " + " and then ".join(detail.value for detail in drawn) + "."
    assert details_in(said) == drawn
    assert {detail.kind for detail in drawn} <= PARAMETER_NAMES.keys()


def test_details_are_given_as_they_are_written() -> None:
    found = details_in("Is it open on May 3, 2027 at 9:15 AM for Mei Sato in Porto, below 40 euros?")
    assert [str(detail) for detail in found] == [
        "date May 3, 2027",
        "time 9:15 AM",
        "person Mei Sato",
        "city Porto",
        "amount 40 euros",
    ]


@given(st.text(max_size=80))
def test_any_text_can_be_searched_for_details(text: str) -> None:
    assert all(detail.value in text for detail in details_in(text))
