"""The journal of a run: SQLite in WAL mode, one writer, commits in small groups.

Every record is stored once, under its id; every step call has an outcome: the ids it gave, or its drop with the
reason. LM answers are stored while the step call they belong to has no outcome yet. Whatever `write` has returned
from survives kill -9: the operating system has it, and WAL keeps transactions whole.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from button.errors import UserError
from signatures import records
from signatures.records import Drop, Example, Outcome, Record

FORMAT = "1"
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
    id TEXT PRIMARY KEY, parent TEXT, kind TEXT NOT NULL, step TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outcomes (
    step TEXT NOT NULL, record TEXT NOT NULL, draw INTEGER NOT NULL, given TEXT NOT NULL, reason TEXT, detail TEXT,
    calls INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, cost REAL NOT NULL,
    seconds REAL NOT NULL, PRIMARY KEY (step, record, draw)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    step TEXT NOT NULL, record TEXT NOT NULL, draw INTEGER NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (step, record, draw, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pool (ordinal INTEGER PRIMARY KEY, id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accepted (ordinal INTEGER PRIMARY KEY, id TEXT NOT NULL);
"""
KINDS: dict[str, type[Record]] = {
    kind.kind: kind
    for kind in (
        records.Seed,
        records.Scenario,
        records.AtomicTask,
        records.Composition,
        records.Problem,
        records.Trajectory,
        records.Example,
    )
}


@dataclass(slots=True)
class Usage:
    """What LM calls took: calls, tokens, US dollars, seconds of waiting."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    seconds: float = 0.0


class Key(NamedTuple):
    """One step call: which step, on which record, in which draw."""

    step: str
    record: str
    draw: int


class Journal:
    """One run's journal. Use from one event loop; `close` when done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            raise _unusable(path, error) from error
        self._pending: list[tuple[str, tuple[Any, ...]]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._scheduled = False
        self._failure: UserError | None = None
        (found,) = self._row("SELECT EXISTS (SELECT 1 FROM outcomes) OR EXISTS (SELECT 1 FROM answers)") or (0,)
        self.resumed = bool(found)
        self._answers = self._interrupted_answers()

    def close(self) -> None:
        """Write what is pending and close; safe to call twice. Raises UserError where it cannot be written."""
        try:
            self._flush()
        finally:
            self._pending.clear()  # what could not be written; a flush that is still scheduled finds nothing to do
            self._db.close()

    def holds_work(self) -> bool:
        """Whether an LM answer or an accepted example would be lost with it."""
        return bool(self.accepted() or self._answers or self.spent()[0])

    # What the run says about itself

    def meta(self, key: str) -> str | None:
        row = self._row("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None

    def set_meta(self, key: str, value: str) -> None:
        self._queue("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
        self._flush()

    # Outcomes of step calls

    def outcome(self, key: Key, source: Record) -> tuple[Outcome, Usage] | None:
        """What an earlier run noted for this step call on `source`, or None."""
        if not self.resumed:
            return None
        row = self._row(
            "SELECT given, reason, detail, calls, prompt_tokens, completion_tokens, cost, seconds"
            " FROM outcomes WHERE step = ? AND record = ? AND draw = ?",
            key,
        )
        if row is None:
            return None
        given, reason, detail, *usage = row
        if reason is not None:
            return Drop(reason=reason, detail=detail), Usage(*usage)
        return tuple(self.record(id_, source) for id_ in given.split()), Usage(*usage)

    def put_outcome(self, key: Key, source: Record, outcome: Outcome, usage: Usage) -> None:
        """Note an outcome; its records are stored and the answers it was made from are forgotten, all at once."""
        reason, detail, given = None, None, ""
        if isinstance(outcome, Drop):
            reason, detail = outcome.reason, outcome.detail
        else:
            given = " ".join(record.id for record in outcome)
            for record in outcome:
                if record is not source:
                    self.put_record(record, key.step, source)
        self._queue(
            "INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, given, reason, detail, *_numbers(usage)),
        )
        if usage.calls:
            self._queue("DELETE FROM answers WHERE step = ? AND record = ? AND draw = ?", key)
            self._answers.pop(key, None)

    def spent(self) -> tuple[int, float]:
        """LM calls and US dollars of all outcomes so far."""
        calls, cost = self._row("SELECT total(calls), total(cost) FROM outcomes") or (0, 0)
        return int(calls), float(cost)

    # Records

    def put_record(self, record: Record, step: str, source: Record | None) -> None:
        """Store a record once. The record it was made from is not repeated inside it."""
        body = record.model_dump(mode="json", exclude={"id", "parent", _embedding(record, source)})
        self._queue(
            "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?)",
            (record.id, record.parent, record.kind, step, orjson.dumps(body).decode()),
        )

    def record(self, id_: str, source: Record | None = None) -> Record:
        """The record stored under `id_`; `source`, where given, is the one it may have been made from."""
        if source is not None and source.id == id_:
            return source
        row = self._row("SELECT parent, kind, body FROM records WHERE id = ?", (id_,))
        if row is None:
            raise self._damaged(f"record {id_} is missing")
        parent, kind, body = row
        try:
            fields = orjson.loads(body)
            embedded = EMBEDDED.get(kind)
            if embedded is not None and embedded not in fields:
                near = source if source is not None and source.id == parent else self.record(parent)
                fields[embedded] = near
            return KINDS[kind].model_validate({"id": id_, "parent": parent, **fields})
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(f"record {id_} cannot be read") from error

    # LM answers of step calls without an outcome

    def answer(self, key: Key, name: str) -> bytes | None:
        kept = self._answers.get(key)
        return kept.get(name) if kept else None

    async def put_answer(self, key: Key, name: str, body: bytes) -> None:
        """Return once the answer is durable."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._queue("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", (*key, name, body.decode()))
        await future

    # The scenarios that later draws start from, and the accepted examples

    def put_pool(self, ordinal: int, record: Record) -> None:
        self._queue("INSERT OR REPLACE INTO pool VALUES (?, ?)", (ordinal, record.id))

    def pool(self, ordinal: int) -> Record:
        self._flush()
        row = self._row("SELECT id FROM pool WHERE ordinal = ?", (ordinal,))
        if row is None:
            raise self._damaged(f"scenario {ordinal} of the pool is missing")
        return self.record(row[0])

    def put_accepted(self, ordinal: int, example: Record) -> None:
        self._queue("INSERT OR REPLACE INTO accepted VALUES (?, ?)", (ordinal, example.id))

    def accepted(self) -> int:
        """How many examples are accepted so far."""
        (count,) = self._row("SELECT count(*) FROM accepted") or (0,)
        return int(count)

    def examples(self) -> Iterator[Example]:
        """The accepted examples in order, read one by one."""
        self._flush()
        for (id_,) in self._rows("SELECT id FROM accepted ORDER BY ordinal"):
            example = self.record(id_)
            assert isinstance(example, Example)
            yield example

    # Reading

    def _row(self, statement: str, values: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
        return next(self._rows(statement, values), None)

    def _rows(self, statement: str, values: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            # `yield from` would also close the cursor, which fails in a reader that outlives the journal.
            for row in self._db.execute(statement, values):  # noqa: UP028
                yield row
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, what: str) -> UserError:
        return UserError(f"{self.path} is damaged: {what}; move the folder away and run again")

    # Writing

    def _queue(self, statement: str, values: tuple[Any, ...]) -> None:
        if self._failure is not None:
            raise self._failure
        self._pending.append((statement, values))
        if not self._scheduled:
            try:
                asyncio.get_running_loop().call_soon(self._flush_or_fail)
            except RuntimeError:  # no loop yet: the caller flushes
                return
            self._scheduled = True

    def _flush_or_fail(self) -> None:
        """Flush; a failure is raised in those who wait and in whoever writes next, so that it stops the run."""
        waiting, self._waiting = self._waiting, []
        try:
            self._flush()
        except UserError as error:
            self._failure = error
            for future in waiting:
                if not future.done():
                    future.set_exception(error)
            return
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def _flush(self) -> None:
        self._scheduled = False
        pending, self._pending = self._pending, []
        if not pending:
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for statement, values in pending:
                self._db.execute(statement, values)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._pending = pending + self._pending
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise _unusable(self.path, error) from error

    def _interrupted_answers(self) -> dict[Key, dict[str, bytes]]:
        """The answers an interrupted run has left: at most those of the rows it had in flight."""
        found: dict[Key, dict[str, bytes]] = {}
        for step, record, draw, name, body in self._rows("SELECT step, record, draw, key, body FROM answers"):
            found.setdefault(Key(step, record, draw), {})[name] = body.encode()
        return found


EMBEDDED = {"problem": "composition", "trajectory": "problem", "example": "trajectory"}


def _embedding(record: Record, source: Record | None) -> str:
    """The field of `record` that holds the very record it was made from, or "" where there is none."""
    field = EMBEDDED.get(record.kind, "")
    if not field or source is None or record.parent != source.id:
        return ""
    return field if getattr(record, field) is source else ""


def _numbers(usage: Usage) -> tuple[int, int, int, float, float]:
    return usage.calls, usage.prompt_tokens, usage.completion_tokens, usage.cost, usage.seconds


def _unusable(path: Path, error: sqlite3.Error) -> UserError:
    return UserError(
        f"cannot write the journal {path}: {error}; free space or choose another `out`, then run the same command"
        " again: it goes on where it stopped"
    )
