from collections.abc import Sequence

import pytest
from scripted import work_of
from strategies import weather_example

from experiments.metrics.metric import checked
from experiments.metrics.pipeline import PipelineMetric
from experiments.stepping import Tally, work_on
from signatures.records import Drop, Example, Seed

SEED = Seed.derive(None, source="test", text="planning a trip", form="scenario")


def examples(*tasks: str) -> list[Example]:
    """Accepted rows whose composed tasks are these."""
    made = []
    for task in tasks:
        example = weather_example()
        composition = example.trajectory.problem.composition.model_copy(update={"task": task})
        problem = example.trajectory.problem.model_copy(update={"composition": composition})
        trajectory = example.trajectory.model_copy(update={"problem": problem})
        made.append(example.model_copy(update={"trajectory": trajectory}))
    return made


DIFFERENT = (
    "Find flights from Rome to Oslo.",
    "Work out the calories in 80 g of feta.",
    "Book Ann a violin lesson.",
)


def test_figures_are_shares_of_seeds_and_calls() -> None:
    found = PipelineMetric().figures(examples(*DIFFERENT), seeds=12, calls=60)
    assert (found.accepted, found.per_100_seeds, found.per_1k_calls) == (3, 25.0, 50.0)


def test_twins_lower_distinctness_and_diversity() -> None:
    metric = PipelineMetric()
    alike = metric.figures(examples(DIFFERENT[0], DIFFERENT[0], DIFFERENT[1]), seeds=3, calls=0)
    apart = metric.figures(examples(*DIFFERENT), seeds=3, calls=0)
    assert alike.distinct == pytest.approx(2 / 3)
    assert apart.distinct == 1
    assert alike.diversity < apart.diversity


@pytest.mark.parametrize("tasks", [DIFFERENT[:1], DIFFERENT, DIFFERENT * 50])
def test_a_score_is_a_number_from_0_to_1_and_says_what_was_counted(tasks: Sequence[str]) -> None:
    score = checked(PipelineMetric().of_run(examples(*tasks), seeds=10, calls=100))
    assert set(score.parts) == {"yield", "economy", "diversity", "distinct"}
    assert score.value > 0


def test_more_of_the_same_seeds_and_calls_scores_higher() -> None:
    metric = PipelineMetric()
    few, many = (metric.of_run(examples(*DIFFERENT[:count]), seeds=3, calls=60).parts["yield"] for count in (1, 3))
    assert few == pytest.approx(1 / 3)
    assert many == 1


async def test_a_seed_of_which_nothing_came_scores_0_with_the_reason() -> None:
    score = await PipelineMetric().score(SEED, Drop(reason="near_duplicate", detail="like: x"), work_of())
    assert score.value == 0
    assert "near_duplicate" in score.feedback


async def test_a_seed_counts_the_calls_of_its_tally() -> None:
    work = work_on(SEED, "pipeline", {}, seed=0, ledger=Tally())
    assert isinstance(work.ledger, Tally)
    work.ledger.usage.calls = 22
    score = await PipelineMetric().score(SEED, tuple(examples(DIFFERENT[0])), work)
    assert score.parts["economy"] == 0.5


def test_nothing_accepted_scores_0() -> None:
    assert PipelineMetric().of_run([], seeds=4, calls=9).value == 0
