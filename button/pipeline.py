"""The walk of the data: rows stream through the steps, and whatever depends on order is decided in seed order.

Each row is one coroutine; there is no barrier between steps. A row carries the position at which it was started, and
at a few turnstiles (an ordered step, the pool of scenarios, the exit) rows pass in that order. So the dataset is the
same at any concurrency. Every step call is looked up in the journal first, so an interrupted run replays what is
done without a call, and goes on.

When the seeds are used up and `n` is not met, the kept scenarios are drawn on again with fresh randomness.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from dataclasses import dataclass
from itertools import islice

import dspy

from button.allowance import Allowance
from button.branches import all_of, branches
from button.errors import StopRun
from button.journal import Journal, Usage
from button.lms.limiter import Limiter
from button.stages import stages_of
from button.step import OrderedStep, Step
from button.step_calls import Row, StepCalls, Watcher
from signatures.records import Drop, Example, Record, Seed

SEEDS = "seeds"  # in the funnel and the journal: where seeds come from
FRUITLESS_DRAWS = 3  # in a row, after which a run without a limit of draws ends
SPARE = 0.01  # of n: rows beyond those that should do, or the last few would be started one after the other
SEEDS_A_READ = 64
GRACE_S = 10.0  # for calls under way when a run fails


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: `reason` is done, seeds_exhausted, budget or interrupted."""

    reason: str
    detail: str
    accepted: int


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
        self.step_calls = StepCalls(journal, lms, allowance, watcher, run_seed)
        self.journal = journal
        self.limiters = [limiter_of(lm) for lm in lms.values()]
        self.allowance = allowance
        self.watcher = watcher
        self.accepted = 0
        self._pool_size = 0
        self._n = 0.0
        self._running: set[asyncio.Task[None]] = set()
        self._started = 0
        self._ahead = 0  # seeds that are read, and not started yet
        self._fruitful_draw = 0
        self._one_by_one = False

    async def run(self, seeds: Iterable[Seed], *, n: int | None, rows_in_flight: int, draws: int | None) -> Ending:
        """Accept `n` examples, or say why not; without `n`, whatever `draws` give.

        Raises what a step raises, UserError included.
        """
        self._n = n if n is not None else math.inf
        self._one_by_one = rows_in_flight == 1
        starts = self._starts(seeds, draws)
        try:
            async for record, draw in starts:
                await self._make_room(rows_in_flight)
                if self.accepted >= self._n:
                    break
                self._start(record, draw)
            await self._make_room(0)
        except StopRun as stop:
            await self._drain()
            reason = "interrupted" if self.allowance.interrupted else "budget"
            return Ending(reason, str(stop), self.accepted)
        except Exception:  # raised again: what was asked and paid for is kept first, whatever ended the run
            await self._drain(GRACE_S)
            raise
        finally:
            await self._cancel()
            await starts.aclose()
            for _ in range(self._ahead):
                self.watcher.abandoned(SEEDS)
        if n is None or self.accepted >= n:
            return Ending("done", "", self.accepted)
        return Ending("seeds_exhausted", self._exhausted(draws), self.accepted)

    # Rows

    def _start(self, record: Record, draw: int) -> None:
        if draw == 0:
            self._ahead -= 1
            self.watcher.settled(SEEDS, (record,), Usage())
        task = asyncio.create_task(self._walk(Row(self._started, record, draw)))
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

    def _useful(self) -> float:
        """How many rows it makes sense to have under way, going by what each has given so far (two, to begin with)."""
        settled = self.stages[-1].turnstile.next
        given = (self.accepted + 2) / (settled + 1)
        return (self._n - self.accepted + SPARE * self._n) / given

    async def _walk(self, row: Row) -> None:
        """Take one row through all stages; every row passes every turnstile, alive or not."""
        live: list[Record] = [row.record]
        joined = row.draw == 0
        for stage in self.stages[:-1]:
            if joined:
                flows = [self._flow(record, stage.free, row) for record in live]
                live = [record for flow in await all_of(flows) for record in flow]
            async with stage.turnstile.turn(row.position):
                if joined and stage.ordered is not None:
                    live = [kept for each in live for kept in self.step_calls.decide(*stage.ordered, each, row)]
                if joined and stage.fills_pool:
                    self._fill_pool(live)
            joined = joined or stage.fills_pool
        await self._leave(live, row)

    async def _leave(self, live: list[Record], row: Row) -> None:
        """The last stage: what comes out is accepted at this row's turn, each record as soon as it is there."""
        last = self.stages[-1]
        flows = [self._flow(record, last.free, row) for record in live]
        async with branches(flows, at_once=not self._one_by_one) as parts, last.turnstile.turn(row.position):
            for part in parts:
                self._accept(await part, row.draw)
                if self.accepted >= self._n:
                    return

    async def _flow(self, record: Record, steps: list[tuple[str, Step]], row: Row) -> list[Record]:
        """The records that come out of `steps`; each one goes on as soon as it is there."""
        if not steps:
            return [record]
        (name, step), rest = steps[0], steps[1:]
        outcome = await self.step_calls.call(name, step, record, row)
        if isinstance(outcome, Drop):
            return []
        if len(outcome) == 1:
            return await self._flow(outcome[0], rest, row)
        flows = await all_of([self._flow(given, rest, row) for given in outcome])
        return [given for flow in flows for given in flow]

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

    async def _starts(self, seeds: Iterable[Seed], draws: int | None) -> AsyncGenerator[tuple[Record, int], None]:
        """Seeds in draw 0, then the kept scenarios, draw by draw."""
        async with aclosing(_read_ahead(seeds)) as read:
            async for batch in read:
                self._ahead += len(batch)
                for _ in batch:
                    self.watcher.entered(SEEDS)
                for seed in batch:
                    self.journal.put_record(seed, SEEDS, None)
                    yield seed, 0
        draw = 1
        while draws is None or draw < draws:
            await self._pool_complete()
            for ordinal in range(self._pool_size):
                yield self.journal.pool(ordinal), draw
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

    async def _drain(self, patience_s: float | None = None) -> None:
        """Let calls under way finish, so that what is paid for is kept; none is sent any more."""
        self._close()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                for limiter in self.limiters:
                    await limiter.idle()

    def _close(self) -> None:
        self.allowance.closed = True
        for limiter in self.limiters:
            limiter.close()

    async def _cancel(self) -> None:
        self._close()
        running, self._running = self._running, set()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def limiter_of(lm: dspy.LM) -> Limiter:
    """The limiter of an `lm` that `button.lms.build` made."""
    limiter: Limiter = lm.engine.engine.limiter  # the recorder inside the blocking form
    return limiter


def _raise_gravest(errors: list[BaseException]) -> None:
    """Raise one of the errors, where there are any: the end of a budget only where nothing else went wrong."""
    if errors:
        raise min(errors, key=lambda error: isinstance(error, StopRun))


async def _read_ahead(seeds: Iterable[Seed]) -> AsyncGenerator[list[Seed], None]:
    """Seeds, read in a thread a few at a time: a source may be a slow disk or the network."""
    iterator: Iterator[Seed] = iter(seeds)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, thread_name_prefix="seeds") as reader:
        while batch := await loop.run_in_executor(reader, lambda: list(islice(iterator, SEEDS_A_READ))):
            yield batch
