from typing import Any

import numpy as np
import pytest
from comparing import example, walk
from hypothesis import given
from hypothesis import strategies as st

from experiments.comparing.measures import Diversity, Mean, Measure, PipelineScore, Ratio, measures_of
from experiments.comparing.walks import Walk
from experiments.metrics.pipeline import PipelineMetric

BOAT, ALSO_BOAT = example("Book a boat trip in Oslo.", calls=2), example("Book a boat trip in Oslo now.", calls=4)
CAKE = example("Bake a cake for nine guests.", calls=6)


def by_name(*arms: list[Walk], **scores: dict[str, float]) -> dict[str, Measure]:
    return {measure.name: measure for measure in measures_of(arms, scores)}


def value(measure: Measure, arm: int, *drawn: int) -> float:
    return float(measure.of(arm, np.array(drawn)))


def test_rows_are_counted_a_seed_and_a_call() -> None:
    found = by_name([walk("a", BOAT, CAKE, calls=30), walk("b", calls=10)], [walk("a", calls=5), walk("b", calls=5)])
    assert value(found["accepted"], 0, 0, 1) == 100
    assert value(found["accepted"], 0, 0) == 200
    assert value(found["seeds_with_a_row"], 0, 0, 1) == 50
    assert value(found["accepted_per_call"], 0, 0, 1) == 50
    assert value(found["lm_calls"], 0, 0, 1) == 20
    assert value(found["accepted_per_call"], 1, 0, 1) == 0


def test_what_is_counted_of_rows_is_known_only_where_both_arms_have_one() -> None:
    found = by_name([walk("a", BOAT, CAKE), walk("b", BOAT), walk("c")], [walk("a", CAKE), walk("b"), walk("c", CAKE)])
    calls = found["calls"]
    assert list(calls.pairs(0, 1)) == [0]
    assert (value(calls, 0, 0), value(calls, 1, 0)) == (4, 6)


def test_cost_is_compared_only_where_something_cost_money() -> None:
    assert "cost" not in by_name([walk("a", BOAT)], [walk("a")])
    found = by_name([walk("a", BOAT, CAKE, cost=3.0)], [walk("a", cost=1.0)])
    assert value(found["cost_per_row"], 0, 0) == 1.5
    assert np.isinf(found["cost_per_row"].of(1, np.array([0])))


def test_drops_are_told_by_step_and_reason_for_all_arms() -> None:
    first, second = walk("a"), walk("a")
    first.drops["judge", "not_feasible"] = 2
    second.drops["gate", "bad_call"] = 1
    found = by_name([first], [second])
    assert value(found["dropped/judge/not_feasible"], 0, 0) == 200
    assert value(found["dropped/judge/not_feasible"], 1, 0) == 0
    assert found["dropped/gate/bad_call"].differing(0, 1) == 1


def test_a_seeds_score_is_the_mean_of_its_rows() -> None:
    scores = {BOAT.id: 0.5, CAKE.id: 1.0}
    found = by_name([walk("a", BOAT, CAKE)], [walk("a", CAKE)], trajectory=scores)["score/trajectory"]
    assert (value(found, 0, 0), value(found, 1, 0)) == (0.75, 1.0)


def test_alike_tasks_are_less_diverse() -> None:
    arms = [walk("a", BOAT), walk("b", ALSO_BOAT)], [walk("a", BOAT), walk("b", CAKE)]
    found = by_name(*arms)["diversity"]
    assert 0 <= value(found, 0, 0, 1) < 0.3 < value(found, 1, 0, 1) <= 1.2


def test_the_score_of_an_arm_is_that_of_the_metric_pipeline() -> None:
    arms = [walk("a", BOAT, CAKE), walk("b", ALSO_BOAT), walk("c")], [walk("a"), walk("b", CAKE), walk("c")]
    metric = PipelineMetric(full_yield=200, twin=0.7)
    found = {measure.name: measure for measure in measures_of(arms, {}, metric)}
    for arm, accepted in enumerate(([BOAT, CAKE, ALSO_BOAT], [CAKE])):
        expected = metric.of_run(accepted, seeds=3, calls=30)
        assert value(found["score/pipeline"], arm, 0, 1, 2) == pytest.approx(expected.value)
        assert value(found["distinct"], arm, 0, 1, 2) == pytest.approx(100 * expected.parts["distinct"])
    assert value(found["distinct"], 0, 0, 1, 2) == pytest.approx(200 / 3)
    assert value(found["score/pipeline"], 1, 0, 2) == 0
    assert found["score/pipeline"].differing(0, 1) == 2


def test_a_seed_drawn_twice_is_no_twin_of_itself() -> None:
    arm = [walk("a", BOAT), walk("b", CAKE), walk("c", ALSO_BOAT)]
    found = by_name(arm, arm)["diversity"]
    assert np.isnan(found.of(0, np.array([0, 0])))
    assert value(found, 0, 0, 0, 1) == pytest.approx(value(found, 0, 0, 1))


@given(st.lists(st.integers(0, 3), min_size=2, max_size=6), st.data())
def test_diversity_over_drawn_seeds_is_the_mean_over_pairs_of_their_tasks(counts: list[int], data: Any) -> None:
    owners = np.repeat(np.arange(len(counts)), counts)
    rng = np.random.default_rng(0)
    apart = rng.random((len(owners), len(owners)))
    apart = np.triu(apart, 1) + np.triu(apart, 1).T
    sums = np.array([[apart[np.ix_(owners == i, owners == j)].sum() for j in range(len(counts))]
                     for i in range(len(counts))])  # fmt: skip
    found = Diversity("d", "", sums[None], np.array([counts], dtype=float))
    drawn = data.draw(st.lists(st.integers(0, len(counts) - 1), min_size=1, max_size=6))
    items = [(place, item) for place, seed in enumerate(drawn) for item in np.flatnonzero(owners == seed)]
    pairs = [apart[a, b] for p, a in items for q, b in items if (p == q and a != b) or drawn[p] != drawn[q]]
    got = float(found.of(0, np.array(drawn)))
    assert got == pytest.approx(np.mean(pairs)) if pairs else np.isnan(got)


def test_many_draws_at_once_are_each_what_it_would_be_alone() -> None:
    values = np.array([[1.0, 2.0, 4.0]])
    drawn = np.array([[0, 1, 2], [2, 2, 2]])
    measures: list[Measure] = [
        Mean("m", "", values),
        Ratio("r", "", values, values + 1),
        diversity := Diversity("d", "", np.array([[[0, 1, 2], [1, 0, 3], [2, 3, 0.0]]]) / 3, np.ones((1, 3))),
        PipelineScore(
            *("p", "", PipelineMetric(full_yield=300), Mean("", "", values)),
            *(Ratio("", "", values, values + 200, 1000), diversity, Ratio("", "", values / 2, values, 100)),
        ),
    ]
    for measure in measures:
        alone = [float(measure.of(0, row)) for row in drawn]
        assert list(measure.of(0, drawn)) == pytest.approx(alone, nan_ok=True)
