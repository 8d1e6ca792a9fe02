import random

from hypothesis import given
from hypothesis import strategies as st

from modules.details import DIRECTIONS, details, direction, next_steps, side_steps

SEEDS = st.integers(0, 2**31 - 1)


@given(SEEDS)
def test_details_are_a_verb_a_person_a_city_a_date_and_a_number(seed: int) -> None:
    drawn = details(random.Random(seed))
    assert [detail.split()[0] for detail in drawn[:4]] == ["begin", "person", "city", "date"]
    assert drawn[4].split()[0] in ("number", "code", "amount")
    assert len(drawn) == 5


@given(SEEDS)
def test_the_same_randomness_draws_the_same(seed: int) -> None:
    for draw in (details, next_steps, side_steps, direction):
        assert draw(random.Random(seed)) == draw(random.Random(seed))


def test_rows_differ() -> None:
    drawn = [details(random.Random(seed)) for seed in range(500)]
    assert len(set(drawn)) == 500
    assert len({detail[1] for detail in drawn}) > 250
    assert len({next_steps(random.Random(seed)) for seed in range(200)}) > 150
    assert len({side_steps(random.Random(seed)) for seed in range(200)}) > 60
    assert {direction(random.Random(seed)) for seed in range(500)} == set(DIRECTIONS)
