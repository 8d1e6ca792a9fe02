"""Each optimiser of DSPy, on a step with planted weaknesses that a better prompt mends, and gains on other items."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from searching import Counted, scenarios, study_of

from button.errors import EndpointFailed, Interrupted, UserError
from button.lms.simulation.weaknesses import CURES
from experiments.metrics.metric import Score
from experiments.optimizing.bootstrap import BootstrapFewShot
from experiments.optimizing.gepa import Gepa
from experiments.optimizing.miprov2 import MiproV2
from experiments.optimizing.optimizer import Optimizer
from experiments.optimizing.simba import Simba
from experiments.optimizing.study import Result
from modules.task import AtomicTaskWriting
from signatures.task import WriteAtomicTask

WEAKNESS = {"long_task": 0.9, "placeholder": 0.6}


async def optimised(out: Path, optimizer: Optimizer, trials: int = 120, **lm: Any) -> Result:
    async with study_of(out, AtomicTaskWriting(), optimizer, scenarios(), trials=trials, **lm) as study:
        result = await study.run()
        assert study.bench.answers.spending.trials <= trials
        return result


@pytest.mark.parametrize(
    "optimizer", [Gepa(), Simba(steps=2), BootstrapFewShot(candidates=2)], ids=lambda optimizer: optimizer.name
)
async def test_an_optimizer_finds_what_mends_the_weaknesses(optimizer: Optimizer, tmp_path: Path) -> None:
    result = await optimised(tmp_path, optimizer, weakness=WEAKNESS)
    assert result.is_better
    assert result.objective.difference > 0.2
    assert result.objective.low > 0
    assert result.kept.after == 1.0


async def test_miprov2_finds_an_instruction_that_mends_a_weakness(tmp_path: Path) -> None:
    optimizer = MiproV2(candidates=10, demos=2, combinations=8)
    result = await optimised(tmp_path, optimizer, weakness={"long_task": 0.9}, seed=1)
    assert CURES["long_task"].sentence in result.best.predictors["ask.predict"].instructions
    assert result.objective.difference > 0.1


async def test_gepa_mends_one_weakness_after_the_other_by_what_the_feedback_says(tmp_path: Path) -> None:
    result = await optimised(tmp_path, Gepa(), weakness=WEAKNESS)
    instructions = result.best.predictors["ask.predict"].instructions
    assert instructions.startswith(WriteAtomicTask.instructions)
    assert CURES["long_task"].sentence in instructions
    assert CURES["placeholder"].sentence in instructions


async def test_only_what_the_step_asks_with_this_model_is_tuned(tmp_path: Path) -> None:
    result = await optimised(tmp_path, Gepa(), weakness=WEAKNESS)
    assert result.tuned == ("ask.predict",)
    others = result.start.predictors.keys() - {"ask.predict"}
    assert others
    assert all(result.best.predictors[name] == result.start.predictors[name] for name in others)


async def test_once_its_search_is_over_an_optimisers_thread_gets_no_trial(tmp_path: Path) -> None:
    async with study_of(tmp_path, AtomicTaskWriting(), Gepa(), scenarios()) as study:
        item = study.items[0]
        assert (await asyncio.wrap_future(study.bench.begun(study.step, item))).item == item
        study.bench.end_search()
        with pytest.raises(Interrupted):
            await asyncio.wrap_future(study.bench.begun(study.step, study.items[1]))


async def test_where_nothing_is_wrong_the_start_stays(tmp_path: Path) -> None:
    result = await optimised(tmp_path, Gepa())
    assert result.best == result.adopted == result.start
    assert (result.objective.before, result.objective.difference) == (1.0, 0.0)


@pytest.mark.parametrize("optimizer", [Gepa(), Simba(steps=1)], ids=lambda optimizer: optimizer.name)
async def test_a_search_that_is_stopped_goes_on_without_a_call_twice(optimizer: Optimizer, tmp_path: Path) -> None:
    Counted.calls = 0
    whole = await optimised(tmp_path / "whole", optimizer, weakness=WEAKNESS)
    calls, Counted.calls = Counted.calls, 0
    async with study_of(tmp_path / "cut", AtomicTaskWriting(), optimizer, scenarios(), weakness=WEAKNESS) as study:
        spending, noted = study.bench.answers.spending, study.bench.watch

        def watch(*told: object) -> None:
            noted(*told)  # type: ignore[arg-type]
            spending.interrupted = spending.trials >= 18

        study.bench.watch = watch
        with pytest.raises(Interrupted):
            await study.run()
    assert 0 < Counted.calls < calls
    again = await optimised(tmp_path / "cut", optimizer, weakness=WEAKNESS)
    assert Counted.calls == calls
    assert (again.best, again.objective) == (whole.best, whole.objective)


class Failing:
    """A metric that fails with `error` from the trial `after` on."""

    name = "failing"
    step = "task"

    def __init__(self, error: Exception | None, value: float = 0.5, after: int = 15) -> None:
        self.error = error
        self.value = value
        self.left = after

    async def score(self, given: object, outcome: object, work: object) -> Score:
        self.left -= 1
        if self.left < 0 and self.error is not None:
            raise self.error
        return Score(0.5 if self.left >= 0 else self.value, "so so", {})


@pytest.mark.parametrize("optimizer", [Gepa(), BootstrapFewShot(), MiproV2(), Simba()], ids=lambda one: one.name)
async def test_a_judge_that_cannot_be_reached_ends_the_search_and_loses_nothing(
    optimizer: Optimizer, tmp_path: Path
) -> None:
    metric = Failing(EndpointFailed("the judge is gone"))
    async with study_of(
        tmp_path, AtomicTaskWriting(), optimizer, scenarios(), metric=metric, weakness=WEAKNESS
    ) as study:
        with pytest.raises(EndpointFailed, match="the judge is gone"):
            await study.run()
    Counted.calls = 0
    async with study_of(
        tmp_path, AtomicTaskWriting(), optimizer, scenarios(), metric=Failing(None), weakness=WEAKNESS
    ) as study:
        await study.bench.all(study.step, [item for item in study.items if item.split == "validation"])
    assert Counted.calls == 0


@pytest.mark.parametrize("value", [float("nan"), 1.5, -0.1])
async def test_a_metric_that_gives_no_number_from_0_to_1_ends_the_search(value: float, tmp_path: Path) -> None:
    metric = Failing(None, value)
    async with study_of(tmp_path, AtomicTaskWriting(), Gepa(), scenarios(), metric=metric) as study:
        with pytest.raises(UserError, match=rf"metric failing gave {value}"):
            await study.run()


async def test_a_bug_in_a_metric_is_no_score(tmp_path: Path) -> None:
    metric = Failing(ZeroDivisionError("a bug"))
    async with study_of(tmp_path, AtomicTaskWriting(), Simba(), scenarios(), metric=metric) as study:
        with pytest.raises(ZeroDivisionError):
            await study.run()


@pytest.mark.parametrize(
    ("optimizer", "train", "needed"),
    [(Gepa(minibatch=4), 3, 4), (BootstrapFewShot(demos=5), 4, 5), (Simba(batch=6), 5, 6), (MiproV2(demos=3), 2, 3)],
    ids=lambda value: getattr(value, "name", value),
)
def test_too_few_items_are_refused(optimizer: Optimizer, train: int, needed: int) -> None:
    with pytest.raises(UserError, match=rf"needs at least {needed} train items, there are {train}"):
        optimizer.least(train, 6)
