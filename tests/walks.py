"""Steps without a model, to walk rows through: each waits a random while, and what it does follows from a salt."""

import asyncio
import logging
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dspy
from dspy import lm15
from strategies import weather_example

from button.allowance import Allowance
from button.funnel import Funnel
from button.journal import Journal, Usage
from button.pipeline import FRUITLESS_DRAWS, SEEDS, Ending, Pipeline
from button.step import OrderedStep, Step
from button.work import Work
from signatures.records import (
    AtomicTask,
    Drop,
    Example,
    Outcome,
    Record,
    Scenario,
    Seed,
    content_hash,
)

_WEATHER = weather_example()
Steps = Mapping[str, Step | OrderedStep]


def seeds(count: int) -> list[Seed]:
    return [Seed.derive(None, source=f"tests#{i}", text=f"seed {i}", form="scenario") for i in range(count)]


def text_of(record: Record) -> str:
    """What tells records of one kind apart, without their ids."""
    return str(getattr(record, "text", getattr(record, "task", record.id)))


def chance(*parts: object) -> float:
    """A number in [0, 1) that only depends on `parts`."""
    return int(content_hash(*map(str, parts)), 16) / 16**16


@dataclass
class Scripted:
    """A step that waits, asks its ledger for `answers` answers, drops a share of `drops`, and fans out up to `most`."""

    name: str
    takes: type[Record]
    gives: type[Record]
    salt: int = 0
    drops: float = 0.0
    most: int = 1
    answers: int = 0
    asked: list[tuple[str, int]] = field(default_factory=list)
    paid: set[tuple[str, int, str]] = field(default_factory=set)

    async def aforward(self, record: Record, work: Work) -> Outcome:
        self.asked.append((record.id, work.draw))
        await a_while()
        for number in range(self.answers):
            await self._answer(record, work, f"answer {number}")
        return self.outcome(record, work.draw)

    async def _answer(self, record: Record, work: Work, key: str) -> None:
        if work.ledger.recall(key) is not None:
            return
        work.ledger.spend()
        assert (record.id, work.draw, key) not in self.paid, "paid for twice"
        await a_while()
        await work.ledger.keep(key, answer(key), 0.0, 0.25)
        self.paid.add((record.id, work.draw, key))

    def outcome(self, record: Record, draw: int) -> Outcome:
        where = (self.salt, self.name, text_of(record), draw)
        if chance("drop", *where) < self.drops:
            return Drop(reason=f"{self.name}_failed", detail=text_of(record))
        if self.gives is Example:
            return (finished(record),)
        count = 1 + int(chance("fan", *where) * self.most)
        return tuple(made(self.gives, record, f"{text_of(record)} {self.name}{draw or ''}{i}") for i in range(count))


@dataclass
class FirstOfItsKind:
    """An ordered step: of the `kinds` kinds of records it keeps the first one each (all where `kinds` is 0)."""

    takes: type[Record]
    kinds: int = 0
    salt: int = 0
    seen: list[str] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)
    gives: type[Record] = field(init=False)

    def __post_init__(self) -> None:
        self.gives = self.takes

    def decide(self, record: Record) -> Outcome:
        self.seen.append(record.id)
        kind = int(chance(self.salt, text_of(record)) * self.kinds)
        if self.kinds and kind in self.kept:
            return Drop(reason="seen_before")
        self.kept.add(kind)
        return (record,)


async def a_while() -> None:
    for _ in range(random.randrange(4)):
        await asyncio.sleep(0)


def answer(text: str) -> lm15.Response:
    return lm15.Response(
        id=None,
        model="scripted",
        message=lm15.Message.assistant(text),
        finish_reason="stop",
        usage=lm15.Usage(10, 2, 12),
    )


def made(kind: type[Record], parent: Record, text: str) -> Record:
    if kind is Scenario:
        return Scenario.derive(parent, text=text)
    return AtomicTask.derive(parent, scenario="any", task=text)


def finished(parent: Record) -> Example:
    content = {name: getattr(_WEATHER, name) for name in Example.model_fields.keys() - {"id", "parent"}}
    return Example.derive(parent, **content)


@dataclass
class Counting:
    """A watcher over the real funnel."""

    funnel: Funnel
    examples: list[str] = field(default_factory=list)

    def entered(self, step: str) -> None:
        self.funnel.enter(step)

    def abandoned(self, step: str) -> None:
        self.funnel.abandon(step)

    def lost(self, step: str, losses: Sequence[Drop]) -> None:
        for loss in losses:
            self.funnel.lose(step, loss.reason)

    def settled(self, step: str, outcome: Outcome, usage: Usage) -> None:
        if isinstance(outcome, Drop):
            self.funnel.drop(step, outcome.reason)
        else:
            self.funnel.leave(step, len(outcome))
        self.funnel.call(step, calls=usage.calls, cost=usage.cost)

    def accepted(self, example: Example) -> None:
        self.examples.append(example.id)


@dataclass(frozen=True)
class Walked:
    """How a run ended, what it accepted, and its funnel."""

    ending: Ending
    accepted: list[str]
    funnel: Funnel


async def walk(
    steps: Steps,
    given: Iterable[Seed],
    path: Path,
    *,
    n: int = 10_000,
    rows: int = 8,
    draws: int | None = 1,
    allowance: Allowance | None = None,
    lms: Mapping[str, dspy.LM] | None = None,
) -> Walked:
    """One run over the journal at `path`, as `button generate` makes it. Raises what the run raises."""
    with closing(Journal(path)) as journal:
        watcher = Counting(Funnel([SEEDS, *steps]))
        pipeline = pipeline_of(steps, journal, watcher, allowance=allowance, lms=lms)
        ending = await pipeline.run(given, n=n, rows_in_flight=rows, draws=draws)
        accepted = [example.id for example in journal.examples()]
        assert accepted == watcher.examples
        assert ending.accepted == len(accepted)
        return Walked(ending, accepted, watcher.funnel)


def pipeline_of(
    steps: Steps,
    journal: Journal,
    watcher: Counting,
    *,
    allowance: Allowance | None = None,
    lms: Mapping[str, dspy.LM] | None = None,
) -> Pipeline:
    allowed = allowance or Allowance(None, None, *journal.spent())
    return Pipeline(steps, journal=journal, lms=lms or {}, allowance=allowed, watcher=watcher, run_seed=0)


def reference(steps: Steps, given: Sequence[Seed], *, n: int, draws: int | None) -> list[str]:
    """The ids that a run must accept, by the plainest means: one row after another, one step after another."""
    accepted: list[str] = []
    pool: list[Record] = []
    names = list(steps)
    begin = next(
        (i for i, step in enumerate(steps.values()) if step.takes is Scenario and step.gives is not Scenario),
        len(names),
    )

    def row(record: Record, draw: int) -> None:
        live = [record]
        for index, step in enumerate(steps.values()):
            if index == begin and draw == 0:
                pool.extend(live)
            if draw == 0 or index >= begin:
                live = [given_ for each in live for given_ in _once(step, each, draw)]
        accepted.extend(example.id for example in live)

    for seed in given:
        row(seed, 0)
    draw, fruitful = 1, 0
    while len(accepted) < n and (draws is None or draw < draws):
        before = len(accepted)
        for record in pool:
            row(record, draw)
        if len(accepted) > before:
            fruitful = draw
        if draws is None and draw - fruitful >= FRUITLESS_DRAWS:
            break
        draw += 1
    return accepted[:n]


def _once(step: Any, record: Record, draw: int) -> tuple[Record, ...]:
    outcome = step.decide(record) if isinstance(step, OrderedStep) else step.outcome(record, draw)
    return () if isinstance(outcome, Drop) else outcome


def asyncio_errors() -> "Iterator[list[str]]":
    """What asyncio complains of ("Task exception was never retrieved"): a fixture's body."""
    said: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("asyncio").addHandler(listener)
    yield said
    logging.getLogger("asyncio").removeHandler(listener)
