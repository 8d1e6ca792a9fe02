import random

from hypothesis import given
from hypothesis import strategies as st

from modules.details import DIRECTIONS, details, direction, next_steps, side_steps

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
