"""The journal of a run: what stands in it. How it is written: `button.journal_file`.

Every record is stored once, under its id; every step call has an outcome: the ids it gave and what it lost on the way,
or its drop with the reason. LM answers are stored while the step call they belong to has no outcome yet.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import orjson

from button.journal_file import JournalFile
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
CREATE TABLE IF NOT EXISTS losses (
    step TEXT NOT NULL, record TEXT NOT NULL, draw INTEGER NOT NULL, ordinal INTEGER NOT NULL, reason TEXT NOT NULL,
    detail TEXT NOT NULL, PRIMARY KEY (step, record, draw, ordinal)) WITHOUT ROWID;
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
        self.file = JournalFile(path, SCHEMA)
        (found,) = self.file.row("SELECT EXISTS (SELECT 1 FROM outcomes) OR EXISTS (SELECT 1 FROM answers)") or (0,)
        self.resumed = bool(found)
        self._answers = self._interrupted_answers()

    def close(self) -> None:
        """Write what is pending and close; safe to call twice. Raises UserError where it cannot be written."""
        self.file.close()

    def holds_work(self) -> bool:
        """Whether an LM answer or an accepted example would be lost with it."""
        return bool(self.accepted() or self._answers or self.spent()[0])

    # What the run says about itself

    def meta(self, key: str) -> str | None:
        row = self.file.row("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None

    def set_meta(self, key: str, value: str) -> None:
        self.file.queue("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
        self.file.flush()

    # Outcomes of step calls

    def outcome(self, key: Key, source: Record) -> tuple[Outcome, Usage] | None:
        """What an earlier run noted for this step call on `source`, or None."""
        if not self.resumed:
            return None
        row = self.file.row(
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

    def losses(self, key: Key) -> tuple[Drop, ...]:
        """What an earlier run noted that this step call lost beside what it gave."""
        found = self.file.rows(
            "SELECT reason, detail FROM losses WHERE step = ? AND record = ? AND draw = ? ORDER BY ordinal", key
        )
        return tuple(Drop(reason=reason, detail=detail) for reason, detail in found)

    def put_outcome(
        self, key: Key, source: Record, outcome: Outcome, usage: Usage, losses: Sequence[Drop] = ()
    ) -> None:
        """Note an outcome; its records are stored and the answers it was made from are forgotten, all at once."""
        reason, detail, given = None, None, ""
        if isinstance(outcome, Drop):
            reason, detail = outcome.reason, outcome.detail
        else:
            given = " ".join(record.id for record in outcome)
            for record in outcome:
                if record is not source:
                    self.put_record(record, key.step, source)
        self.file.queue(
            "INSERT OR REPLACE INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, given, reason, detail, *_numbers(usage)),
        )
        for ordinal, lost in enumerate(losses):
            self.file.queue(
                "INSERT OR REPLACE INTO losses VALUES (?, ?, ?, ?, ?, ?)", (*key, ordinal, lost.reason, lost.detail)
            )
        if usage.calls:
            self.file.queue("DELETE FROM answers WHERE step = ? AND record = ? AND draw = ?", key)
            self._answers.pop(key, None)

    def taken_by(self, step: str) -> list[str]:
        """The ids of the records that a step took, sorted."""
        found = self.file.rows("SELECT DISTINCT record FROM outcomes WHERE step = ? ORDER BY 1", (step,))
        return [id_ for (id_,) in found]

    def spent(self) -> tuple[int, float]:
        """LM calls and US dollars of all outcomes so far."""
        calls, cost = self.file.row("SELECT total(calls), total(cost) FROM outcomes") or (0, 0)
        return int(calls), float(cost)

    # Records

    def put_record(self, record: Record, step: str, source: Record | None) -> None:
        """Store a record once. The record it was made from is not repeated inside it."""
        body = record.model_dump(mode="json", exclude={"id", "parent", _embedding(record, source)})
        self.file.queue(
            "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?)",
            (record.id, record.parent, record.kind, step, orjson.dumps(body).decode()),
        )

    def record(self, id_: str, source: Record | None = None) -> Record:
        """The record stored under `id_`; `source`, where given, is the one it may have been made from."""
        if source is not None and source.id == id_:
            return source
        row = self.file.row("SELECT parent, kind, body FROM records WHERE id = ?", (id_,))
        if row is None:
            raise self.file.damaged(f"record {id_} is missing")
        parent, kind, body = row
        try:
            fields = orjson.loads(body)
            embedded = EMBEDDED.get(kind)
            if embedded is not None and embedded not in fields:
                near = source if source is not None and source.id == parent else self.record(parent)
                fields[embedded] = near
            return KINDS[kind].model_validate({"id": id_, "parent": parent, **fields})
        except (KeyError, TypeError, ValueError) as error:
            raise self.file.damaged(f"record {id_} cannot be read") from error

    # LM answers of step calls without an outcome

    def answer(self, key: Key, name: str) -> bytes | None:
        kept = self._answers.get(key)
        return kept.get(name) if kept else None

    async def put_answer(self, key: Key, name: str, body: bytes) -> None:
        """Return once the answer is durable."""
        await self.file.durable("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", (*key, name, body.decode()))

    # The scenarios that later draws start from, and the accepted examples

    def put_pool(self, ordinal: int, record: Record) -> None:
        self.file.queue("INSERT OR REPLACE INTO pool VALUES (?, ?)", (ordinal, record.id))

    def pool(self, ordinal: int) -> Record:
        self.file.flush()
        row = self.file.row("SELECT id FROM pool WHERE ordinal = ?", (ordinal,))
        if row is None:
            raise self.file.damaged(f"scenario {ordinal} of the pool is missing")
        return self.record(row[0])

    def put_accepted(self, ordinal: int, example: Record) -> None:
        self.file.queue("INSERT OR REPLACE INTO accepted VALUES (?, ?)", (ordinal, example.id))

    def accepted(self) -> int:
        """How many examples are accepted so far."""
        (count,) = self.file.row("SELECT count(*) FROM accepted") or (0,)
        return int(count)

    def examples(self) -> Iterator[Example]:
        """The accepted examples in order, read one by one."""
        self.file.flush()
        for (id_,) in self.file.rows("SELECT id FROM accepted ORDER BY ordinal"):
            example = self.record(id_)
            assert isinstance(example, Example)
            yield example

    def _interrupted_answers(self) -> dict[Key, dict[str, bytes]]:
        """The answers an interrupted run has left: at most those of the rows it had in flight."""
        found: dict[Key, dict[str, bytes]] = {}
        for step, record, draw, name, body in self.file.rows("SELECT step, record, draw, key, body FROM answers"):
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
