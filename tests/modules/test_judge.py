from typing import Any

import pytest
from golden import cases, check
from scripted import Scripted, Small, work_of

from modules.judge import CompositionFilter
from signatures.records import Composition, SubTask


@pytest.mark.parametrize("case", cases("judge"))
async def test_golden_cases(case: dict[str, Any]) -> None:
    await check(case)


async def test_a_small_judge_also_gives_the_probability_that_the_task_makes_sense() -> None:
    composition = Composition.derive(
        None,
        scenario="checking a refill",
        task="Check when refill RX-1 is due. Then email the date that was found to Bo Li.",
        strategy="sequential",
        sub_tasks=(SubTask(task="Check when refill RX-1 is due."), SubTask(task="Email the date.", depends_on=(0,))),
    )
    yes = {"analysis": "Both are there.", "feasible": "yes"}
    for engine, confidence in ((Small(yes, sensible=0.93), pytest.approx(0.93)), (Scripted(yes), None)):
        outcome = await CompositionFilter().aforward(composition, work_of(engine))
        assert isinstance(outcome, tuple)
        assert isinstance(outcome[0], Composition)
        assert outcome[0].verdict is not None
        assert outcome[0].verdict.confidence == confidence
