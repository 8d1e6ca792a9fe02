"""Covers how runs end (errors, budgets, interrupts, kills) and go on afterwards. What they accept: test_pipeline."""

import asyncio
import gc
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dspy
import pytest
from dspy import lm15
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import Scripted as ScriptedEngine
from scripted import lm_of
from walks import Counting, FirstOfItsKind, Scripted, Steps, answer, asyncio_errors, pipeline_of, seeds, walk

from button.allowance import Allowance
from button.errors import BudgetReached, UserError
from button.funnel import Funnel
from button.journal import Journal
from button.pipeline import SEEDS
from button.work import DEFAULT_ROLE, Work
from modules.ask import Ask
from signatures.records import AtomicTask, Example, Outcome, Record, Scenario, Seed

KILLER = Path(__file__).parents[1] / "killed_walks.py"
quiet = pytest.fixture(asyncio_errors)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


class Name(dspy.Signature):  # type: ignore[misc]
    """Name it."""

    text: str = dspy.InputField(desc="what")
    name: str = dspy.OutputField(desc="its name")


class Asking(Scripted):
    """A step that asks a real LM, `answers` questions a record."""

    async def aforward(self, record: Record, work: Work) -> Outcome:
        self.asked.append((record.id, work.draw))
        for number in range(self.answers):
            ask = Ask(Name, role="any")
            await ask.acall(work, inputs={"text": record.id}, label=str(number))
        return self.outcome(record, work.draw)


class Slow(ScriptedEngine):
    """Answers after 30 ms; `ended` counts the answers. `on_request` is called with the number of each request."""

    ended = 0

    def __init__(self, on_request: Callable[[int], None] = lambda number: None) -> None:
        super().__init__()
        self.on_request = on_request

    async def complete(self, request: lm15.Request) -> lm15.Response:
        self.requests.append(request)
        self.on_request(len(self.requests))
        await asyncio.sleep(0.03)
        self.ended += 1
        return answer('{"name": "x"}')


class FailingAt(Scripted):
    """A step that fails at the record whose text ends with `bad`, and takes long over all others."""

    bad = ""
    went_on = 0

    async def aforward(self, record: Record, work: Work) -> Outcome:
        self.asked.append((record.id, work.draw))
        if str(getattr(record, "text", "")).endswith(self.bad):
            await asyncio.sleep(0.01)
            raise UserError("the key is refused")
        await asyncio.sleep(0.05)
        self.went_on += 1
        return self.outcome(record, work.draw)


def usual(answers: int = 1) -> dict[str, Any]:
    return {
        "name": Scripted("name", Seed, Scenario, answers=answers),
        "evolve": Scripted("evolve", Scenario, Scenario, answers=answers, most=3, drops=0.1),
        "dedup": FirstOfItsKind(Scenario, kinds=40),
        "write": Scripted("write", Scenario, AtomicTask, answers=answers, drops=0.2),
        "finish": Scripted("finish", AtomicTask, Example, answers=answers),
    }


def three_scenarios() -> Scripted:
    """A step that makes three scenarios of the first seed."""
    steps = (Scripted("name", Seed, Scenario, most=3, salt=salt) for salt in range(100))
    return next(step for step in steps if len(step.outcome(seeds(1)[0], 0)) == 3)  # type: ignore[arg-type]


def kept(path: Path) -> int:
    """How many LM answers the journal holds: in outcomes, and waiting for theirs."""
    with closing(sqlite3.connect(path)) as db:
        outcomes, answers = "SELECT total(calls) FROM outcomes", "SELECT count(*) FROM answers"
        return int(db.execute(outcomes).fetchone()[0]) + int(db.execute(answers).fetchone()[0])


def contents(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as db:
        return {
            name: db.execute(f"SELECT * FROM {name}").fetchall()
            for name in ("records", "outcomes", "answers", "pool", "accepted")
        }


# Errors


async def test_what_the_user_must_mend_stops_the_run_and_everything_in_it(path: Path, quiet: list[str]) -> None:
    step = FailingAt("name", Seed, Scenario)
    step.bad = "seed 3"
    steps: Steps = {"name": step, "finish": Scripted("finish", Scenario, Example)}
    with pytest.raises(UserError, match="the key is refused"):
        await walk(steps, seeds(50), path, rows=8)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert step.went_on == 0
    assert not quiet


async def test_when_all_rows_fail_at_once_one_error_is_raised_and_nothing_is_logged(
    path: Path, quiet: list[str]
) -> None:
    step = FailingAt("name", Seed, Scenario)
    steps: Steps = {"name": step, "finish": Scripted("finish", Scenario, Example)}
    with pytest.raises(UserError, match="the key is refused"):
        await walk(steps, seeds(50), path, rows=8)
    assert not quiet


@pytest.mark.parametrize("bad", ["seed 3", ""])
async def test_an_error_in_the_last_stage_stops_the_run_though_earlier_rows_are_not_done(
    path: Path, bad: str, quiet: list[str]
) -> None:
    step = FailingAt("finish", Seed, Example)
    step.bad = bad
    with pytest.raises(UserError, match="the key is refused"):
        await walk({"finish": step}, seeds(50), path, rows=8)
    assert step.went_on == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}
    gc.collect()
    assert not quiet


async def test_an_error_in_one_branch_of_a_row_stops_the_others(path: Path, quiet: list[str]) -> None:
    step = FailingAt("evolve", Scenario, Scenario)
    step.bad = "name1"
    steps: Steps = {"name": three_scenarios(), "evolve": step, "finish": Scripted("finish", Scenario, Example)}
    with pytest.raises(UserError, match="the key is refused"):
        await walk(steps, seeds(1), path)
    assert len(step.asked) == 3
    await asyncio.sleep(0.1)
    assert step.went_on == 0
    assert not quiet


@pytest.mark.parametrize("stage", ["middle", "last"])
async def test_errors_in_several_branches_of_a_row_are_one_error(path: Path, stage: str, quiet: list[str]) -> None:
    takes_them = FailingAt("evolve", Scenario, Scenario if stage == "middle" else Example)
    steps: Steps = {"name": three_scenarios(), "evolve": takes_them, "finish": Scripted("finish", Scenario, Example)}
    if stage == "last":
        steps = {name: step for name, step in steps.items() if name != "finish"}
    with pytest.raises(UserError, match="the key is refused"):
        await walk(steps, seeds(1), path)
    gc.collect()
    assert not quiet


async def test_an_error_of_the_seeds_stops_the_run(path: Path) -> None:
    def broken() -> Iterator[Seed]:
        yield from seeds(3)
        raise UserError("seeds.jsonl, line 4: no JSON")

    with pytest.raises(UserError, match="line 4: no JSON"):
        await walk(usual(), broken(), path)


async def test_an_error_outweighs_a_budget_that_ends_in_the_same_moment(path: Path) -> None:
    class Failing(Scripted):
        async def aforward(self, record: Record, work: Work) -> Outcome:
            await asyncio.sleep(0.01)
            if record.id == seeds(8)[4].id:
                raise UserError("the key is refused")
            work.ledger.spend()
            return self.outcome(record, work.draw)

    steps: Steps = {"name": Failing("name", Seed, Scenario), "finish": Scripted("finish", Scenario, Example)}
    with pytest.raises(UserError, match="the key is refused"):
        await walk(steps, seeds(8), path, rows=8, allowance=Allowance(max_calls=0))


# Budgets and interrupts


@pytest.mark.parametrize("rows", [1, 16])
@pytest.mark.parametrize("calls", [0, 1, 7, 30])
async def test_a_budget_of_calls_is_met_exactly_and_what_it_paid_is_kept(
    path: Path, calls: int, rows: int, quiet: list[str]
) -> None:
    engine = Slow()
    steps = usual() | {"name": Asking("name", Seed, Scenario, answers=2)}
    walked = await walk(
        steps, seeds(30), path, rows=rows, allowance=Allowance(max_calls=calls), lms={DEFAULT_ROLE: lm_of(engine)}
    )
    assert walked.ending.reason == "budget"
    assert f"budget.max_calls={calls} is reached" in walked.ending.detail
    assert kept(path) == calls
    assert all(count.live == 0 for count in walked.funnel.steps.values())
    assert not quiet


async def test_a_budget_that_ends_in_one_branch_of_a_row_keeps_what_the_others_paid(path: Path) -> None:
    engine = Slow()
    steps: Steps = {
        "name": three_scenarios(),
        "evolve": Asking("evolve", Scenario, Scenario, answers=2),
        "finish": Scripted("finish", Scenario, Example),
    }
    lms = {DEFAULT_ROLE: lm_of(engine)}
    walked = await walk(steps, seeds(1), path, allowance=Allowance(max_calls=2), lms=lms)
    assert walked.ending.reason == "budget"
    assert len(engine.requests) == engine.ended == kept(path) == 2


async def test_an_interrupted_run_finishes_the_calls_under_way_and_starts_no_other(path: Path) -> None:
    def interrupt(number: int) -> None:
        allowance.interrupted = allowance.interrupted or number == 6

    engine = Slow(interrupt)
    allowance = Allowance()
    steps = usual() | {"name": Asking("name", Seed, Scenario, answers=5)}
    walked = await walk(steps, seeds(8), path, rows=4, allowance=allowance, lms={DEFAULT_ROLE: lm_of(engine)})
    assert walked.ending.reason == "interrupted"
    assert 6 <= len(engine.requests) <= 8  # four at once: those that were allowed before the sixth was made
    assert engine.ended == kept(path) == len(engine.requests)


@pytest.mark.parametrize("ending", ["interrupted", "budget", "failure"])
async def test_calls_that_wait_for_room_when_a_run_ends_are_not_sent_and_count_nowhere(
    path: Path, ending: str, quiet: list[str]
) -> None:
    def end(number: int) -> None:
        if number == 5 and ending == "interrupted":
            allowance.interrupted = True
        if number == 5 and ending == "failure":
            raise lm15.AuthError("the key is refused")

    engine = Slow(end)
    engine.concurrency = 3
    allowance = Allowance(max_calls=5 if ending == "budget" else None)
    steps = usual() | {"name": Asking("name", Seed, Scenario, answers=3)}
    journal = Journal(path)
    watcher = Counting(Funnel([SEEDS, *steps]))
    pipeline = pipeline_of(steps, journal, watcher, allowance=allowance, lms={DEFAULT_ROLE: lm_of(engine)})
    run = pipeline.run(seeds(20), n=20, rows_in_flight=12, draws=1)
    if ending == "failure":
        with pytest.raises(UserError, match="the key is refused"):
            await run
    else:
        assert (await run).reason == ending
    journal.close()
    answered = len(engine.requests) - (ending == "failure")
    assert len(engine.requests) <= (5 if ending == "budget" else 7)  # with the two beside the fifth
    assert engine.ended == kept(path) == answered
    assert not watcher.funnel.as_dict()["name"]["dropped"]
    assert all(count.live == 0 for count in watcher.funnel.steps.values())
    assert not quiet


async def test_once_the_run_ends_no_row_starts_another_call(path: Path) -> None:
    class Ending(Asking):
        async def aforward(self, record: Record, work: Work) -> Outcome:
            if record.id == seeds(4)[3].id:
                raise BudgetReached("a limit of its own")
            return await super().aforward(record, work)

    engine = Slow()
    steps = usual() | {"name": Ending("name", Seed, Scenario, answers=5)}
    walked = await walk(steps, seeds(8), path, rows=4, lms={DEFAULT_ROLE: lm_of(engine)})
    assert (walked.ending.reason, walked.ending.detail) == ("budget", "a limit of its own")
    assert len(engine.requests) == engine.ended == kept(path) == 3


async def test_a_larger_budget_goes_on_where_the_smaller_one_ended(path: Path) -> None:
    expected = await walk(usual(), seeds(10), path.with_name("whole.db"))
    steps = usual()
    for calls in (5, 17, 1000):
        journal = Journal(path)
        spent = journal.spent()
        journal.close()
        walked = await walk(steps, seeds(10), path, allowance=Allowance(calls, None, *spent))
        steps = {**steps, "dedup": FirstOfItsKind(Scenario, kinds=40)}
    assert walked.ending.reason == "seeds_exhausted"
    assert walked.accepted == expected.accepted
    assert contents(path) == contents(path.with_name("whole.db"))


# Kills


@settings(max_examples=15, deadline=None)
@given(moments=st.lists(st.integers(1, 60), min_size=1, max_size=4), rows=st.sampled_from([1, 3, 32]))
def test_after_any_number_of_kills_the_journal_is_the_same_and_nothing_was_paid_twice(
    moments: list[int], rows: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        whole, path = Path(folder) / "whole.db", Path(folder) / "run.db"
        asyncio.run(walk(usual(2), seeds(4), whole, rows=8, draws=2))
        steps = usual(2)  # they remember what they were paid for, and complain at the second time
        for moment in moments:
            asyncio.run(_killed(steps, path, rows=rows, loops=moment))
            steps = {**steps, "dedup": FirstOfItsKind(Scenario, kinds=40)}
        asyncio.run(walk(steps, seeds(4), path, rows=rows, draws=2))
        assert contents(path) == contents(whole)


async def _killed(steps: Steps, path: Path, *, rows: int, loops: int) -> None:
    """A run that vanishes after some turns of the event loop, with all it had not yet written."""
    journal = Journal(path)
    pipeline = pipeline_of(steps, journal, Counting(Funnel([SEEDS, *steps])))
    run = asyncio.create_task(pipeline.run(seeds(4), n=100, rows_in_flight=rows, draws=2))
    await asyncio.sleep(0.002)  # the seeds are read in a thread
    for _ in range(loops):
        await asyncio.sleep(0)
    journal.file._pending.clear()
    journal.file.flush = lambda: None  # type: ignore[method-assign]
    paid = {name: set(step.paid) for name, step in steps.items() if isinstance(step, Scripted)}
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    journal.file.abandon()
    for name, step in steps.items():
        if isinstance(step, Scripted):
            step.paid = paid[name]  # nothing that happened after the kill has happened


def test_a_run_killed_again_and_again_accepts_the_same_and_repeats_no_paid_call(tmp_path: Path) -> None:
    """Real processes and SIGKILL: see killed_walks.py."""
    seed = str(random.randrange(10**6))
    command = [sys.executable, str(KILLER), str(tmp_path), seed]
    environment = {"PYTHONPATH": f"{KILLER.parents[1]}:{KILLER.parent}", "LITELLM_LOCAL_MODEL_COST_MAP": "true"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    report = json.loads(done.stdout)
    assert report["kills"] >= 3, seed
    assert report["paid_twice"] == [], seed
    assert contents(tmp_path / "killed.db") == contents(tmp_path / "whole.db"), seed


# Finished runs


async def test_a_finished_run_that_is_walked_again_calls_no_step(path: Path) -> None:
    first = await walk(usual(), seeds(10), path)
    before = contents(path)
    steps = usual()
    again = await walk(steps, seeds(10), path, rows=2, allowance=Allowance(max_calls=0))
    assert again.accepted == first.accepted
    assert again.funnel.as_dict() == first.funnel.as_dict()
    assert not any(step.asked for name, step in steps.items() if name != "dedup")
    assert contents(path) == before
