from typing import Any

import pytest
from golden import cases, check
from scripted import Small, work_of

from modules.judge import CompositionFilter
from signatures.records import Composition, Drop, SubTask


@pytest.mark.parametrize("case", cases("judge"))
async def test_golden_cases(case: dict[str, Any]) -> None:
    await check(case)


COMPOSITION = Composition.derive(
    None,
    scenario="checking a refill",
    task="Check when refill RX-1 is due. Then email the date that was found to Bo Li.",
    strategy="sequential",
    sub_tasks=(SubTask(task="Check when refill RX-1 is due."), SubTask(task="Email the date.", depends_on=(0,))),
)


async def test_a_small_judge_says_one_word_whose_probability_is_the_confidence() -> None:
    engine = Small(sensible=0.93)
    outcome = await CompositionFilter().aforward(COMPOSITION, work_of(engine))
    assert isinstance(outcome, tuple)
    assert isinstance(outcome[0], Composition)
    assert outcome[0].verdict is not None
    assert outcome[0].verdict.confidence == pytest.approx(0.93)
    assert engine.judged == [
        f"Task: {COMPOSITION.task}\nSub-tasks:\n1. Check when refill RX-1 is due.\n2. Email the date. (needs 1)"
    ]


@pytest.mark.parametrize(("floors", "chance", "kept"), [({}, 0.51, True), ({}, 0.49, False), (0.7, 0.69, False)])
async def test_a_small_judge_needs_the_measured_probability_or_half(floors: Any, chance: float, kept: bool) -> None:
    engine = Small(sensible=chance)
    engine.sense_floors = {"StepsSuffice": floors} if floors else {}
    outcome = await CompositionFilter().aforward(COMPOSITION, work_of(engine))
    assert isinstance(outcome, tuple) == kept
    if isinstance(outcome, Drop):
        assert outcome.reason == "not_feasible"
        assert f"{chance:.2f}" in outcome.detail
