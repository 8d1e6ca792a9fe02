"""Covers which examples a run accepts. How runs end, and go on afterwards: test_pipeline_endings."""

import asyncio
import signal
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walks import FirstOfItsKind, Scripted, Steps, finished, reference, seeds, walk

from button.allowance import Allowance
from button.errors import NoUsableAnswer
from button.journal import Journal
from button.stages import stages_of
from button.work import Work
from signatures.records import AtomicTask, Drop, Example, Outcome, Record, Scenario, Seed


@pytest.fixture(autouse=True)
def _no_test_hangs() -> Iterator[None]:
    """A row that waits for ever would hang the whole suite, and an alarm gets through even to a busy loop."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise TimeoutError("the run does not end")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


def usual(**of_all: Any) -> dict[str, Any]:
    """The shape of the real chain: scenarios, deduplicated, evolved, deduplicated; tasks, deduplicated; examples."""
    return {
        "name": Scripted("name", Seed, Scenario, **of_all),
        "dedup": FirstOfItsKind(Scenario),
        "evolve": Scripted("evolve", Scenario, Scenario, **of_all),
        "dedup_evolved": FirstOfItsKind(Scenario),
        "write": Scripted("write", Scenario, AtomicTask, **of_all),
        "dedup_tasks": FirstOfItsKind(AtomicTask),
        "finish": Scripted("finish", AtomicTask, Example, **of_all),
    }


@st.composite
def chains(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments for `chain`: which steps there are, and what each does."""
    free = ["name", "evolve", "write", "finish"]
    return {
        "salt": draw(st.integers(0, 10_000)),
        "evolve": draw(st.booleans()),
        "drops": {name: draw(st.sampled_from([0.0, 0.2, 0.6, 1.0])) for name in free},
        "most": {name: draw(st.integers(1, 3)) for name in free},
        "kinds": {
            name: draw(st.none() | st.integers(0, 12)) for name in ("dedup", "dedup_evolved", "dedup_tasks", "last")
        },
    }


def chain(*, salt: int, evolve: bool, drops: Any, most: Any, kinds: Any) -> Steps:
    def free(name: str, takes: type[Record], gives: type[Record]) -> Scripted:
        return Scripted(name, takes, gives, salt=salt, drops=drops[name], most=most[name])

    steps: dict[str, Any] = {
        "name": free("name", Seed, Scenario),
        "dedup": FirstOfItsKind(Scenario, kinds["dedup"] or 0, salt),
        "evolve": free("evolve", Scenario, Scenario),
        "dedup_evolved": FirstOfItsKind(Scenario, kinds["dedup_evolved"] or 0, salt),
        "write": free("write", Scenario, AtomicTask),
        "dedup_tasks": FirstOfItsKind(AtomicTask, kinds["dedup_tasks"] or 0, salt),
        "finish": free("finish", AtomicTask, Example),
        "last": FirstOfItsKind(Example, kinds["last"] or 0, salt),
    }
    left_out = {name for name, kind in kinds.items() if kind is None} | (set() if evolve else {"evolve"})
    return {name: step for name, step in steps.items() if name not in left_out}


# The same examples at any concurrency


@settings(max_examples=25, deadline=None)
@given(made=chains(), count=st.integers(1, 12), n=st.integers(1, 20), draws=st.sampled_from([1, 2, 3, None]))
def test_the_same_examples_are_accepted_at_any_concurrency(
    made: dict[str, Any], count: int, n: int, draws: int | None
) -> None:
    expected = reference(chain(**made), seeds(count), n=n, draws=draws)
    for rows in (1, 3, 64):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.db"
            walked = asyncio.run(walk(chain(**made), seeds(count), path, n=n, rows=rows, draws=draws))
        assert walked.accepted == expected
        assert walked.ending.reason == ("done" if len(expected) == n else "seeds_exhausted")


async def test_an_ordered_step_is_asked_in_seed_order_however_rows_race(path: Path) -> None:
    class Racing(Scripted):
        """The later the seed, the sooner it is done."""

        async def aforward(self, record: Record, work: Work) -> Outcome:
            assert isinstance(record, Seed)
            await asyncio.sleep(0.02 - int(record.source.split("#")[1]) / 1000)
            return self.outcome(record, work.draw)

    steps: Steps = {
        "name": Racing("name", Seed, Scenario, most=2),
        "dedup": FirstOfItsKind(Scenario),
        "finish": Scripted("finish", Scenario, Example),
    }
    await walk(steps, seeds(20), path, rows=64)
    dedup, name = steps["dedup"], steps["name"]
    assert isinstance(dedup, FirstOfItsKind)
    assert isinstance(name, Racing)
    outcomes = [name.outcome(seed, 0) for seed in seeds(20)]
    assert dedup.seen == [record.id for given_ in outcomes if not isinstance(given_, Drop) for record in given_]


@pytest.mark.parametrize("rows", [1, 64])
async def test_n_is_met_exactly_even_within_one_row(path: Path, rows: int) -> None:
    steps = usual()
    steps["write"] = Scripted("write", Scenario, AtomicTask, most=3)
    every = await walk(usual() | {"write": Scripted("write", Scenario, AtomicTask, most=3)}, seeds(9), path)
    assert len(every.accepted) > 9
    for n in range(1, len(every.accepted), 3):
        walked = await walk(
            usual() | {"write": Scripted("write", Scenario, AtomicTask, most=3)},
            seeds(9),
            path.with_name(f"{n}.db"),
            n=n,
            rows=rows,
        )
        assert walked.accepted == every.accepted[:n]
        assert (walked.ending.reason, walked.ending.accepted) == ("done", n)


async def test_the_funnel_counts_the_seeds_that_were_walked_not_those_that_were_only_read(path: Path) -> None:
    read: list[Seed] = []

    def source() -> Iterator[Seed]:
        for seed in seeds(500):
            read.append(seed)
            yield seed

    steps = usual()
    walked = await walk(steps, source(), path, n=5, rows=4)
    count = walked.funnel.steps["seeds"]
    assert count.taken == count.given == walked.funnel.steps["name"].taken + walked.funnel.steps["name"].live
    assert 5 <= count.taken < len(read)
    assert count.live == 0


async def test_rows_stop_being_started_once_n_is_met(path: Path) -> None:
    steps = usual()
    await walk(steps, seeds(500), path, n=5, rows=64)
    assert len(steps["name"].asked) < 20


# Draws


async def test_kept_scenarios_are_drawn_on_again_until_n_is_met(path: Path) -> None:
    steps = usual()
    walked = await walk(steps, seeds(3), path, n=10, draws=None)
    assert len(walked.accepted) == len(set(walked.accepted)) == 10
    assert [draw for _, draw in steps["write"].asked[:9]] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert len(steps["name"].asked) == len(steps["evolve"].asked) == 3


async def test_draws_are_limited(path: Path) -> None:
    walked = await walk(usual(), seeds(3), path, n=10, draws=2)
    assert len(walked.accepted) == 6
    assert walked.ending.reason == "seeds_exhausted"
    assert walked.ending.detail == "6 rows were started from 3 scenarios after 2 draws"


@pytest.mark.parametrize("rows", [1, 64])
async def test_three_fruitless_draws_end_the_run_whatever_the_draw_before_them_left_under_way(
    path: Path, rows: int
) -> None:
    class OnlyInTheFirstDraw(Scripted):
        def outcome(self, record: Record, draw: int) -> Outcome:
            return Drop(reason="late") if draw else super().outcome(record, draw)

    steps = usual() | {"finish": OnlyInTheFirstDraw("finish", AtomicTask, Example)}
    walked = await walk(steps, seeds(4), path, n=10, rows=rows, draws=None)
    assert len(walked.accepted) == 4
    assert {draw for _, draw in steps["write"].asked} == {0, 1, 2, 3}
    assert walked.ending.reason == "seeds_exhausted"
    assert "3 further draws on them accepted nothing" in walked.ending.detail


async def test_n_met_while_later_rows_are_still_before_the_pool_ends_the_run(path: Path) -> None:
    class SlowLast(Scripted):
        async def aforward(self, record: Record, work: Work) -> Outcome:
            await asyncio.sleep(10 if record == seeds(3)[-1] else 0)
            return self.outcome(record, work.draw)

    steps = usual() | {"name": SlowLast("name", Seed, Scenario)}
    walked = await asyncio.wait_for(walk(steps, seeds(3), path, n=2, rows=64, draws=None), 5)
    assert walked.ending.reason == "done"


async def test_a_chain_without_scenarios_has_nothing_to_draw_on_again(path: Path) -> None:
    steps: Steps = {"finish": Scripted("finish", Seed, Example)}
    for draws in (None, 3):
        walked = await walk(steps, seeds(2), path, n=5, draws=draws)
        assert (walked.ending.reason, len(walked.accepted)) == ("seeds_exhausted", 2)


async def test_without_seeds_there_is_nothing_to_do(path: Path) -> None:
    walked = await walk(usual(), [], path, n=1, draws=None)
    assert (walked.ending.reason, walked.accepted) == ("seeds_exhausted", [])


# Records that are the same


async def test_a_record_that_a_step_gives_twice_is_walked_once(path: Path) -> None:
    class Stammering(Scripted):
        def outcome(self, record: Record, draw: int) -> Outcome:
            outcome = super().outcome(record, draw)
            return outcome if isinstance(outcome, Drop) else outcome * 2

    steps: Steps = {
        "name": Stammering("name", Seed, Scenario),
        "finish": Scripted("finish", Scenario, Example),
    }
    walked = await walk(steps, seeds(3), path)
    assert len(walked.accepted) == len(set(walked.accepted)) == 3


# Drops


async def test_drops_are_counted_with_their_reasons(path: Path) -> None:
    steps = usual() | {
        "evolve": Scripted("evolve", Scenario, Scenario, drops=0.5, most=2),
        "dedup_evolved": FirstOfItsKind(Scenario, kinds=4),
    }
    walked = await walk(steps, seeds(30), path)
    counts = walked.funnel.as_dict()
    assert (counts["name"]["in"], counts["name"]["out"]) == (30, 30)
    assert counts["evolve"]["dropped"]["evolve_failed"] > 5
    assert counts["dedup_evolved"] == counts["dedup_evolved"] | {
        "in": counts["evolve"]["out"],
        "out": 4,
        "dropped": {"seen_before": counts["evolve"]["out"] - 4},
    }
    assert len(walked.accepted) == 4
    assert all(count.live == 0 for count in walked.funnel.steps.values())


async def test_a_model_without_a_usable_answer_drops_the_record_and_only_that(path: Path) -> None:
    class Failing(Scripted):
        async def aforward(self, record: Record, work: Work) -> Outcome:
            await super().aforward(record, work)
            if record.id == seeds(3)[1].id:
                raise NoUsableAnswer("truncated", "cut off. " * 1000)
            return self.outcome(record, work.draw)

    steps = usual() | {"name": Failing("name", Seed, Scenario, answers=2)}
    walked = await walk(steps, seeds(3), path)
    assert len(walked.accepted) == 2
    assert walked.funnel.as_dict()["name"]["dropped"] == {"truncated": 1}
    assert walked.funnel.as_dict()["name"]["lm_calls"] == 6  # the dropped record's calls count too
    journal = Journal(path)
    noted = journal.file.rows("SELECT reason, length(detail), calls FROM outcomes WHERE reason NOT NULL")
    assert list(noted) == [("truncated", 4000, 2)]
    journal.close()


async def test_what_a_step_loses_beside_what_it_gives_is_counted_and_again_when_the_run_goes_on(path: Path) -> None:
    class Losing(Scripted):
        async def aforward(self, record: Record, work: Work) -> Outcome:
            work.losses.append(Drop(reason="unparsable", detail="no JSON"))
            return await super().aforward(record, work)

    for _ in range(2):  # the second time from the journal alone
        steps = usual() | {"evolve": Losing("evolve", Scenario, Scenario)}
        walked = await walk(steps, seeds(5), path)
        assert (
            walked.funnel.as_dict()["evolve"] | {"in": 5, "out": 5, "dropped": {"unparsable": 5}}
            == (walked.funnel.as_dict()["evolve"])
        )
        assert len(walked.accepted) == 5
    assert not steps["evolve"].asked


async def test_a_step_that_gives_another_record_than_it_declares_is_a_bug(path: Path) -> None:
    class Confused(Scripted):
        def outcome(self, record: Record, draw: int) -> Outcome:
            return (finished(record),)

    steps = usual() | {"write": Confused("write", Scenario, AtomicTask)}
    with pytest.raises(TypeError, match="step 'write' gave a Example, it declares AtomicTask"):
        await walk(steps, seeds(3), path)


# Stages


@pytest.mark.parametrize(
    ("names", "stages"),
    [
        (" ".join(usual()), "name/dedup evolve/dedup_evolved * write/dedup_tasks finish"),
        ("name write finish", "name* write,finish"),
        ("name evolve write finish", "name,evolve* write,finish"),
        ("name dedup write finish", "name/dedup * write,finish"),
        ("name", "name"),
    ],
)  # fmt: skip
def test_the_pool_is_filled_where_the_last_scenario_step_ends(names: str, stages: str) -> None:
    steps = {name: step for name, step in usual().items() if name in names.split()}
    found = [
        ",".join(name for name, _ in stage.free)
        + (f"/{stage.ordered[0]}" if stage.ordered else "")
        + ("*" if stage.fills_pool else "")
        for stage in stages_of(steps)
    ]
    assert " ".join(found) == stages


# Memory


def test_memory_does_not_grow_with_the_number_of_rows(path: Path) -> None:
    class Measuring(Scripted):
        count = 0

        async def aforward(self, record: Record, work: Work) -> Outcome:
            self.count += 1
            if self.count % 1000 == 0:
                at.append(tracemalloc.get_traced_memory()[0])
            return Drop(reason="trivial")

    def many() -> Iterator[Seed]:
        for number in range(4000):
            yield Seed.derive(None, source=f"tests#{number}", text=str(number), form="scenario")

    at: list[int] = []
    step = Measuring("name", Seed, Example)
    tracemalloc.start(1)
    try:
        asyncio.run(walk({"name": step}, many(), path, rows=16, allowance=Allowance()))
    finally:
        tracemalloc.stop()
    assert step.count == 4000
    assert at[-1] - at[0] < 100_000
