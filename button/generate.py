"""`button generate`: one run from seeds to exported dataset."""

import asyncio
import functools
import gc
import json
import logging
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import dspy

from button.allowance import Allowance
from button.config import GenerateSettings, as_config
from button.funnel import Funnel
from button.journal import Journal, Usage
from button.lms.build import LanguageModels, build_lms
from button.means import Means
from button.pipeline import Ending, Pipeline
from button.progress import Progress, RunView
from button.run_folder import CONFIG, FUNNEL, locked, opened_journal, pin_config, write_whole
from button.seeds.source import SeedSource
from button.steps import build_steps
from button.targets import build
from button.tracking import Tracking, open_tracking
from signatures.records import Drop, Example, Outcome, Seed

SEEDS = "seeds"
GC_THRESHOLD = 50_000  # new objects between two collections
ROWS_A_CALL = 3  # rows in the works for each call that the models can hold: enough to keep them busy
EXIT = {"done": 0, "seeds_exhausted": 3, "budget": 3, "interrupted": 130}
STATUS = {"done": "finished", "seeds_exhausted": "exhausted", "budget": "budget", "interrupted": "interrupted"}

Export = Callable[[Path, Iterable[Example]], object]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended; `exit_code` is 0 when `n` was met, 3 when it was not, 130 when interrupted."""

    exit_code: int
    accepted: int


class RunWatcher:
    """Passes what happens on to the funnel, the display and tracking. The first `known` acceptances are replayed."""

    def __init__(self, funnel: Funnel, progress: Progress, tracking: Tracking, known: int) -> None:
        self.funnel = funnel
        self.progress = progress
        self.tracking = tracking
        self.known = known
        self.count = 0

    def entered(self, step: str) -> None:
        self.funnel.enter(step)

    def abandoned(self, step: str) -> None:
        self.funnel.abandon(step)

    def settled(self, step: str, outcome: Outcome, usage: Usage) -> None:
        if isinstance(outcome, Drop):
            self.funnel.drop(step, outcome.reason)
        else:
            self.funnel.leave(step, len(outcome))
        if usage.calls:
            self.funnel.call(step, **asdict(usage))
        self.tracking.state(self.funnel, self.count)

    def accepted(self, example: Example) -> None:
        self.count += 1
        if self.count > self.known:
            self.progress.accepted(example)
            self.tracking.accepted(example)


async def generate(settings: GenerateSettings) -> Ended:
    """Make `settings.n` accepted trajectories in the run folder, or go on where an earlier run of it stopped.

    Raises UserError for what the user can mend; everything journaled stays.
    """
    config = as_config(settings)
    with _lean(), locked(settings.out), opened_journal(settings.out, config) as journal:
        finished = journal.meta("finished")
        if finished is not None:
            log.info("%s is finished, with %s accepted trajectories: nothing to do", settings.out, finished)
            return Ended(EXIT["done"], int(finished))
        return await _run(settings, journal)


async def _run(settings: GenerateSettings, journal: Journal) -> Ended:
    steps = build_steps(settings)
    seeds: SeedSource = build(settings.seeds, SEEDS, allow=settings.allow_targets)
    export: Export = build(settings.export, "export", allow=settings.allow_targets)
    funnel = Funnel([SEEDS, *steps])
    known = journal.accepted()
    async with _models(settings) as lms, _tracked(settings, journal) as tracking:
        pin_config(settings.out, journal, as_config(settings))
        allowance = Allowance(settings.budget.max_calls, settings.budget.max_cost, *journal.spent())
        limiters = [engine.limiter for engine in lms.engines]
        progress = Progress(RunView(settings.n, funnel, limiters, known), show=settings.show)
        pipeline = Pipeline(
            steps,
            journal=journal,
            lms=lms.of_role,
            allowance=allowance,
            watcher=RunWatcher(funnel, progress, tracking, known),
            run_seed=settings.seed,
        )
        rows = settings.executor.rows or _rows(lms)
        try:
            with _interruptible(allowance):
                async with progress:
                    ending = await pipeline.run(
                        _counted(seeds, funnel), n=settings.n, rows_in_flight=rows, draws=settings.draws
                    )
        except asyncio.CancelledError:
            if not allowance.interrupted:
                raise
            ending = Ending("interrupted", "at once", journal.accepted())
        finally:
            _count_skipped(seeds, funnel)
            write_whole(settings.out / FUNNEL, json.dumps(funnel.as_dict(), indent=2))
        measures = _export(export, settings, journal, ending)
        _report(settings, funnel, ending)
        files = [settings.out / name for name in (CONFIG, FUNNEL)]
        await tracking.close(STATUS[ending.reason], funnel, ending.accepted, measures=measures, files=files)
    return Ended(EXIT[ending.reason], ending.accepted)


@contextmanager
def _lean() -> Iterator[None]:
    """DSPy without its histories, so that memory stays flat, and without thread hops, which cost half a call."""
    gc.freeze()  # what is loaded stays; looking through it again and again takes a tenth of a call
    gc.set_threshold(GC_THRESHOLD)
    asyncio.get_running_loop().set_default_executor(_Inline())
    with dspy.context(disable_history=True, max_trace_size=0):  # `configure` refuses the second run of a process
        yield


class _Inline(ThreadPoolExecutor):
    """Runs DSPy's own hops in the calling thread: it makes four a call, of a few microseconds each."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        called = fn.args[0] if isinstance(fn, functools.partial) and fn.args else fn
        if not getattr(called, "__module__", "").startswith("dspy."):
            return super().submit(fn, *args, **kwargs)
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - an executor hands on whatever its function raises
            future.set_exception(error)
        return future


@asynccontextmanager
async def _models(settings: GenerateSettings) -> AsyncIterator[LanguageModels]:
    lms = build_lms(settings.lm, settings.lms, settings.allow_targets)
    try:
        await lms.check()
        yield lms
    finally:
        await lms.aclose()


@asynccontextmanager
async def _tracked(settings: GenerateSettings, journal: Journal) -> AsyncIterator[Tracking]:
    """The run's tracking; a run that ends in an error is closed as failed."""
    tracking = await open_tracking(
        settings.tracking, verb="generate", config=as_config(settings), out=settings.out, resumed=journal.resumed
    )
    try:
        yield tracking
    except BaseException:  # raised again: whatever ends the run, its tracking says so
        await tracking.close("failed", Funnel([]), journal.accepted(), measures={}, files=[])
        raise


@contextmanager
def _interruptible(allowance: Allowance) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) lets calls under way finish; the second one ends at once."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def stop() -> None:
        if allowance.interrupted:
            task.cancel()
        else:
            log.warning("stopping: calls under way finish first; once more to stop at once")
            allowance.interrupted = True

    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def _rows(lms: LanguageModels) -> int:
    return 1 if lms.concurrency == 1 else ROWS_A_CALL * lms.concurrency


def _counted(seeds: SeedSource, funnel: Funnel) -> Iterator[Seed]:
    """The seeds, counted in the funnel."""
    for seed in seeds:
        funnel.enter(SEEDS)
        funnel.leave(SEEDS)
        yield seed


def _count_skipped(seeds: SeedSource, funnel: Funnel) -> None:
    for reason, count in seeds.skipped.items():
        for _ in range(count):
            funnel.enter(SEEDS)
            funnel.drop(SEEDS, reason)


def _export(export: Export, settings: GenerateSettings, journal: Journal, ending: Ending) -> dict[str, float]:
    """Write the exports; mark a run that met `n` as finished. Returns the means of the paper's measures."""
    means = Means()
    export(settings.out, means.over(journal.examples()))
    if ending.reason == "done":
        journal.set_meta("finished", str(ending.accepted))
    return means.as_metrics()


def _report(settings: GenerateSettings, funnel: Funnel, ending: Ending) -> None:
    """Say how the run ended, and how to go on."""
    made = f"{ending.accepted} of {settings.n} trajectories accepted, with {funnel.lm_calls} LM calls: {settings.out}"
    if ending.reason == "done":
        log.info("%s", made)
        return
    ways = {
        "seeds_exhausted": "the seeds are exhausted: see funnel.json for what drops rows, or give more in another out",
        "budget": "the budget is used up: the same command with a larger one goes on from here",
        "interrupted": "interrupted: the same command goes on from here",
    }
    log.warning("%s; %s%s", made, ways[ending.reason], f" ({ending.detail})" if ending.detail else "")
