"""`button optimize` as a user runs it."""

import io
import json
import os
import re
import signal
import sqlite3
import threading
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import mlflow
import pytest
from generating import Ran, generate
from served import endpoint, served

from button.cli import main
from button.errors import UserError
from button.programs import load
from button.registry import best, register

SMALL = ("sizes={train: 4, validation: 4, test: 4}", "budget.max_metric_calls=40")
PLAIN = ("lm=simulated", "lm.flaws=0", "lm.weakness.long_task=0.9", "lm.weakness.missing_detail=0.9")
WEAK = (*PLAIN, "metric.judge_weight=0")


def optimize(out: Path, *words: str, tracked: bool = False) -> Ran:
    """Run `button optimize` on few items with these words, untracked unless asked."""
    tracking = () if tracked else ("tracking=none",)
    with redirect_stderr(io.StringIO()) as said, redirect_stdout(io.StringIO()):
        code = main(["optimize", *SMALL, *tracking, f"out={out}", *words])
    return Ran(code, said.getvalue(), out)


def result(out: Path, step: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / step / "result.json").read_text())
    return found


def test_a_step_is_optimised_and_the_program_makes_the_next_run_better(tmp_path: Path) -> None:
    ran = optimize(tmp_path / "o", *WEAK, "step=task")
    assert ran.code == 0, ran.said
    assert result(tmp_path / "o", "task")["test/objective/difference"] > 0
    programs = tmp_path / "o" / "programs"
    assert f"to use it: button generate programs={programs}" in ran.said
    plain, tuned = (
        generate(tmp_path / "a", "n=4", *PLAIN),
        generate(tmp_path / "b", "n=4", *PLAIN, f"programs={programs}"),
    )
    assert (plain.code, tuned.code) == (0, 0)
    assert tuned.calls < plain.calls


def test_its_folder_shows_what_was_tried_and_what_changed(tmp_path: Path) -> None:
    assert optimize(tmp_path, *WEAK, "step=task").code == 0
    candidates = json.loads((tmp_path / "task" / "candidates.json").read_text())
    assert candidates[0]["candidate"] == 0
    assert {row["predictor"] for row in candidates} == {"ask.predict"}
    assert len({row["hash"] for row in candidates}) == len({row["candidate"] for row in candidates}) > 1
    rows = json.loads((tmp_path / "task" / "held_out.json").read_text())
    assert len(rows) == 4
    assert all(row["given"] and row["before"] and row["after"] for row in rows)
    front = json.loads((tmp_path / "task" / "pareto_front.json").read_text())
    assert sum(row["best_on_items"] for row in front) >= 4
    page = (tmp_path / "task" / "report.md").read_text()
    assert "gain (95 % interval)" in page
    assert "Count the words" in page


def test_gepa_only_reworks_an_instruction_that_some_answer_at_hand_was_given_to(tmp_path: Path) -> None:
    """Step compose asks another predictor for each kind of plan."""
    ran = optimize(tmp_path, *WEAK, "step=compose", "optimizer.minibatch=1", "sizes.train=8", "seed=1")
    assert ran.code == 0, ran.said
    log = (tmp_path / "compose" / "optimizer.log").read_text()
    assert "Proposed new text" in log
    assert "No valid predictions" not in log


def test_the_share_that_is_kept_is_a_part_of_the_score_like_any_other(tmp_path: Path) -> None:
    words = (*PLAIN, "lm.weakness.long_task=1", "steps.task.tries=1", "metric.judge_weight=0", "step=task")
    assert optimize(tmp_path, *words).code == 0
    found = result(tmp_path, "task")
    assert found["test/kept/before"] < found["test/kept/after"]
    assert found["test/part/kept/before"] == found["test/kept/before"]


def test_a_finished_optimisation_is_not_repeated(tmp_path: Path) -> None:
    assert optimize(tmp_path, *WEAK, "step=task").code == 0
    again = optimize(tmp_path, *WEAK, "step=task")
    assert (again.code, "nothing to do" in again.said) == (0, True)
    assert "to search with" not in again.said
    more = optimize(tmp_path, *WEAK, "step=task", "budget.max_metric_calls=90")
    assert "budget.max_metric_calls was 40 then; for a search with 90 choose another out" in more.said
    other = optimize(tmp_path, *WEAK, "step=task", "seed=1")
    assert other.code == 2
    assert "seed: 0 there, 1 here" in other.said


def test_all_steps_are_optimised_in_order_and_later_ones_start_from_what_was_found(tmp_path: Path) -> None:
    ran = optimize(tmp_path, *WEAK, "step=all", "~metric@metrics.functions", "~metric@metrics.simulate")
    assert ran.code == 0, ran.said
    assert ran.said.index("task: trying the program") < ran.said.index("compose: trying the program")
    assert {file.stem for file in (tmp_path / "programs").iterdir()} == {"task", "compose"}
    assert load(tmp_path / "programs" / "compose.json").step == "compose"


def test_all_that_is_cut_off_resumes_with_the_next_step(tmp_path: Path) -> None:
    words = (*WEAK, "step=all", "~metric@metrics.functions", "~metric@metrics.simulate")
    assert optimize(tmp_path / "task", *WEAK, "step=task").code == 0
    calls = int(re.findall(r"(\d+) LM calls in all", (tmp_path / "task" / "task" / "report.md").read_text())[0])
    short = optimize(tmp_path / "o", *words, f"budget.max_calls={calls + 10}")
    assert short.code == 3, short.said
    again = optimize(tmp_path / "o", *words)
    assert again.code == 0, again.said
    assert "task: trying" not in again.said
    assert re.search(r"task: 0\.\d+ -> .*\ncompose: ", again.said)
    whole = optimize(tmp_path / "whole", *words)
    assert "12 of 12 items made, from 12 seeds" in whole.said[whole.said.index("compose: making") :]
    assert result(tmp_path / "o", "compose") == result(tmp_path / "whole", "compose")
    for name in ("held_out.json", "candidates.json", "report.md"):
        assert (tmp_path / "o" / "compose" / name).read_text() == (tmp_path / "whole" / "compose" / name).read_text()
    assert calls_in(again) == calls_in(whole)


def test_a_budget_of_calls_counts_those_of_the_judge_also_after_a_stop(tmp_path: Path) -> None:
    words = (*PLAIN, "step=task", "allow_uncalibrated=true")
    whole = optimize(tmp_path / "whole", *words)
    assert whole.code == 0, whole.said
    assert optimize(tmp_path / "o", *words, "budget.max_calls=40").code == 3
    again = optimize(tmp_path / "o", *words)
    assert (again.code, calls_in(again)) == (0, calls_in(whole))


def calls_in(ran: Ran) -> int:
    """How many LM calls a finished optimisation says it took."""
    return int(re.findall(r"(\d+) LM calls in all", ran.said)[-1])


def test_each_step_is_charged_with_its_own_calls(tmp_path: Path) -> None:
    ran = optimize(tmp_path, *WEAK, "step=all", "~metric@metrics.functions", "~metric@metrics.simulate")
    pages = [(tmp_path / step / "report.md").read_text() for step in ("task", "compose")]
    assert sum(int(re.findall(r"(\d+) LM calls in all", page)[0]) for page in pages) == calls_in(ran)


def test_items_come_from_a_run_too(tmp_path: Path) -> None:
    assert generate(tmp_path / "run", "n=12", "lm.flaws=0").code == 0
    ran = optimize(tmp_path / "o", *WEAK, "step=task", f"items={tmp_path}/run")
    assert ran.code == 0, ran.said
    assert "items made" not in ran.said


def test_a_budget_of_calls_ends_it_and_a_larger_one_goes_on(tmp_path: Path) -> None:
    short = optimize(tmp_path, *WEAK, "step=task", "budget.max_calls=20")
    assert short.code == 3
    assert "budget.max_calls=20 is reached: the same command with a larger budget goes on" in short.said
    assert optimize(tmp_path, *WEAK, "step=task", "budget.max_calls=2000").code == 0


def test_an_interrupt_keeps_what_is_paid_for(tmp_path: Path) -> None:
    with served(latency_ms=5) as server:
        words = (
            *endpoint(server),
            "step=task",
            "metric.judge_weight=0",
            "optimizer=simba",
            "budget.max_metric_calls=200",
            "sizes.train=6",
        )
        timer = threading.Thread(target=interrupt_after, args=(server, 30))
        timer.start()
        stopped = optimize(tmp_path, *words)
        timer.join()
        first = server.traffic.summary()["calls"]
        assert (stopped.code, "the same command goes on from here" in stopped.said) == (130, True)
        assert optimize(tmp_path, *words).code == 0
        traffic = server.traffic.summary()
    assert (traffic["calls"] > first, traffic["repeats_of_answered"]) == (True, 0)


def interrupt_after(server: Any, calls: int) -> None:
    while server.traffic.summary()["calls"] < calls:
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


def test_what_is_better_by_chance_is_kept_aside_where_only_a_sure_gain_is_adopted(tmp_path: Path) -> None:
    ran = optimize(tmp_path, *WEAK, "step=task", "adopt=sure")
    assert (ran.code, "not adopted, the start stays" in ran.said) == (0, True)
    assert "to use it" not in ran.said
    found, adopted = (load(folder / "programs" / "task.json") for folder in (tmp_path / "task", tmp_path))
    assert "Count the words" in found.predictors["ask.predict"].instructions
    assert "Count the words" not in adopted.predictors["ask.predict"].instructions


@pytest.mark.slow
def test_what_was_best_at_its_beginning_is_what_a_run_starts_from(tmp_path: Path) -> None:
    """It may find something better, and be started again."""
    assert optimize(tmp_path / "first", *WEAK, "step=task", tracked=True).code == 0
    words = (*WEAK, "step=task", "programs=best", "seed=1")
    assert optimize(tmp_path / "o", *words, tracked=True).code == 0
    other = load(tmp_path / "first" / "programs" / "task.json").model_copy(update={"predictors": {}})
    mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
    register(other, "another run", message="better", is_best=True)
    again = optimize(tmp_path / "o", *words, tracked=True)
    assert (again.code, "nothing to do" in again.said) == (0, True), again.said


@pytest.mark.slow
def test_an_optimisation_is_one_mlflow_run_whose_best_program_is_used_by_its_alias(tmp_path: Path) -> None:
    ran = optimize(tmp_path / "o", *WEAK, "step=task", tracked=True)
    assert ran.code == 0, ran.said
    database = Path(os.environ["MLFLOW_TRACKING_URI"].removeprefix("sqlite:///"))

    def rows(query: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(database) as connection:
            return connection.execute(query).fetchall()

    assert [status for (status,) in rows("SELECT status FROM runs")] == ["FINISHED"]
    params = dict(rows("SELECT key, value FROM params"))
    assert (params["optimizer.minibatch"], params["step"], params["metric.name"]) == ("3", "task", "atomic_task")
    curve = rows("SELECT step, value FROM metrics WHERE key = 'validation/best' ORDER BY step")
    assert len(curve) >= 2
    assert curve == sorted(curve, key=lambda point: point[1])
    assert {context for (context,) in rows("SELECT value FROM input_tags")} >= {"train", "validation", "test"}
    artifacts = {path.name for path in (tmp_path / "mlartifacts").rglob("*") if path.is_file()}
    assert artifacts >= {
        "candidates.json",
        "held_out.json",
        "pareto_front.json",
        "report.md",
        "task.json",
        "config.yaml",
    }
    store = os.environ["MLFLOW_TRACKING_URI"]
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/elsewhere.db")  # as another part of this process may have done
    os.environ["MLFLOW_TRACKING_URI"] = store
    assert best(["task", "compose"], None)["task"] == load(tmp_path / "o" / "programs" / "task.json")
    assert os.environ["MLFLOW_TRACKING_URI"] == store
    used = generate(tmp_path / "g", "n=2", *PLAIN, "programs=best")
    assert used.code == 0, used.said
    assert load(used.out / "programs" / "task.json") == load(tmp_path / "o" / "programs" / "task.json")
    with pytest.raises(UserError, match="no step of this run has a program with the alias best"):
        best(["compose"], None)
    mlflow.set_tracking_uri(store)
    mlflow.genai.register_prompt("button-compose", "made by hand")
    mlflow.genai.set_prompt_alias("button-compose", "best", 1)
    with pytest.raises(UserError, match=r"button-compose, version 1 .* button optimize did not make it"):
        best(["compose"], None)
    kept = next((tmp_path / "mlartifacts").rglob("task.json"))
    kept.write_text(kept.read_text().replace("Count the words", "Count the sheep"))
    with pytest.raises(UserError, match=r"button-task, version 1.*was changed after it was written"):
        best(["task"], None)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["step=tusk"],
            r"step=tusk: is no step of this run; those that can be optimised are: task, compose",
        ),
        (["step=dedup"], "step=dedup: asks no model"),
        (["step=gate"], "step=gate: asks no model"),
        (["optimizer=magic"], "there is no such option; optimizer can be: bootstrap, gepa, miprov2, simba"),
        (["metric=magic"], "there is no such option; metric can be: "),
        (
            ["step=compose", "metric=atomic_task"],
            "the metric atomic_task scores the step 'task', not 'compose'; step=task is what",
        ),
        (["metric=pipeline"], "the metric pipeline scores the step 'pipeline', not 'compose'"),
        (["step=scenario"], "step=scenario has no metric of its own"),
        (["step=all", "metric=composition"], "metric is for one step"),
        (
            ["budget.max_metric_calls=10"],
            "budget.max_metric_calls=10 is too small: optimizer=gepa .* needs at least 17",
        ),
        (["optimizer=simba"], "optimizer=simba needs at least 6 train items, there are 4"),
        (["sizes.test=2"], "sizes.test=2 .*greater than or equal to 3"),
        (["optimizer.minibatch=0"], "optimizer.minibatch=0 .*greater than 0"),
        (["seeds.limit=5", "steps.evolve.per_scenario=0"], "too few for the 12 of sizes"),
        (["items=nowhere"], r"there is no run\.db in it"),
        (["lm@lms.reflector=simulated"], "lms.*reflector"),
        (["programs=nowhere"], "there is no program in it"),
        (["refusal_cost=1"], "refusal_cost=1 .*less than 1"),
        (["lm.weakness.sloth=0.5"], "lm.weakness has the unknown kind 'sloth'"),
    ],
)
def test_what_the_user_can_mend_is_said_in_one_message(words: list[str], message: str, tmp_path: Path) -> None:
    ran = optimize(tmp_path, "lm=simulated", "lm.flaws=0", *words)
    assert ran.code == 2, ran.said
    assert "Traceback" not in ran.said
    assert re.search(message, ran.said), ran.said


def test_a_judge_that_nobody_has_calibrated_is_refused(tmp_path: Path) -> None:
    mumbling = ("lm@lms.judge=simulated", "lms.judge.flaws.malformed=1", "lms.judge.persistent=1")
    words = ("lm=simulated", "lm.flaws=0", "step=task", *mumbling)
    ran = optimize(tmp_path, *words)
    assert ran.code == 2, ran.said
    assert "the judge does not agree with the hand-labelled set" in ran.said


def test_without_optuna_miprov2_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    ran = optimize(tmp_path, "lm=simulated", "optimizer=miprov2")
    assert ran.code == 2
    assert "pip install 'button-instruct[optimize]'" in ran.said
