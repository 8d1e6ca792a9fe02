import json
from pathlib import Path
from typing import Any

import pytest
from comparing import example

from button.errors import UserError
from button.tracking import NoTracking
from button.work import Work
from experiments.comparing.scoring import FILE, Scorer, calibrated, scored, scorers_of
from experiments.comparing.settings import CompareSettings
from experiments.metrics.metric import Score
from signatures.records import Outcome, Problem, Record, Trajectory

EXAMPLES = {"base": [example("Bake a cake."), example("Book a boat.")], "b": [example("Buy a lamp.")]}


class Lengths:
    """Scores a task by its length, and notes what it was asked."""

    name, step = "lengths", "simulate"

    def __init__(self, value: float | None = None) -> None:
        self.value = value
        self.asked: list[str] = []

    async def score(self, given: Record, outcome: Outcome, work: Work) -> Score:
        assert isinstance(given, Problem)
        assert isinstance(outcome, tuple)
        assert isinstance(outcome[0], Trajectory)
        assert outcome[0].problem is given
        self.asked.append(given.composition.task)
        value = len(given.composition.task) / 100 if self.value is None else self.value
        return Score(value, "so long", {"length": value})


def settings(out: Path, **changes: Any) -> CompareSettings:
    fields: dict[str, Any] = {
        "arms": {"base": (), "b": ("seed=1",)},
        "seeds": {"_target_": "button.seeds.builtin.BuiltinSeeds"},
        "out": out,
        "lm": {"_target_": "button.lms.simulated.Simulated"},
    }
    return CompareSettings(**{**fields, **changes})


async def test_each_accepted_trajectory_of_each_arm_is_scored_once_and_kept(tmp_path: Path) -> None:
    metric = Lengths()
    scorers = [Scorer("lengths", metric, "1")]
    found = await scored(scorers, EXAMPLES, settings(tmp_path))
    assert found["lengths"] == {
        made.id: len(made.trajectory.problem.composition.task) / 100 for made in EXAMPLES["base"] + EXAMPLES["b"]
    }
    rows = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert sorted((row["arm"], row["feedback"]) for row in rows) == [("b", "so long"), *[("base", "so long")] * 2]
    assert await scored(scorers, EXAMPLES, settings(tmp_path)) == found
    assert len(metric.asked) == 3


async def test_what_a_kill_cut_off_is_scored_again_and_nothing_else(tmp_path: Path) -> None:
    await scored([Scorer("lengths", Lengths(), "1")], EXAMPLES, settings(tmp_path))
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:-20])
    metric = Lengths()
    found = await scored([Scorer("lengths", metric, "1")], EXAMPLES, settings(tmp_path))
    assert (len(found["lengths"]), len(metric.asked)) == (3, 1)
    again = Lengths()
    assert await scored([Scorer("lengths", again, "1")], EXAMPLES, settings(tmp_path)) == found
    assert again.asked == []


async def test_another_judge_scores_anew(tmp_path: Path) -> None:
    await scored([Scorer("lengths", Lengths(), "1")], EXAMPLES, settings(tmp_path))
    metric = Lengths(0.25)
    found = await scored([Scorer("lengths", metric, "2")], EXAMPLES, settings(tmp_path))
    assert set(found["lengths"].values()) == {0.25}


async def test_a_score_that_is_no_share_is_refused_with_the_metric(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the metric lengths gave 7"):
        await scored([Scorer("lengths", Lengths(7.0), "1")], EXAMPLES, settings(tmp_path))


def test_what_decides_a_score_is_in_its_identity(tmp_path: Path) -> None:
    one = scorers_of(settings(tmp_path, metrics=("trajectory",))).each[0]
    assert one.metric.step in ("simulate", "trajectory")
    assert scorers_of(settings(tmp_path / "b", metrics=("trajectory",))).each[0].identity == one.identity
    judge = {"_target_": "button.lms.simulated.Simulated", "seed": 3}
    assert (
        scorers_of(settings(tmp_path, metrics=("trajectory",), lms={"judge": judge})).each[0].identity != one.identity
    )


async def test_a_metric_that_goes_by_code_alone_asks_no_judge(tmp_path: Path) -> None:
    judge = {"_target_": "button.lms.simulated.Simulated", "flaws": {"judge_yes": 1.0}}
    poor = settings(tmp_path, metrics=("trajectory", "assistant_turn"), lms={"judge": judge})
    scorers = scorers_of(poor)
    assert [metric.name for metric in scorers.judged] == ["trajectory"]
    with pytest.raises(UserError, match="does not agree with the hand-labelled set"):
        await calibrated(scorers, poor, NoTracking())
    by_code = scorers_of(poor.model_copy(update={"metric": {"judge_weight": 0.0}}))
    assert by_code.judged == []
    assert by_code.each[0].identity != scorers.each[0].identity
    assert by_code.each[1].identity == scorers.each[1].identity
    await calibrated(by_code, poor, NoTracking())


def opinions_in(out: Path) -> dict[str, int]:
    """The files of what judges said of the labelled set, and when they were written."""
    return {file.name: file.stat().st_mtime_ns for file in out.glob("calibration-*.json")}


async def test_a_judge_is_asked_for_its_agreement_once_a_comparison(tmp_path: Path) -> None:
    settled = settings(tmp_path, metrics=("trajectory",))
    await calibrated(scorers_of(settled), settled, NoTracking())
    written = opinions_in(tmp_path)
    assert len(written) == 1
    await calibrated(scorers_of(settled), settled, NoTracking())
    assert opinions_in(tmp_path) == written
