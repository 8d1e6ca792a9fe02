"""The walk of the data: rows stream through the steps, and whatever depends on order is decided in seed order.

Each row is one coroutine; there is no barrier between steps. A row carries the position at which it was started, and
at a few turnstiles (an ordered step, the pool of scenarios, the exit) rows pass in that order. So the dataset is the
same at any concurrency. Every step call is looked up in the journal first, so an interrupted run replays what is
done without a call, and goes on.

When the seeds are used up and `n` is not met, the kept scenarios are drawn on again with fresh randomness.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

import dspy

from button.allowance import Allowance
from button.errors import NoUsableAnswer, StopRun
from button.journal import Journal, Key, Usage
from button.ledger import StepLedger
from button.step import OrderedStep, Step
from button.turnstile import Turnstile
from button.work import Work
from signatures.records import Drop, Example, Outcome, Record, Scenario, Seed

Flow = Coroutine[Any, Any, list[Record]]

FRUITLESS_DRAWS = 3  # in a row, after which a run without a limit of draws ends
SEEDS_A_READ = 64
DETAIL_LIMIT = 4000
DRAIN_POLL_S = 0.05


class Watcher(Protocol):
    """Is told what happens, for the funnel, the progress display and tracking."""

    def entered(self, step: str) -> None: ...

    def settled(self, step: str, outcome: Outcome, usage: Usage) -> None: ...

    def abandoned(self, step: str) -> None: ...

    def accepted(self, example: Example) -> None: ...


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: `reason` is done, seeds_exhausted, budget or interrupted."""

    reason: str
    detail: str
    accepted: int


@dataclass(slots=True)
class Stage:
    """Free steps, then a turnstile at which the ordered step, where there is one, decides."""

    free: list[tuple[str, Step]] = field(default_factory=list)
    ordered: tuple[str, OrderedStep] | None = None
    fills_pool: bool = False
    turnstile: Turnstile = field(default_factory=Turnstile)


@dataclass(frozen=True, slots=True)
class Unit:
    """What one row starts from: a seed in draw 0, a kept scenario in a later draw."""

    record: Record
    draw: int


def stages_of(steps: Mapping[str, Step | OrderedStep]) -> list[Stage]:
    """The steps in stages; the pool is filled where the last scenario step ends."""
    stages = [Stage()]
    pooled = False
    for name, step in steps.items():
        if not pooled and step.takes is Scenario and step.gives is not Scenario:
            stages[-1].fills_pool = pooled = True
            stages.append(Stage())
        if isinstance(step, OrderedStep):
            stages[-1].ordered = (name, step)
            stages.append(Stage())
        else:
            stages[-1].free.append((name, step))
    return stages


class Pipeline:
    """Runs rows through steps until `n` examples are accepted. Make one for each run."""

    def __init__(
        self,
        steps: Mapping[str, Step | OrderedStep],
        *,
        journal: Journal,
        lms: Mapping[str, dspy.LM],
        allowance: Allowance,
        watcher: Watcher,
        run_seed: int,
    ) -> None:
        self.stages = stages_of(steps)
        self.journal = journal
        self.lms = lms
        self.allowance = allowance
        self.watcher = watcher
        self.run_seed = run_seed
        self.accepted = 0
        self._pool_size = 0
        self._n = 0
        self._running: set[asyncio.Task[None]] = set()
        self._started = 0
        self._fruitful_draw = 0
        self._one_by_one = False

    async def run(self, seeds: Iterable[Seed], *, n: int, rows_in_flight: int, draws: int | None) -> Ending:
        """Accept `n` examples, or say why not. Raises what a step raises, UserError included."""
        self._n = n
        self._one_by_one = rows_in_flight == 1
        units = self._units(seeds, draws)
        try:
            async for unit in units:
                await self._make_room(rows_in_flight)
                if self.accepted >= n:
                    break
                self._start(unit)
            await self._make_room(0)
        except StopRun as stop:
            await self._drain()
            reason = "interrupted" if self.allowance.interrupted else "budget"
            return Ending(reason, str(stop), self.accepted)
        finally:
            await self._cancel()
            await units.aclose()
        if self.accepted >= n:
            return Ending("done", "", self.accepted)
        return Ending("seeds_exhausted", self._exhausted(draws), self.accepted)

    # Rows

    def _start(self, unit: Unit) -> None:
        task = asyncio.create_task(self._walk(self._started, unit))
        self._started += 1
        self._running.add(task)

    async def _make_room(self, rows_in_flight: int) -> None:
        """Wait until fewer rows run than may, or `n` is met; raise what a row raised."""
        while self._running and self.accepted < self._n:
            if len(self._running) < min(rows_in_flight, self._useful()):
                return
            done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            self._running -= done
            _raise_gravest([error for task in done if (error := task.exception()) is not None])

    def _useful(self) -> int:
        """How many rows it makes sense to have under way, going by what each has given so far (two, to begin with)."""
        settled = self.stages[-1].turnstile.next
        given = (self.accepted + 2) / (settled + 1)
        return math.ceil((self._n - self.accepted) / given)

    async def _walk(self, position: int, unit: Unit) -> None:
        """Take one row through all stages; every row passes every turnstile, alive or not."""
        live: list[Record] = [unit.record]
        joined = unit.draw == 0
        for stage in self.stages[:-1]:
            if joined:
                flows = [self._flow(record, stage.free, unit.draw) for record in live]
                live = [record for flow in await _all(flows) for record in flow]
            async with stage.turnstile.turn(position):
                if joined and stage.ordered is not None:
                    live = [kept for record in live for kept in self._decide(*stage.ordered, record, unit.draw)]
                if joined and stage.fills_pool:
                    self._fill_pool(live)
            joined = joined or stage.fills_pool
        await self._leave(position, live, unit.draw)

    async def _leave(self, position: int, live: list[Record], draw: int) -> None:
        """The last stage: what comes out is accepted at this row's turn, each record as soon as it is there."""
        last = self.stages[-1]
        flows = [self._flow(record, last.free, draw) for record in live]
        async with _branches(flows, at_once=not self._one_by_one) as branches, last.turnstile.turn(position):
            for branch in branches:
                self._accept(await branch, draw)
                if self.accepted >= self._n:
                    return

    async def _flow(self, record: Record, steps: list[tuple[str, Step]], draw: int) -> list[Record]:
        """The records that come out of `steps`; each one goes on as soon as it is there."""
        if not steps:
            return [record]
        (name, step), rest = steps[0], steps[1:]
        outcome = await self._call(name, step, record, draw)
        if isinstance(outcome, Drop):
            return []
        if len(outcome) == 1:
            return await self._flow(outcome[0], rest, draw)
        flows = await _all([self._flow(given, rest, draw) for given in outcome])
        return [given for flow in flows for given in flow]

    async def _call(self, name: str, step: Step, record: Record, draw: int) -> Outcome:
        """The journal's outcome of one step call, or a new one."""
        self.watcher.entered(name)
        key = Key(name, record.id, draw)
        known = self.journal.outcome(key, record)
        if known is not None:
            self.watcher.settled(name, *known)
            return known[0]
        ledger = StepLedger(key, self.journal, self.allowance)
        work = Work(self.run_seed, name, record.id, draw, self.lms, ledger)
        outcome: Outcome | None = None
        try:
            outcome = _checked(name, step, await step.aforward(record, work))
        except NoUsableAnswer as error:
            outcome = Drop(reason=error.reason, detail=error.detail[:DETAIL_LIMIT])
        finally:
            if outcome is None:
                self.watcher.abandoned(name)
        self.journal.put_outcome(key, record, outcome, ledger.usage)
        self.watcher.settled(name, outcome, ledger.usage)
        return outcome

    def _decide(self, name: str, step: OrderedStep, record: Record, draw: int) -> tuple[Record, ...]:
        self.watcher.entered(name)
        outcome = step.decide(record)
        usage = Usage()
        self.journal.put_outcome(Key(name, record.id, draw), record, outcome, usage)
        self.watcher.settled(name, outcome, usage)
        return () if isinstance(outcome, Drop) else outcome

    def _fill_pool(self, live: list[Record]) -> None:
        for record in live:
            self.journal.put_pool(self._pool_size, record)
            self._pool_size += 1

    def _accept(self, live: list[Record], draw: int) -> None:
        for record in live:
            if self.accepted < self._n:
                assert isinstance(record, Example)
                self.journal.put_accepted(self.accepted, record)
                self.accepted += 1
                self._fruitful_draw = draw
                self.watcher.accepted(record)

    # What rows start from

    async def _units(self, seeds: Iterable[Seed], draws: int | None) -> AsyncGenerator[Unit, None]:
        async with aclosing(_read_ahead(seeds)) as read:
            async for seed in read:
                self.journal.put_record(seed, "seeds", None)
                yield Unit(seed, 0)
        draw = 1
        while draws is None or draw < draws:
            await self._pool_complete()
            for ordinal in range(self._pool_size):
                yield Unit(self.journal.pool(ordinal), draw)
            if draws is None:
                await self._make_room(1)
                if draw - self._fruitful_draw >= FRUITLESS_DRAWS:
                    return
            draw += 1

    async def _pool_complete(self) -> None:
        """Wait until every row started so far has passed the pool's turnstile, or `n` is met."""
        pool = next((stage for stage in self.stages if stage.fills_pool), None)
        started = self._started
        while pool is not None and pool.turnstile.next < started and self.accepted < self._n:
            await self._make_room(len(self._running))

    def _exhausted(self, draws: int | None) -> str:
        limit = (
            f"after {draws} draws"
            if draws is not None
            else f"and {FRUITLESS_DRAWS} further draws on them accepted nothing"
        )
        return f"{self._started} rows were started from {self._pool_size} scenarios {limit}"

    # Endings

    async def _drain(self) -> None:
        """Let calls under way finish, so that what is paid for is kept; nothing new is started."""
        self.allowance.closed = True
        while any(calls_under_way(lm) for lm in self.lms.values()):  # noqa: ASYNC110 - no event tells when they end
            await asyncio.sleep(DRAIN_POLL_S)

    async def _cancel(self) -> None:
        running, self._running = self._running, set()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def calls_under_way(lm: dspy.LM) -> int:
    """How many calls of `lm`, made by `button.lms.build`, wait for their answer."""
    return int(lm.engine.engine.in_flight)  # the recorder inside the blocking form


def _checked(name: str, step: Step, outcome: Outcome) -> Outcome:
    """The outcome, each record once. Raises TypeError for a record of another type than the step declares."""
    if isinstance(outcome, Drop):
        return outcome
    for record in outcome:
        if not isinstance(record, step.gives):
            raise TypeError(f"step '{name}' gave a {type(record).__name__}, it declares {step.gives.__name__}")
    return tuple({record.id: record for record in outcome}.values())


@asynccontextmanager
async def _branches(flows: Iterable[Flow], *, at_once: bool = True) -> AsyncIterator[list[Awaitable[list[Record]]]]:
    """The flows, started `at_once`, or each when it is awaited.

    Where one fails its row does at once, whatever it waits for, and the others are cancelled; where one may not go
    on, they end by themselves. So no branch of a row outlives it, and the answers under way in the others when
    a budget ends are kept.
    """
    waiting = list(flows)
    tasks = [asyncio.ensure_future(flow) for flow in waiting] if at_once else []
    row = asyncio.current_task()
    assert row is not None

    failed: list[BaseException] = []

    def notice(task: asyncio.Task[list[Record]]) -> None:
        error = task.exception() if not task.cancelled() else None
        if error is not None and not isinstance(error, StopRun):
            failed.append(error)
            if len(failed) == 1:
                row.cancel()

    for task in tasks:
        task.add_done_callback(notice)
    try:
        yield [*tasks] if at_once else [*waiting]
    except StopRun:
        if tasks:
            await asyncio.wait(tasks)
        raise
    except asyncio.CancelledError:
        if failed and not row.uncancel():
            raise failed[0] from None
        raise
    finally:
        for task in tasks:
            task.remove_done_callback(notice)
        for branch in tasks or waiting:
            branch.cancel() if isinstance(branch, asyncio.Task) else branch.close()


async def _all(flows: Iterable[Flow]) -> list[list[Record]]:
    """What all of them give."""
    async with _branches(flows) as tasks:
        return await asyncio.gather(*tasks)


def _raise_gravest(errors: list[BaseException]) -> None:
    """Raise one of the errors, where there are any: the end of a budget only where nothing else went wrong."""
    if errors:
        raise min(errors, key=lambda error: isinstance(error, StopRun))


async def _read_ahead(seeds: Iterable[Seed]) -> AsyncGenerator[Seed, None]:
    """Seeds, read in a thread a few at a time: a source may be a slow disk or the network."""
    iterator: Iterator[Seed] = iter(seeds)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="seeds") as reader:
        while batch := await loop.run_in_executor(reader, lambda: list(islice(iterator, SEEDS_A_READ))):
            for seed in batch:
                yield seed
