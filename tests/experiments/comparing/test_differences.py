import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.comparing.differences import Difference, can_be_clear, differences
from experiments.comparing.measures import Mean, Measure, Ratio


def difference(*values: list[float], measure: Measure | None = None, confidence: float = 0.95) -> Difference:
    """The second row of values less the first."""
    measured = measure or Mean("m", "of something", np.array(values))
    return differences(["base", "arm"], [measured], confidence=confidence, resamples=2000)[0]


def test_a_difference_that_all_seeds_share_is_clear() -> None:
    found = difference([1.0] * 12, [3.0] * 12)
    assert (found.base_value, found.arm_value, found.difference, found.pairs) == (1, 3, 2, 12)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high, found.clear) == (2, 2, True)


def test_no_difference_is_not_clear() -> None:
    found = difference([1.0, 2.0] * 6, [1.0, 2.0] * 6)
    assert found.interval is not None
    assert (found.difference, found.interval.low, found.interval.high, found.clear) == (0, 0, 0, False)


def test_a_few_seeds_that_differ_are_not_clear_though_their_interval_excludes_zero() -> None:
    found = difference([0.0] * 10, [0.0] * 5 + [1.0] * 5)
    assert found.interval is not None
    assert found.interval.excludes_zero
    assert (found.differing, found.clear) == (5, False)


@pytest.mark.parametrize(("differing", "confidence", "clear"), [(5, 0.95, False), (6, 0.95, True), (6, 0.99, False)])
def test_as_many_seeds_must_differ_as_a_sign_test_needs(differing: int, confidence: float, clear: bool) -> None:
    assert can_be_clear(differing, confidence) is clear


def test_pairing_takes_away_what_the_seeds_differ_in_themselves() -> None:
    seeds = list(np.linspace(0, 1000, 40))
    found = difference(seeds, [value + 1 + (index % 2) for index, value in enumerate(seeds)])
    assert found.interval is not None
    assert 1 < found.interval.low < 1.5 < found.interval.high < 2


def test_seeds_that_only_one_arm_knows_are_left_out() -> None:
    nan = float("nan")
    found = difference([1, 2, 3, nan, 5, 6, 7, 8], [2, 3, 4, 9, nan, 7, 8, 9])
    assert (found.pairs, found.difference) == (6, 1)


def test_too_few_pairs_have_no_interval_and_none_no_figure() -> None:
    nan = float("nan")
    few = difference([1.0, 2.0], [2.0, 4.0])
    assert (few.difference, few.interval, few.clear) == (1.5, None, False)
    none = difference([nan, 1.0], [1.0, nan])
    assert (none.pairs, none.interval, np.isnan(none.difference)) == (0, None, True)


def test_a_ratio_is_that_of_the_sums() -> None:
    rows, calls = np.array([[1.0, 3.0] * 4, [2.0, 2.0] * 4]), np.array([[10.0, 10.0] * 4, [10.0, 30.0] * 4])
    found = difference(measure=Ratio("r", "", rows, calls))
    assert [found.base_value, found.arm_value] == pytest.approx([0.2, 0.1])


def test_draws_without_any_row_are_left_out_of_a_ratios_interval() -> None:
    cost = np.ones((2, 8))
    rows = np.array([[1.0] + [0.0] * 7, [1.0] * 8])
    found = difference(measure=Ratio("cost_per_row", "", cost, rows))
    assert found.interval is not None
    assert np.isfinite([found.interval.low, found.interval.high]).all()


def test_the_same_data_give_the_same_interval() -> None:
    rng = np.random.default_rng(3)
    values = [list(rng.random(20)), list(rng.random(20))]
    assert difference(*values) == difference(*values)


@settings(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=5, max_size=12))
def test_an_interval_holds_its_difference_and_a_surer_one_holds_it(pairs: list[tuple[int, int]]) -> None:
    values = [[float(one) for one, _ in pairs], [float(other) for _, other in pairs]]
    narrow, wide = (difference(*values, confidence=confidence) for confidence in (0.8, 0.99))
    assert narrow.interval is not None
    assert wide.interval is not None
    assert wide.interval.low <= narrow.interval.low <= narrow.interval.high <= wide.interval.high
    assert wide.interval.low - 1e-9 <= wide.difference <= wide.interval.high + 1e-9


def test_intervals_cover_what_they_should() -> None:
    """Of 200 comparisons of two equal arms, about one in twenty looks different; at most one in ten may."""
    rng = np.random.default_rng(7)
    arms = rng.binomial(2, 0.75, (200, 2, 40)).astype(float)
    measures: list[Measure] = [Mean(str(number), "", values) for number, values in enumerate(arms)]
    found = differences(["base", "arm"], measures, confidence=0.95, resamples=1000)
    assert 2 <= sum(one.clear for one in found) <= 20
