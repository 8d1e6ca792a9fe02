import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from experiments.agreement import agreement, kappa

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40)


@given(PAIRS)
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[bool, bool]]) -> None:
    truth, said = (np.array(column) for column in zip(*pairs, strict=True))
    if len(set(truth)) + len(set(said)) > 2:
        assert math.isclose(float(kappa(truth, said)), cohen_kappa_score(truth, said), abs_tol=1e-9)
    else:
        assert float(kappa(truth, said)) == 0.0


def test_a_reader_who_always_says_good_agrees_by_chance_only() -> None:
    found = agreement([True] * 6 + [False] * 6, [True] * 12)
    assert (found.accuracy.value, found.kappa.value, found.found, found.kept) == (0.5, 0.0, 0.0, 1.0)


def test_a_perfect_reader_has_kappa_1() -> None:
    labels = [True, False] * 10
    found = agreement(labels, labels)
    assert (found.kappa.value, found.found, found.kept, found.items) == (1.0, 1.0, 1.0, 20)


def test_the_interval_holds_the_value_narrows_with_items_and_is_the_same_each_time() -> None:
    labels, said = [True, True, False, False, True], [True, True, False, True, True]
    few, many = agreement(labels * 4, said * 4), agreement(labels * 40, said * 40)
    for one in (few.kappa, many.kappa, few.accuracy):
        assert one.low <= one.value <= one.high
    assert many.kappa.high - many.kappa.low < 0.5 * (few.kappa.high - few.kappa.low)
    assert few == agreement(labels * 4, said * 4)


def test_two_items_give_an_interval_without_a_warning() -> None:
    found = agreement([True, False], [True, False])
    assert -1 <= found.kappa.low <= found.kappa.high <= 1
