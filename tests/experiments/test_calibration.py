"""Judges against the labelled set: simulated ones, one that breaks down, one that knows everything."""

import json
from pathlib import Path

import pytest
from dspy import lm15
from scripted import Said, Scripted, lm_of, schema_of

from button.errors import UserError
from button.lms.simulated import Simulated
from button.work import DEFAULT_ROLE
from experiments.calibration import Calibration, calibrate, refuse_uncalibrated
from experiments.labelled import Labelled, read_labels
from experiments.metrics.atomic_task import AtomicTaskMetric
from experiments.metrics.composition import CompositionMetric

TASKS = read_labels(steps=["task"])


def saying(request: lm15.Request, verdict: str) -> dict[str, str]:
    names = [name for name in schema_of(request)["properties"] if name != "analysis"]
    return {"analysis": "So it is.", **dict.fromkeys(names, verdict)}


def knowing(request: lm15.Request) -> Said:
    """A judge that has read the labels."""
    prompt = request.messages[-1].text or ""
    item = next(item for item in TASKS if item.record.model_dump()["task"] in prompt)
    return saying(request, "yes" if item.good else "no")


def file_in(folder: Path) -> Path:
    """The one file of opinions in a run folder."""
    (file,) = folder.glob("calibration-*.json")
    return file


async def calibrated(engine: object, folder: Path, labels: tuple[Labelled, ...] = TASKS) -> Calibration:
    return await calibrate({DEFAULT_ROLE: lm_of(engine)}, [AtomicTaskMetric()], folder=folder, labels=labels)


async def test_a_judge_that_knows_the_labels_has_kappa_1_and_is_let_pass(tmp_path: Path) -> None:
    found = await calibrated(Scripted(JudgeTask=knowing), tmp_path)
    assert found.judge["task"].kappa.value == 1
    assert found.judge["task"].items == len(TASKS)
    assert refuse_uncalibrated(found) == ()


async def test_a_judge_that_says_yes_to_everything_is_refused_unless_allowed(tmp_path: Path) -> None:
    found = await calibrated(Simulated(flaws={"judge_yes": 1.0}), tmp_path)
    assert found.judge["task"].kappa.value == 0
    with pytest.raises(
        UserError, match=r"task: kappa 0\.00 .* expected is a kappa of at least 0\.4.*allow_uncalibrated"
    ):
        refuse_uncalibrated(found)
    assert refuse_uncalibrated(found, allow=True) == ("task",)
    assert refuse_uncalibrated(found, floor=0.0) == ()


async def test_the_simulated_judge_is_calibrated_in_all_steps(tmp_path: Path) -> None:
    metrics = [AtomicTaskMetric(), CompositionMetric()]
    found = await calibrate({DEFAULT_ROLE: lm_of(Simulated())}, metrics, folder=tmp_path)
    assert refuse_uncalibrated(found) == ()
    assert list(found.judge) == list(found.code) == list(found.both) == ["task", "composition", "all"]


async def test_code_alone_is_measured_beside_the_judge(tmp_path: Path) -> None:
    found = await calibrated(Simulated(flaws={"judge_yes": 1.0}), tmp_path)
    assert 0 < found.code["task"].found < 1
    assert found.both["task"].found == found.code["task"].found
    alone = await calibrate({DEFAULT_ROLE: lm_of(Scripted())}, [AtomicTaskMetric(judge_weight=0)], folder=tmp_path)
    assert alone.judge == {}
    assert alone.code == found.code


async def test_figures_are_flat_finite_and_named_by_reader_and_step(tmp_path: Path) -> None:
    figures = (await calibrated(Simulated(), tmp_path)).figures()
    assert figures["calibration/judge/task/items"] == len(TASKS)
    assert figures["calibration/judge/task/kappa_low"] <= figures["calibration/judge/task/kappa"]
    assert all(-1 <= value <= len(TASKS) for value in figures.values())


async def test_a_table_has_a_row_an_item_with_what_was_said_and_why(tmp_path: Path) -> None:
    rows = (await calibrated(Simulated(), tmp_path)).table()
    bad = next(row for row in rows if row["id"] == "task-16")
    assert (bad["label"], bad["judge"], bad["flaw"], bad["unmet"]) == ("bad", "bad", "two_steps", "one_step")


async def test_the_same_judge_is_asked_once(tmp_path: Path) -> None:
    first = await calibrated(Scripted(JudgeTask=knowing), tmp_path)
    again = Scripted()
    assert await calibrated(again, tmp_path) == first
    assert again.requests == []


async def test_another_prompt_or_model_is_asked_anew(tmp_path: Path) -> None:
    first = await calibrated(Scripted(JudgeTask=knowing), tmp_path)
    engine = Scripted(JudgeTask=knowing)
    fewer = await calibrate({DEFAULT_ROLE: lm_of(engine)}, [AtomicTaskMetric(demos=0)], folder=tmp_path)
    assert fewer.fingerprint != first.fingerprint
    assert len(engine.requests) == len(TASKS)


async def test_a_judge_that_breaks_down_raises_and_the_next_call_goes_on_from_there(tmp_path: Path) -> None:
    answered = 0

    def failing(request: lm15.Request) -> Said:
        nonlocal answered
        answered += 1
        return knowing(request) if answered <= 5 else lm15.AuthError("the key has expired")

    with pytest.raises(UserError, match="expired"):
        await calibrated(Scripted(JudgeTask=failing), tmp_path)
    kept = json.loads(file_in(tmp_path).read_text())
    assert len(kept) == 5
    mended = Scripted(JudgeTask=knowing)
    found = await calibrated(mended, tmp_path)
    assert len(mended.requests) == len(TASKS) - 5
    assert found.judge["task"].kappa.value == 1


async def test_an_item_without_a_usable_answer_counts_as_called_bad(tmp_path: Path) -> None:
    found = await calibrated(Scripted(JudgeTask=lambda request: "no idea"), tmp_path)
    assert (found.judge["task"].found, found.judge["task"].kept) == (1.0, 0.0)
    assert found.readings[0].unmet == ("no_usable_answer",)


async def test_a_damaged_file_of_opinions_is_refused_with_its_name(tmp_path: Path) -> None:
    await calibrated(Scripted(JudgeTask=knowing), tmp_path)
    file = file_in(tmp_path)
    file.write_text(file.read_text()[:100])
    with pytest.raises(UserError, match="is damaged; delete it"):
        await calibrated(Scripted(), tmp_path)
