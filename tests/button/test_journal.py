"""Covers what a journal keeps, through kills, full disks and damaged files. One process at a time: test_run_folder."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest
from adversity import file_size_limit, powerless
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import TEXTS, examples, for_examples, weather_example

from button.errors import UserError
from button.journal import Journal, Key, Usage
from signatures.records import (
    AssistantTurn,
    Drop,
    Example,
    Outcome,
    Record,
    Scenario,
    Seed,
    Trajectory,
    UserTurn,
)

ROOT = Path(__file__).parents[2]
USAGE = Usage(calls=2, prompt_tokens=30, completion_tokens=7, cost=0.25, seconds=1.5)
SEED = Seed.derive(None, source="tests#1", text="booking flights", form="scenario")
SCENARIO = Scenario.derive(SEED, text="booking flights")
KEY = Key("scenario", SEED.id, 0)
WRITER = """
import asyncio, sys
from pathlib import Path
from button.journal import Journal, Key, Usage
from signatures.records import Scenario, Seed

async def main() -> None:
    journal = Journal(Path(sys.argv[1]))
    for number in range(100_000):
        seed = Seed.derive(None, source="tests", text=str(number), form="scenario")
        journal.put_record(seed, "seeds", None)
        await journal.put_answer(Key("scenario", seed.id, 0), "first", b"an answer")
        scenario = Scenario.derive(seed, text=str(number))
        journal.put_outcome(Key("scenario", seed.id, 0), seed, (scenario,), Usage(calls=1))
        await journal.put_answer(Key("task", seed.id, 0), "second", str(number).encode())
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


def put(journal: Journal, key: Key, source: Record, outcome: Outcome, usage: Usage = USAGE) -> None:
    if source.parent is None:
        journal.put_record(source, "seeds", None)
    journal.put_outcome(key, source, outcome, usage)


def reopened(path: Path) -> "closing[Journal]":
    return closing(Journal(path))


def steps_of(example: Example) -> list[tuple[Record, Record]]:
    """The last three step calls behind an example: what each took and what it gave."""
    problem = example.trajectory.problem
    return [(problem.composition, problem), (problem, example.trajectory), (example.trajectory, example)]


# Kills


def test_whatever_a_write_returned_from_survives_a_kill(path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)}) as writer:
        assert writer.stdout is not None
        last = next(int(line) for line in writer.stdout if int(line) >= 50)
        writer.send_signal(signal.SIGKILL)
        last = max([last, *map(int, writer.stdout.read().split())])

    with reopened(path) as journal:
        for number in range(last + 1):
            seed = Seed.derive(None, source="tests", text=str(number), form="scenario")
            outcome, usage = journal.outcome(Key("scenario", seed.id, 0), seed) or ((), Usage())
            assert outcome == (Scenario.derive(seed, text=str(number)),)
            assert usage.calls == 1
            assert journal.answer(Key("task", seed.id, 0), "second") == str(number).encode()
            assert journal.answer(Key("scenario", seed.id, 0), "first") is None


# Records and outcomes


@settings(for_examples, max_examples=10)
@given(examples())
def test_every_record_comes_back_as_it_was(example: Example) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.db"
        with reopened(path) as journal:
            journal.put_record(example.trajectory.problem.composition, "compose", None)
            for source, given_ in steps_of(example):
                put(journal, Key(given_.kind, source.id, 0), source, (given_,))
            journal.put_accepted(0, example)
        with reopened(path) as journal:
            assert list(journal.examples()) == [example]
            for source, given_ in steps_of(example):
                assert journal.outcome(Key(given_.kind, source.id, 0), source) == ((given_,), USAGE)
                assert journal.record(given_.id) == given_


def test_a_record_does_not_repeat_the_one_it_was_made_from(path: Path) -> None:
    example = weather_example()
    with reopened(path) as journal:
        for source, given_ in steps_of(example):
            put(journal, Key(given_.kind, source.id, 0), source, (given_,))
    with closing(sqlite3.connect(path)) as db:
        bodies = "".join(body for (body,) in db.execute("SELECT body FROM records"))
    assert bodies.count("Find Friday's temperature in Oslo.") == 0
    assert bodies.count('"get_forecast","description"') == 1


def test_a_record_that_holds_another_than_its_parent_comes_back_whole(path: Path) -> None:
    """As a user's step may make it: a trajectory whose parent is not the problem in it."""
    problem = weather_example().trajectory.problem
    turns = (UserTurn(content="Hi."), AssistantTurn(thought="Easy.", final="Done."))
    orphan = Trajectory.derive(SCENARIO, problem=problem, parallel=False, turns=turns)
    with reopened(path) as journal:
        put(journal, KEY, SEED, (SCENARIO,))
        put(journal, Key("simulate", problem.id, 0), problem, (orphan,))
    with reopened(path) as journal:
        assert journal.outcome(Key("simulate", problem.id, 0), problem) == ((orphan,), USAGE)
        assert journal.record(orphan.id) == orphan


@settings(max_examples=10)
@given(st.lists(st.builds(Drop, reason=TEXTS, detail=TEXTS), min_size=1))
def test_a_drop_comes_back_with_its_reason(drops: list[Drop]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with reopened(Path(folder) / "run.db") as journal:
            for draw, drop in enumerate(drops):
                put(journal, KEY._replace(draw=draw), SEED, drop)
        with reopened(Path(folder) / "run.db") as journal:
            for draw, drop in enumerate(drops):
                assert journal.outcome(KEY._replace(draw=draw), SEED) == (drop, USAGE)


@settings(max_examples=10)
@given(st.lists(st.builds(Drop, reason=TEXTS, detail=TEXTS)))
def test_what_a_step_call_lost_comes_back_in_its_order(losses: list[Drop]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with reopened(Path(folder) / "run.db") as journal:
            journal.put_record(SEED, "seeds", None)
            journal.put_outcome(KEY, SEED, (SCENARIO,), USAGE, losses)
        with reopened(Path(folder) / "run.db") as journal:
            assert journal.outcome(KEY, SEED) == ((SCENARIO,), USAGE)
            assert list(journal.losses(KEY)) == losses
            assert not journal.losses(KEY._replace(draw=1))


@pytest.mark.parametrize("outcome", [(), (SEED,), (SCENARIO,), (SCENARIO, Scenario.derive(SEED, text="fishing"))])
def test_an_outcome_comes_back_in_its_order(path: Path, outcome: tuple[Record, ...]) -> None:
    with reopened(path) as journal:
        put(journal, KEY, SEED, outcome)
    with reopened(path) as journal:
        assert journal.outcome(KEY, SEED) == (outcome, USAGE)


def test_a_step_call_is_known_by_step_record_and_draw(path: Path) -> None:
    with reopened(path) as journal:
        put(journal, KEY, SEED, (SCENARIO,))
    with reopened(path) as journal:
        for other in (KEY._replace(step="x"), KEY._replace(record="x"), KEY._replace(draw=1)):
            assert journal.outcome(other, SEED) is None


def test_a_fresh_journal_knows_nothing_and_a_used_one_is_resumed(path: Path) -> None:
    with reopened(path) as journal:
        journal.set_meta("config", "{}")
        assert not journal.resumed
    with reopened(path) as journal:
        assert not journal.resumed
        put(journal, KEY, SEED, (SCENARIO,))
    with reopened(path) as journal:
        assert journal.resumed
        assert journal.meta("config") == "{}"
        assert journal.meta("finished") is None


def test_what_was_spent_is_the_sum_over_all_outcomes(path: Path) -> None:
    with reopened(path) as journal:
        assert journal.spent() == (0, 0.0)
        put(journal, KEY, SEED, (SCENARIO,))
        put(journal, Key("task", SCENARIO.id, 0), SCENARIO, Drop(reason="truncated"))
    with reopened(path) as journal:
        assert journal.spent() == (4, 0.5)


def test_the_pool_and_the_accepted_keep_their_order(path: Path) -> None:
    kept = [weather_example(first=city) for city in ("Oslo", "Bergen", "Turku")]
    pooled = [Scenario.derive(SEED, text=text) for text in ("c", "a", "b")]
    with reopened(path) as journal:
        put(journal, KEY, SEED, tuple(pooled))
        for ordinal in (2, 0, 1):
            journal.put_pool(ordinal, pooled[ordinal])
            journal.put_record(kept[ordinal], "gate", None)
            journal.put_accepted(ordinal, kept[ordinal])
        assert [journal.pool(ordinal) for ordinal in range(3)] == pooled
    with reopened(path) as journal:
        assert journal.accepted() == 3
        assert [example.id for example in journal.examples()] == [example.id for example in kept]


def test_examples_that_are_read_half_when_the_journal_closes_end_in_silence(path: Path) -> None:
    with reopened(path) as journal:
        for ordinal, city in enumerate(("Oslo", "Bergen")):
            journal.put_record(weather_example(first=city), "gate", None)
            journal.put_accepted(ordinal, weather_example(first=city))
        reader = journal.examples()
        next(reader)
    del reader  # an error in it is no exception here but a warning, which fails the test


# LM answers


async def test_a_journal_with_nothing_but_an_answer_is_resumed_too(path: Path) -> None:
    with reopened(path) as journal:
        await journal.put_answer(KEY, "first", b"1")
    with reopened(path) as journal:
        assert journal.resumed


async def test_answers_vanish_with_the_outcome_they_led_to(path: Path) -> None:
    other = Key("task", SCENARIO.id, 0)
    with reopened(path) as journal:
        await journal.put_answer(KEY, "first", b"1")
        await journal.put_answer(KEY, "second", b"2")
        await journal.put_answer(other, "first", b"3")
    with reopened(path) as journal:
        assert [journal.answer(KEY, name) for name in ("first", "second", "third")] == [b"1", b"2", None]
        put(journal, KEY, SEED, (SCENARIO,))
        assert journal.answer(KEY, "first") is None
    with reopened(path) as journal:
        assert journal.answer(KEY, "first") is None
        assert journal.answer(other, "first") == b"3"


async def test_many_answers_at_once_are_committed_together(path: Path) -> None:
    with reopened(path) as journal:
        commits: list[str] = []
        journal.file.db.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
        await asyncio.gather(*(journal.put_answer(KEY, str(number), b"x") for number in range(50)))
        assert len(commits) == 1


@settings(max_examples=10)
@given(st.lists(TEXTS, min_size=1))
def test_an_answer_comes_back_byte_by_byte(bodies: list[str]) -> None:
    async def write(path: Path) -> None:
        with reopened(path) as journal:
            await asyncio.gather(*(journal.put_answer(KEY, str(i), body.encode()) for i, body in enumerate(bodies)))

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(write(Path(folder) / "run.db"))
        with reopened(Path(folder) / "run.db") as journal:
            assert [journal.answer(KEY, str(i)) for i in range(len(bodies))] == [body.encode() for body in bodies]


# Files that cannot be written or read


async def test_a_full_disk_stops_every_writer_and_loses_nothing_that_was_written(path: Path) -> None:
    journal = Journal(path)
    await journal.put_answer(KEY, "small", b"fits")
    with file_size_limit(200_000):
        waits = [journal.put_answer(KEY, f"large {number}", b"x" * 100_000) for number in range(3)]
        for failure in await asyncio.gather(*waits, return_exceptions=True):
            assert isinstance(failure, UserError)
            assert "run.db" in str(failure)
            assert "free space" in str(failure)
        with pytest.raises(UserError, match="free space"):
            journal.put_outcome(KEY, SEED, (SCENARIO,), USAGE)
        with pytest.raises(UserError, match="free space"):
            journal.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        journal.meta("config")
    with reopened(path) as journal:
        assert journal.answer(KEY, "small") == b"fits"
        assert journal.answer(KEY, "large 0") is None
        await journal.put_answer(KEY, "small", b"space again")


def test_a_database_that_is_full_is_the_users_to_mend(path: Path) -> None:
    journal = Journal(path)
    pages = journal.file.db.execute("PRAGMA page_count").fetchone()[0]
    journal.file.db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UserError, match="database or disk is full; free space"):
        journal.set_meta("config", "x" * 20_000)
    journal.file.db.execute("PRAGMA max_page_count = 1000000")
    journal.close()
    with reopened(path) as journal:
        assert journal.meta("config") == "x" * 20_000


def test_a_file_that_is_no_journal_is_the_users_to_mend(path: Path) -> None:
    path.write_text("The accounts of the year 2019. " * 100)
    with pytest.raises(UserError, match=r"run\.db: file is not a database"):
        Journal(path)
    assert path.read_text().startswith("The accounts")


def test_a_folder_in_place_of_the_journal_is_the_users_to_mend(path: Path) -> None:
    path.mkdir()
    with pytest.raises(UserError, match=r"run\.db: unable to open"):
        Journal(path)


def test_a_read_only_journal_is_the_users_to_mend() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.db"
        Journal(path).close()
        path.chmod(0o444)
        Path(folder).chmod(0o555)
        with powerless(), pytest.raises(UserError, match="readonly"):
            Journal(path)
        Path(folder).chmod(0o755)


def filled() -> Example:
    return weather_example(first="A" * 20_000)


@pytest.fixture(scope="session")
def filled_journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("filled") / "run.db"
    with reopened(path) as journal:
        journal.put_record(filled().trajectory.problem.composition, "compose", None)
        for source, given_ in steps_of(filled()):
            put(journal, Key(given_.kind, source.id, 0), source, (given_,))
        journal.put_accepted(0, filled())
    return path.read_bytes()


@settings(for_examples, max_examples=20)
@given(st.data())
def test_a_torn_journal_is_the_users_to_mend(filled_journal: bytes, data: st.DataObject) -> None:
    """Whatever is cut off or overwritten, no raw database error gets out, and no half of a record is read."""
    pages = len(filled_journal) // 4096
    page = data.draw(st.integers(1, pages - 1)) * 4096
    left = filled_journal[:page]
    if data.draw(st.booleans()):
        left += data.draw(st.sampled_from([b"\0", b"\xff", b"x"])) * 4096 + filled_journal[page + 4096 :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.db"
        path.write_bytes(left)
        with suppress(UserError), reopened(path) as journal:
            journal.accepted()
            journal.spent()
            for source, given_ in steps_of(filled()):
                assert journal.outcome(Key(given_.kind, source.id, 0), source) in (None, ((given_,), USAGE))
            assert list(journal.examples()) in ([], [filled()])


def test_a_journal_without_a_record_that_it_names_says_so(path: Path) -> None:
    with reopened(path) as journal:
        put(journal, KEY, SEED, (SCENARIO,))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM records WHERE id = ?", (SCENARIO.id,))
    with reopened(path) as journal, pytest.raises(UserError, match=rf"damaged: record {SCENARIO.id} is missing"):
        journal.outcome(KEY, SEED)


@pytest.mark.parametrize(("column", "value"), [("body", "{"), ("body", "{}"), ("body", "[]"), ("kind", "recipe")])
def test_a_record_that_cannot_be_read_says_so(path: Path, column: str, value: str) -> None:
    with reopened(path) as journal:
        put(journal, KEY, SEED, (SCENARIO,))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE records SET {column} = ? WHERE id = ?", (value, SCENARIO.id))
    with reopened(path) as journal, pytest.raises(UserError, match=rf"damaged: record {SCENARIO.id} cannot be read"):
        journal.outcome(KEY, SEED)
