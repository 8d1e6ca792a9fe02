"""The metrics of single steps over the hand-labelled set, by code alone and with a scripted judge."""

from collections.abc import Callable
from typing import Any

import pytest
from dspy import lm15
from scripted import Scripted, Small, work_of

from button.errors import UserError
from experiments.labelled import Labelled, read_labels
from experiments.metrics.atomic_task import AtomicTaskMetric
from experiments.metrics.composition import CompositionMetric
from experiments.metrics.functions import FunctionsMetric
from experiments.metrics.judged import JudgedMetric
from experiments.metrics.metric import checked
from experiments.metrics.trajectory import TrajectoryMetric
from signatures.records import Drop

ITEMS = read_labels()
METRICS: dict[str, Callable[..., JudgedMetric]] = {
    "task": AtomicTaskMetric,
    "composition": CompositionMetric,
    "functions": FunctionsMetric,
    "trajectory": TrajectoryMetric,
}
# The part that finds a flaw where code can, by the flaw's name in the labelled set.
FOUND_BY_CODE = {
    "two_steps": "one_action",
    "names_a_tool": "function_agnostic",
    "no_details": "concrete",
    "unrelated_sub_tasks": "linked",
    "duplicated_sub_task": "distinct",
    "swapped_sub_tasks": "linked",
    "lost_detail": "keeps_details",
    "superfluous_sub_task": "covers_all",
    "tailored_name": "general_wording",
    "tailored_scope": "general_wording",
    "does_everything": "one_purpose",
    "packed_argument": "plain_arguments",
    "status_as_id": "plain_arguments",
    "answer_repeats": "complete_answer",
    "needless_parallel_call": "no_needless_call",
    "undone_but_claimed": "follows_plan",
}
CODE = work_of()  # holds no model: who asks one fails


def said(metric: JudgedMetric, verdict: str, **changes: str) -> dict[str, str]:
    assert metric.rubric is not None
    return {"analysis": "This is why.", **dict.fromkeys(metric.rubric.meanings(), verdict), **changes}


@pytest.mark.parametrize("item", [item for item in ITEMS if item.good], ids=lambda item: item.id)
async def test_code_gives_a_good_item_full_marks(item: Labelled) -> None:
    score = await METRICS[item.step](judge_weight=0).score(item.given, (item.record,), CODE)
    assert score.value == 1, score.feedback


@pytest.mark.parametrize("flaw", sorted(FOUND_BY_CODE))
async def test_code_finds_the_flaw_in_the_part_that_is_about_it(flaw: str) -> None:
    found = []
    for item in (item for item in ITEMS if item.flaw == flaw):
        score = checked(await METRICS[item.step](judge_weight=0).score(item.given, (item.record,), CODE))
        found.append(score.parts.get(FOUND_BY_CODE[flaw], 1.0) < 1)
        assert "Wrong, mend this:" in score.feedback or not found[-1]
    assert any(found)


@pytest.mark.parametrize("step", METRICS)
async def test_the_judge_counts_by_its_weight_and_its_analysis_is_the_feedback(step: str) -> None:
    item = next(item for item in ITEMS if item.step == step and item.good)
    metric = METRICS[step](judge_weight=0.25)
    score = await metric.score(item.given, (item.record,), work_of(Scripted(said(metric, "no"))))
    assert score.value == 0.75
    assert score.feedback.count("The judge says: This is why.") == 1


async def test_each_criterion_of_the_judge_is_a_part() -> None:
    item, metric = ITEMS[0], AtomicTaskMetric()
    score = await metric.score(item.given, (item.record,), work_of(Scripted(said(metric, "yes", doable="no"))))
    assert (score.parts["reasonable"], score.parts["doable"]) == (1.0, 0.0)
    assert score.value == 0.5 + 0.5 * 3 / 4


async def test_a_judge_without_a_usable_answer_has_met_nothing() -> None:
    item, metric = ITEMS[0], AtomicTaskMetric(tries=1)
    score = await metric.score(item.given, (item.record,), work_of(Scripted("no idea")))
    assert score.value == 0.5
    assert "the judge gave no usable answer (unparsable)" in score.feedback


@pytest.mark.parametrize(("floor", "share"), [(0.7, 1.0), (0.9, 0.0)])
@pytest.mark.parametrize("step", ["task", "composition"])
async def test_a_small_judge_is_asked_in_one_word(step: str, floor: float, share: float) -> None:
    item = next(item for item in ITEMS if item.step == step and item.good)
    engine = Small(sensible=0.8)
    engine.sense_floors = {"MakesSense": floor, "StepsSuffice": floor}
    score = await METRICS[step]().score(item.given, (item.record,), work_of(engine))
    assert score.parts["sensible"] == share
    (asked,) = engine.judged
    assert item.record.model_dump()["task"] in asked


async def test_a_small_judge_fills_in_the_rubric_of_what_is_no_request() -> None:
    item = next(item for item in ITEMS if item.step == "functions" and item.good)
    engine = Small(said(FunctionsMetric(), "yes"))
    score = await FunctionsMetric().score(item.given, (item.record,), work_of(engine))
    assert score.value == 1
    assert engine.judged == []


async def test_a_judge_that_refuses_us_ends_the_scoring() -> None:
    item, metric = ITEMS[0], AtomicTaskMetric()
    with pytest.raises(UserError, match="bad key"):
        await metric.score(item.given, (item.record,), work_of(Scripted(lm15.AuthError("bad key"))))


@pytest.mark.parametrize("outcome", [Drop(reason="invalid", detail="40 words"), ()])
async def test_nothing_given_scores_0(outcome: Any) -> None:
    score = await CompositionMetric().score(ITEMS[0].record, outcome, CODE)
    assert score.value == 0


async def test_of_several_records_the_mean_counts() -> None:
    good, bad = (next(item for item in ITEMS if item.id == id_) for id_ in ("task-01", "task-16"))
    metric = AtomicTaskMetric(judge_weight=0)
    one, other = [await metric.score(item.given, (item.record,), CODE) for item in (good, bad)]
    both = await metric.score(good.given, (good.record, bad.record), CODE)
    assert both.value == (one.value + other.value) / 2
    assert both.parts["one_action"] == 0.5
