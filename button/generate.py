"""`button generate`: one run from seeds to exported dataset."""

import asyncio
import itertools
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from button.allowance import Allowance
from button.config import GenerateSettings, JsonObject, as_config
from button.funnel import Funnel
from button.interrupt import interruptible
from button.journal import Journal, Usage
from button.lean import lean
from button.lms.build import LanguageModels, check_lms, opened_lms
from button.lms.limiter import Limiter
from button.means import Means
from button.pipeline import SEEDS, Ending, Pipeline
from button.programs import PROGRAMS, Program, chosen, pinned, save
from button.progress import Progress, RunView
from button.run_folder import CONFIG, FUNNEL, locked, opened_journal, pin_config, write_whole
from button.seeds.source import SeedSource
from button.step import OrderedStep, Step
from button.steps import build_steps
from button.targets import build, with_defaults
from button.tracking import Tracking, open_tracking
from signatures.records import Drop, Example, Outcome, Seed

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


@dataclass(frozen=True, slots=True)
class Parts:
    """What a run is made of, beside its models."""

    steps: Mapping[str, Step | OrderedStep]
    seeds: SeedSource
    export: Export


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

    def lost(self, step: str, losses: Sequence[Drop]) -> None:
        for loss in losses:
            self.funnel.lose(step, loss.reason)

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
    programs = chosen(settings)
    parts = parts_of(settings, programs)
    config = pinned(with_defaults(as_config(settings), settings.allow_targets), programs)
    with lean(), locked(settings.out), opened_journal(settings.out, config) as journal:
        finished = journal.meta("finished")
        if finished is not None:
            log.info("%s is finished, with %s accepted trajectories: nothing to do", settings.out, finished)
            return Ended(EXIT["done"], int(finished))
        for name, program in programs.items():
            save(program, settings.out / PROGRAMS / f"{name}.json")
        return await _run(settings, parts, config, journal)


def parts_of(settings: GenerateSettings, programs: Mapping[str, Program]) -> Parts:
    """Raises UserError for whatever is wrong in the settings themselves, before anything is opened or asked."""
    allow = settings.allow_targets
    check_lms(settings.lm, settings.lms, allow)
    return Parts(
        build_steps(settings, programs),
        build(settings.seeds, SEEDS, allow=allow),
        build(settings.export, "export", allow=allow),
    )


async def _run(settings: GenerateSettings, parts: Parts, config: JsonObject, journal: Journal) -> Ended:
    seeds = _begun(parts.seeds)
    funnel = Funnel([SEEDS, *parts.steps])
    known = journal.accepted()
    async with (
        opened_lms(settings.lm, settings.lms, settings.allow_targets) as lms,
        _tracked(settings, config, journal) as tracking,
    ):
        pin_config(settings.out, journal, config)
        allowance = Allowance(settings.budget.max_calls, settings.budget.max_cost, *journal.spent())
        limiters = [engine.limiter for engine in lms.engines]
        progress = Progress(RunView(settings.n, funnel, limiters, known, lms.engines), show=settings.show)
        pipeline = Pipeline(
            parts.steps,
            journal=journal,
            lms=lms.of_role,
            allowance=allowance,
            watcher=RunWatcher(funnel, progress, tracking, known),
            run_seed=settings.seed,
        )
        rows = settings.executor.rows or _rows(lms)
        try:
            with interruptible(allowance, lambda: _close(limiters)):
                async with progress:
                    ending = await pipeline.run(seeds, n=settings.n, rows_in_flight=rows, draws=settings.draws)
        except asyncio.CancelledError:
            if not allowance.interrupted:
                raise
            ending = Ending("interrupted", "at once", journal.accepted())
        finally:
            _count_skipped(parts.seeds, funnel)
            write_whole(settings.out / FUNNEL, json.dumps(funnel.as_dict(), indent=2))
        measures = _export(parts.export, settings, journal, ending)
        _report(settings, funnel, ending)
        files = [settings.out / name for name in (CONFIG, FUNNEL)]
        await tracking.close(STATUS[ending.reason], funnel, ending.accepted, measures=measures, files=files)
    return Ended(EXIT[ending.reason], ending.accepted)


@asynccontextmanager
async def _tracked(settings: GenerateSettings, config: JsonObject, journal: Journal) -> AsyncIterator[Tracking]:
    """The run's tracking; a run that ends in an error is closed as failed."""
    tracking = await open_tracking(
        settings.tracking, verb="generate", config=config, out=settings.out, resumed=journal.resumed
    )
    try:
        yield tracking
    except BaseException:  # raised again: whatever ends the run, its tracking says so
        await tracking.close("failed", Funnel([]), journal.accepted(), measures={}, files=[])
        raise


def _close(limiters: Iterable[Limiter]) -> None:
    for limiter in limiters:
        limiter.close()


def _rows(lms: LanguageModels) -> int:
    return 1 if lms.concurrency == 1 else ROWS_A_CALL * lms.concurrency


def _begun(seeds: SeedSource) -> Iterator[Seed]:
    """The seeds, the first of them read already: a source that cannot be read is refused before a model is asked."""
    iterator = iter(seeds)
    return itertools.chain(list(itertools.islice(iterator, 1)), iterator)


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
    goal = f" of {settings.n}" if settings.n is not None else ""
    made = f"{ending.accepted}{goal} trajectories accepted, with {funnel.lm_calls} LM calls: {settings.out}"
    if ending.reason == "done":
        log.info("%s", made)
        return
    ways = {
        "seeds_exhausted": "the seeds are exhausted: see funnel.json for what drops rows, or give more in another out",
        "budget": "the budget is used up: the same command with a larger one goes on from here",
        "interrupted": "interrupted: the same command goes on from here",
    }
    log.warning("%s; %s%s", made, ways[ending.reason], f" ({ending.detail})" if ending.detail else "")
