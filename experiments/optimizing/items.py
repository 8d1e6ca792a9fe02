"""What programs are tried on: records as they enter a step, split by scenario."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import dspy

from button.errors import UserError
from button.journal import Journal
from button.run_folder import JOURNAL
from button.step import OrderedStep, Step
from button.work import Ledger
from experiments.stepping import run_step, work_on
from signatures.records import SPLITS, Drop, Outcome, Record, Split, content_hash

log = logging.getLogger(__name__)
FRUITLESS = 20  # seeds an item, after which the seeds are given up


@dataclass(frozen=True, slots=True)
class Item:
    """A record as it enters the step, the words of its scenario, and the part that it is for."""

    record: Record
    scenario: str
    split: Split

    @property
    def id(self) -> str:
        return self.record.id


def scenario_of(record: Record) -> str:
    """The words of the scenario that a record comes from; two spellings of the same words are one."""
    part: object = record
    while not hasattr(part, "scenario"):
        inner = next(
            (getattr(part, name) for name in ("trajectory", "problem", "composition") if hasattr(part, name)), None
        )
        if inner is None:
            return " ".join(str(getattr(part, "text", "")).lower().split())
        part = inner
    return " ".join(str(part.scenario).lower().split())


def split(records: Sequence[Record], sizes: Mapping[Split, int], seed: int) -> list[Item]:
    """Items for each part, whole scenarios at a time, drawn by `seed`.

    Raises UserError where the records do not give enough: a part never borrows from another.
    """
    scenarios: dict[str, list[Record]] = {}
    for record in records:
        scenarios.setdefault(scenario_of(record), []).append(record)
    items: list[Item] = []
    left = iter(sorted(scenarios, key=lambda scenario: content_hash(seed, scenario)))
    for part in reversed(SPLITS):  # the test part first: with a few more items it stays nearly what it is
        while (have := sum(item.split == part for item in items)) < sizes[part]:
            scenario = next(left, None)
            if scenario is None:
                raise UserError(
                    f"{len(records)} items of {len(scenarios)} scenarios are too few for the {sum(sizes.values())} of"
                    " sizes (a scenario lies in one part only): give more seeds or another run with items=..., or ask"
                    " for fewer, as with sizes={" + ", ".join(f"{name}: {most}" for name, most in sizes.items()) + "}"
                )
            taken = sorted(scenarios[scenario], key=lambda record: record.id)[: sizes[part] - have]
            items += [Item(record, scenario, part) for record in taken]
    return items


def recorded(folder: Path, step: str, takes: type[Record]) -> list[Record]:
    """The records that the step took in the run of `folder`, in the order of their ids.

    Raises UserError where there is no such run, or none in which `step` took what it takes here.
    """
    path = folder / JOURNAL
    if not path.is_file():
        raise UserError(f"items={folder}: there is no {JOURNAL} in it; give the run folder of a button generate")
    with closing(Journal(path)) as journal:
        found = [journal.record(id_) for id_ in journal.taken_by(step)]
    fitting = [record for record in found if isinstance(record, takes)]
    if not fitting:
        raise UserError(
            f"items={folder}: no step '{step}' took a {takes.__name__} in that run; leave items out to make new ones"
        )
    return fitting


async def made(
    steps: Mapping[str, Step | OrderedStep],
    seeds: Iterator[Record],
    *,
    count: int,
    lms: Mapping[str, dspy.LM],
    seed: int,
    ledger: Ledger,
    at_once: int,
) -> list[Record]:
    """At least `count` records that come out of `steps`, one a scenario, or as many as the seeds give.

    `steps` are those before the one to be optimised. Ordered steps decide in the order of the seeds.
    """
    found: dict[str, Record] = {}
    used = 0
    while len(found) < count and used < FRUITLESS * count:
        batch: list[Record] = list(islice(seeds, count - len(found)))
        if not batch:
            break
        used += len(batch)
        for name, step in steps.items():
            batch = await _through(name, step, batch, lms=lms, seed=seed, ledger=ledger, at_once=at_once)
        for record in batch:
            found.setdefault(scenario_of(record), record)
        log.info("%d of %d items made, from %d seeds", min(len(found), count), count, used)
    return list(found.values())


async def _through(
    name: str,
    step: Step | OrderedStep,
    records: Sequence[Record],
    *,
    lms: Mapping[str, dspy.LM],
    seed: int,
    ledger: Ledger,
    at_once: int,
) -> list[Record]:
    """What one step makes of a batch, drops left out."""
    if isinstance(step, OrderedStep):
        outcomes: Sequence[Outcome] = [step.decide(record) for record in records]
    else:
        room = asyncio.Semaphore(at_once)

        async def one(record: Record) -> Outcome:
            async with room:
                return await run_step(step, record, work_on(record, name, lms, seed=seed, ledger=ledger))

        outcomes = await asyncio.gather(*map(one, records))
    return [given for outcome in outcomes if not isinstance(outcome, Drop) for given in outcome]
