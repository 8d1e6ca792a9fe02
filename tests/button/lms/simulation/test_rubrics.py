"""The simulated judges against the hand-labelled set. Not covered: how a real model judges."""

import asyncio
import json
from typing import Any

import pytest
from simulated_chain import Chain

from button.lms.simulated import Simulated
from experiments.labelled import Labelled, read_labels
from experiments.metrics.atomic_task import AtomicTaskMetric
from experiments.metrics.functions import FunctionsMetric
from experiments.metrics.judged import JudgedMetric
from experiments.metrics.trajectory import TrajectoryMetric

METRICS: dict[str, tuple[str, JudgedMetric]] = {
    "task": ("JudgeTask", AtomicTaskMetric()),
    "functions": ("JudgeFunctions", FunctionsMetric()),
    "trajectory": ("JudgeTrajectory", TrajectoryMetric()),
}
ITEMS = [item for item in read_labels() if item.step in METRICS]


def asked(item: Labelled, engine: Simulated) -> dict[str, Any]:
    part, metric = METRICS[item.step]
    return asyncio.run(Chain(engine, 0).ask(part, dict(metric.question(item.record))))


def verdict(answer: dict[str, Any]) -> bool:
    return all(said == "yes" for name, said in answer.items() if name != "analysis")


@pytest.mark.parametrize("item", [item for item in ITEMS if item.good], ids=lambda item: item.id)
def test_a_faultless_judge_finds_no_fault_with_what_is_good(item: Labelled) -> None:
    answer = asked(item, Simulated())
    assert verdict(answer), answer["analysis"]


def test_a_faultless_judge_finds_most_of_what_is_bad_and_says_what() -> None:
    bad = [asked(item, Simulated()) for item in ITEMS if not item.good]
    found = [answer for answer in bad if not verdict(answer)]
    assert len(found) > 0.8 * len(bad)
    assert all(answer["analysis"].startswith("Not good yet: ") for answer in found)


@pytest.mark.parametrize(("flaw", "good"), [("judge_yes", True), ("judge_no", False)])
def test_a_flawed_judge_says_the_same_of_everything(flaw: str, good: bool) -> None:
    engine = Simulated(flaws={flaw: 1.0})
    assert {verdict(asked(item, engine)) for item in ITEMS} == {good}


def test_the_same_question_has_the_same_answer() -> None:
    assert asked(ITEMS[0], Simulated()) == asked(ITEMS[0], Simulated())


@pytest.mark.parametrize("part", ["JudgeTask", "JudgeFunctions", "JudgeTrajectory"])
def test_a_judge_that_is_shown_nothing_readable_still_answers(part: str) -> None:
    answer = asyncio.run(
        Chain(Simulated(), 0).ask(part, {"functions": "{no json", "transcript": "call: f {", "task": ""})
    )
    assert set(answer.values()) - {answer["analysis"]} <= {"yes", "no"}, json.dumps(answer)
