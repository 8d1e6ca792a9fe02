import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiments.optimizing.gain import gain

SHARES = st.floats(0, 1, allow_nan=False)


def test_the_gain_is_the_mean_of_the_paired_differences() -> None:
    found = gain([0.0, 0.5, 1.0, 0.5, 0.5], [0.5, 1.0, 1.0, 0.5, 0.75])
    assert (found.before, found.after, found.difference) == (0.5, 0.75, 0.25)
    assert (found.pairs, found.differing) == (5, 3)
    assert 0 <= found.low < 0.25 < found.high <= 0.5


def test_a_gain_on_every_item_is_beyond_doubt_although_items_differ() -> None:
    before = [0.1, 0.3, 0.5, 0.7, 0.9] * 4
    found = gain(before, [value + 0.05 for value in before])
    assert found.low == pytest.approx(0.05)
    assert found.high == pytest.approx(0.05)
    assert found.is_sure


def test_a_few_gains_that_are_all_the_same_are_not_beyond_doubt() -> None:
    found = gain([0.5] * 5, [0.6] * 5)
    assert found.low > 0
    assert not found.is_sure


def test_no_difference_at_all_has_no_width() -> None:
    found = gain([0.4, 0.6, 0.8, 0.1, 0.2], [0.4, 0.6, 0.8, 0.1, 0.2])
    assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)


def test_too_few_pairs_say_nothing() -> None:
    found = gain([0.0] * 4, [1.0] * 4)
    assert (found.low, found.high, found.is_sure) == (-1.0, 1.0, False)


@example([(0.5993992695682419, 0.2872151920012727)] * 5)
@given(st.lists(st.tuples(SHARES, SHARES), min_size=3, max_size=20))
def test_the_interval_holds_the_gain_and_nothing_impossible(pairs: list[tuple[float, float]]) -> None:
    found = gain(*map(list, zip(*pairs, strict=True)))
    assert -1.0 - 1e-9 <= found.low <= found.high <= 1.0 + 1e-9
    assert found.low - 1e-9 <= found.difference <= found.high + 1e-9
    assert not any(math.isnan(value) for value in found.as_dict().values())


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    import random

    rng = random.Random(0)
    hits = 0
    for _ in range(40):
        before = [rng.random() * 0.8 for _ in range(30)]
        after = [value + rng.uniform(0, 0.2) for value in before]
        found = gain(before, after)
        hits += found.low <= 0.1 <= found.high
    assert hits >= 33
