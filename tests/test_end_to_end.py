"""Covers `button generate` from the command line to the exported files, on the simulated model.

Values that are refused: test_bad_input; kills: test_durability; command lines as such: button/test_cli.
"""

import json
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from generating import Ran, data_of, generate

from button.cli import main
from button.config import GenerateSettings, as_config, settings_from

N = 16
ONE_TO_ONE = ("scenario", "dedup", "dedup_evolved", "task", "dedup_tasks", "compose", "judge", "functions", "simulate")
FILTERS = (*ONE_TO_ONE, "gate")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("end-to-end")


@pytest.fixture(scope="module")
def run(folder: Path) -> Ran:
    """One finished run, 64 calls at once."""
    return generate(folder / "run", f"n={N}", "lm.concurrency=64")


@pytest.fixture(scope="module")
def serial(folder: Path) -> Ran:
    """The same with one call at a time."""
    return generate(folder / "serial", f"n={N}", "lm.concurrency=1")


@pytest.fixture(scope="module")
def exhausted(folder: Path) -> Ran:
    """A run whose seeds do not suffice."""
    return generate(folder / "exhausted", "n=50", "seeds.limit=6", "draws=1")


def test_a_run_meets_n_and_says_so(run: Ran) -> None:
    assert run.code == 0
    assert f"{N} of {N} trajectories accepted" in run.said.splitlines()[-1]
    assert {path.name for path in run.out.iterdir() if not path.name.startswith(".")} == {
        *("run.db", "dataset", "button.jsonl", "sharegpt.jsonl", "funnel.json", "config.yaml"),
    }


def test_the_dataset_is_the_same_to_the_byte_at_any_concurrency(run: Ran, serial: Ran) -> None:
    assert run.data == serial.data


def test_a_finished_run_does_nothing_and_says_so(run: Ran) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.out.rglob("*") if path.is_file()}
    again = generate(run.out, f"n={N}", "lm.concurrency=64")
    assert again.code == 0
    assert f"{run.out} is finished, with {N} accepted trajectories: nothing to do" in again.said
    assert {path: path.stat().st_mtime_ns for path in run.out.rglob("*") if path.is_file()} == before


def test_another_config_in_the_same_folder_is_refused_with_the_keys(run: Ran) -> None:
    before = run.data
    refused = generate(run.out, f"n={N + 1}", "seed=3", "lm.concurrency=64", "~step@steps.judge")
    assert refused.code == 2
    for line in (f"n: {N} there, {N + 1} here", "seed: 0 there, 3 here", "steps.judge._target_: '"):
        assert f"\n  {line}" in refused.said
    assert "choose another `out`" in refused.said
    assert run.data == before


def test_the_config_that_is_written_down_is_whole_and_that_of_the_run(run: Ran) -> None:
    text = (run.out / "config.yaml").read_text()
    assert "${" not in text
    assert "???" not in text
    settings = settings_from(yaml.safe_load(text), GenerateSettings)
    assert (settings.n, settings.seed, settings.out, settings.tracking) == (N, 0, run.out, None)
    assert as_config(settings) == yaml.safe_load(text)


def test_the_funnel_adds_up(run: Ran, exhausted: Ran) -> None:
    for ran in (run, exhausted):
        for step in FILTERS:
            count = ran.funnel[step]
            assert count["in"] == count["out"] + sum(count["dropped"].values()), step
            assert "" not in count["dropped"], step
    assert run.funnel["gate"]["out"] >= N
    steps = [name for name in exhausted.funnel if name != "seeds"]
    for step, following in pairwise(steps):
        assert exhausted.funnel[step]["out"] == exhausted.funnel[following]["in"], step
    assert exhausted.funnel["gate"]["out"] == len(exhausted.examples)
    assert sum(count["lm_calls"] for count in run.funnel.values()) > 10 * N
    assert all(count["prompt_tokens"] > 0 for count in run.funnel.values() if count["lm_calls"])


def test_the_exports_are_read_back_with_all_rows(run: Ran) -> None:
    from datasets import load_dataset

    rows = [row for split in load_dataset(str(run.out / "dataset")).values() for row in split]
    assert len(rows) == N
    assert {row["id"] for row in rows} == {example.id for example in run.examples}
    for name in ("button.jsonl", "sharegpt.jsonl"):
        assert (run.out / name).read_text(encoding="utf-8").count("\n") == N


def test_seeds_that_do_not_suffice_end_the_run_with_3_and_what_was_made(exhausted: Ran) -> None:
    assert exhausted.code == 3
    assert "the seeds are exhausted" in exhausted.said
    assert "6 rows were started" in exhausted.said
    made = len(exhausted.examples)
    assert 0 < made < 50
    assert f"{made} of 50 trajectories accepted" in exhausted.said
    assert (exhausted.out / "button.jsonl").read_text(encoding="utf-8").count("\n") == made


def test_a_budget_ends_the_run_with_3_and_a_larger_one_goes_on_to_the_same_bytes(folder: Path, serial: Ran) -> None:
    words = (f"n={N}", "lm.concurrency=1")
    short = generate(folder / "budget", *words, "budget.max_calls=150")
    assert short.code == 3
    assert "the budget is used up: the same command with a larger one goes on from here" in short.said
    assert "(budget.max_calls=150 is reached)" in short.said
    kept = (short.out / "button.jsonl").read_bytes()
    assert 0 < kept.count(b"\n") < N
    assert serial.data["button.jsonl"].startswith(kept)
    whole = generate(folder / "budget", *words, "budget.max_calls=5000")
    assert whole.code == 0
    assert whole.data == serial.data
    assert whole.calls == serial.calls


def test_a_step_is_left_out_and_another_takes_the_place_of_one(folder: Path) -> None:
    ran = generate(
        folder / "off",
        *("n=6", "~step@steps.judge", "step@steps.compose=parallel_then_sequential", "steps.simulate.parallel=off"),
        "lm.flaws.calls_in_serial_mode=0.5",  # the model often calls two functions at once all the same
    )
    assert ran.code == 0
    assert "judge" not in ran.funnel
    for example in ran.examples:
        composition = example.trajectory.problem.composition
        assert composition.strategy == "parallel_then_sequential"
        assert composition.verdict is None
        assert not example.trajectory.parallel
        assert example.measures.parallel_rounds == 0
        assert all(len(getattr(turn, "calls", ())) <= 1 for turn in example.trajectory.turns)
    assert b"You should call one function at a time" in ran.data["sharegpt.jsonl"]


def test_parallel_calls_are_made_where_they_are_on(folder: Path, run: Ran) -> None:
    ran = generate(folder / "on", "n=6", "step@steps.compose=parallel_then_sequential", "steps.simulate.parallel=on")
    assert ran.code == 0
    assert all(example.trajectory.parallel for example in ran.examples)
    assert sum(example.measures.parallel_rounds for example in ran.examples) >= 3
    mixed = [example.trajectory for example in run.examples]
    assert {trajectory.parallel for trajectory in mixed} == {True, False}
    assert {trajectory.problem.composition.strategy for trajectory in mixed} == {
        "sequential",
        "parallel_then_sequential",
    }


def test_three_samples_an_action_take_three_calls(folder: Path) -> None:
    one, three = (
        generate(folder / f"samples-{samples}", "n=3", f"steps.simulate.samples={samples}", "lm.flaws=0")
        for samples in (1, 3)
    )
    assert (one.code, three.code) == (0, 0)
    assert len(three.examples) == 3
    assert three.funnel["simulate"]["lm_calls"] > 1.5 * one.funnel["simulate"]["lm_calls"]


def test_the_jobs_of_a_multirun_are_runs_of_their_own(folder: Path) -> None:
    ran = generate(folder / "multi", "-m", "n=2", "seed=0,1")
    assert ran.code == 0
    first, second = (data_of(ran.out / f"seed-{seed}") for seed in (0, 1))
    assert first["button.jsonl"].count(b"\n") == second["button.jsonl"].count(b"\n") == 2
    assert first != second


def test_a_step_of_the_users_own_is_used_once_its_package_is_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_steps").mkdir()
    (tmp_path / "own_steps" / "short.py").write_text(
        "from button.work import Work\n"
        "from signatures.records import AtomicTask, Drop, Outcome\n\n\n"
        "class ShortTasks:\n"
        '    """Keeps tasks of at most `words` words."""\n\n'
        "    takes = AtomicTask\n"
        "    gives = AtomicTask\n\n"
        "    def __init__(self, words: int = 20) -> None:\n"
        "        self.words = words\n\n"
        "    async def aforward(self, record: AtomicTask, work: Work) -> Outcome:\n"
        "        if len(record.task.split()) > self.words:\n"
        '            return Drop(reason="too_long", detail=record.task)\n'
        "        return (record,)\n"
    )
    words = ("n=3", "+steps.mine._target_=own_steps.short.ShortTasks", "steps.mine.after=task", "steps.mine.words=14")
    refused = generate(tmp_path / "out", *words)
    assert refused.code == 2
    assert "add its package with allow_targets=[my_pkg]" in refused.said
    ran = generate(tmp_path / "out", *words, "allow_targets=[own_steps]")
    assert ran.code == 0
    assert list(ran.funnel)[5:8] == ["task", "mine", "dedup_tasks"]
    assert ran.funnel["mine"]["dropped"]["too_long"] > 0


@pytest.mark.slow
def test_a_tracked_run_leaves_one_finished_mlflow_run_with_its_config_its_funnel_and_its_files(tmp_path: Path) -> None:
    for _ in range(2):  # the second time there is nothing to do
        ran = generate(tmp_path / "run", "n=2", "tracking=mlflow", "tracking.experiment=e2e", "tracking.trace_ratio=1")
        assert ran.code == 0
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as store:

        def rows(query: str) -> list[Any]:
            return store.execute(query).fetchall()

        assert rows("SELECT runs.name, status, experiments.name FROM runs JOIN experiments USING (experiment_id)") == [
            ("generate run", "FINISHED", "e2e")
        ]
        params = dict(rows("SELECT key, value FROM params"))
        metrics = dict(rows("SELECT key, value FROM latest_metrics"))
        traces = rows("SELECT count(*) FROM trace_info")
    assert (params["n"], params["lm._target_"]) == ("2", "button.lms.simulated.Simulated")
    assert metrics["accepted"] == 2
    assert metrics["gate/out"] == ran.funnel["gate"]["out"]
    assert metrics["lm_calls"] == ran.calls
    assert 0 < metrics["mean/grounded_share"] <= 1
    assert traces == [(2,)]
    files = {path.name: path for path in (tmp_path / "mlartifacts").rglob("*") if path.is_file()}
    assert {"config.yaml", "funnel.json", "samples.txt"} <= files.keys()
    assert json.loads(files["funnel.json"].read_text()) == ran.funnel


def test_the_config_of_a_run_is_shown_without_running_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--cfg", "job", f"out={folder / 'none'}"]) == 0
    assert "_target_: button.lms.embedded.Embedded" in capsys.readouterr().out
    assert not (folder / "none").exists()
