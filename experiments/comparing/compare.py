"""`button compare`: every arm walks the same seeds, and what differs is told with its uncertainty."""

import asyncio
import logging
import math
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console

from button.config import GenerateSettings, as_config
from button.errors import UserError
from button.generate import EXIT, generate, parts_of
from button.lms.build import check_lms, opened_lms
from button.programs import chosen
from button.run_folder import CONFIG, locked, write_whole
from button.secrecy import placeless
from button.tracking import Tracking, nested_under, open_tracking
from experiments.comparing.differences import Difference, differences
from experiments.comparing.figure import draw
from experiments.comparing.measures import DROPS, Measure, measures_of
from experiments.comparing.scoring import Scorers, calibrated, scored, scorers_of
from experiments.comparing.settings import CompareSettings, arms_of
from experiments.comparing.table import as_csv, as_json, seeds_csv, terminal_table
from experiments.comparing.walks import Walk, is_finished, paired, walks_in
from signatures.records import Example, content_hash

TABLE, FULL, SEEDS, FIGURE = "comparison.csv", "comparison.json", "seeds.csv", "comparison.png"
IDENTITY = ".comparison"  # holds what the MLflow runs of the arms find the comparison's own by
STATUS = {0: "finished", 3: "budget", 130: "interrupted"}  # by exit code
WIDTH = 110  # of the table where no terminal says its own

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a comparison ended; `exit_code` is that of the arm that ended short, else 0."""

    exit_code: int


async def compare(settings: CompareSettings) -> Ended:
    """Run every arm that is not finished in its folder below `out`, and compare them; resumable at any point.

    Raises UserError for what the user can mend; everything that the arms have made stays.
    """
    arms = arms_of(settings)
    scorers = scorers_of(settings)
    check_lms(settings.lm, settings.lms, settings.allow_targets)
    _check(arms)
    await _check_answers(settings, arms, scorers)
    with locked(settings.out):
        identity = _identity(settings.out)
        write_whole(settings.out / CONFIG, yaml.safe_dump(as_config(settings), sort_keys=False, allow_unicode=True))
        tracking = await open_tracking(
            settings.tracking, verb="compare", config=as_config(settings), out=settings.out, heads=identity
        )
        status = "failed"
        metrics: dict[str, float] = {}
        try:
            await calibrated(scorers, settings, tracking)
            code = await _run(arms, identity)
            if code == EXIT["done"]:
                walks = _walks(arms)
                scores = await scored(scorers.each, _accepted(walks), settings)
                measures = measures_of(list(walks.values()), scores, scorers.whole)
                metrics = _told(settings, walks, measures, tracking)
            status = STATUS[code]
        except asyncio.CancelledError:
            status = "interrupted"
            raise
        finally:
            files = [settings.out / name for name in (CONFIG, TABLE, FULL, SEEDS, FIGURE)]
            await tracking.end(status, metrics=metrics, files=files)
    return Ended(code)


def _check(arms: Mapping[str, GenerateSettings]) -> None:
    """Build what every arm is made of before the first one runs: a slip in the last arm costs nothing."""
    for name, settings in arms.items():
        with _told_with(name):
            parts_of(settings, chosen(settings))


async def _check_answers(settings: CompareSettings, arms: Mapping[str, GenerateSettings], scorers: Scorers) -> None:
    """Ask the models of all that is left to do whether they can be reached, each once, before the first arm runs."""
    left = {name: arm for name, arm in arms.items() if not is_finished(arm.out)}
    known = set[str]()
    for name, arm in left.items():
        models = content_hash(arm.lm, arm.lms)
        if models not in known:
            known.add(models)
            with _told_with(name):
                await _open(arm)
    if left and scorers.each and content_hash(settings.lm, settings.lms) not in known:
        await _open(settings)


async def _open(settings: GenerateSettings | CompareSettings) -> None:
    async with opened_lms(settings.lm, settings.lms, settings.allow_targets):
        pass


@contextmanager
def _told_with(arm: str) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise UserError(f"arms.{arm}: {error}") from error


async def _run(arms: Mapping[str, GenerateSettings], identity: str) -> int:
    """Run the arms one after the other; the exit code of the first that ends short, else 0."""
    for number, (name, settings) in enumerate(arms.items(), 1):
        log.info("arm %s (%d of %d)", name, number, len(arms))
        try:
            with nested_under(identity):
                ended = await generate(settings)
        except UserError as error:
            kept = "what is done stays: with this mended, the same command goes on from there"
            raise UserError(f"arm {name}: {error}\n{kept}") from error
        if ended.exit_code != EXIT["done"]:
            log.warning("arm %s ended short, so nothing is compared yet; the same command goes on from here", name)
            return ended.exit_code
    return EXIT["done"]


def _walks(arms: Mapping[str, GenerateSettings]) -> dict[str, list[Walk]]:
    """The walks of each arm, all in one order of seeds."""
    found = {name: walks_in(settings.out) for name, settings in arms.items()}
    seeds = paired(found)
    return {name: [walks[seed] for seed in seeds] for name, walks in found.items()}


def _accepted(walks: Mapping[str, list[Walk]]) -> dict[str, list[Example]]:
    return {name: [example for walk in found for example in walk.accepted] for name, found in walks.items()}


def _told(
    settings: CompareSettings, walks: Mapping[str, list[Walk]], measures: Sequence[Measure], tracking: Tracking
) -> dict[str, float]:
    """Write the table and the figure, show the table, and give the metrics of the comparison."""
    names, seeds = list(walks), len(next(iter(walks.values())))
    found = differences(names, measures, confidence=settings.confidence, resamples=settings.resamples)
    write_whole(settings.out / TABLE, as_csv(found))
    write_whole(settings.out / FULL, as_json(found, config=placeless(as_config(settings)), seeds=seeds))
    write_whole(settings.out / SEEDS, seeds_csv(dict(walks)))
    draw(found, settings.out / FIGURE, seeds=seeds, confidence=settings.confidence)
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    console.print(terminal_table(found, settings.confidence))
    log.info("%d arms on %d seeds: %s, %s", len(names), seeds, settings.out / TABLE, settings.out / FIGURE)
    for arm, name in enumerate(names):
        tracking.measured(_figures(measures, arm), of=settings.out / name)
    return _as_metrics(found)


def _figures(measures: Sequence[Measure], arm: int) -> dict[str, float]:
    """The figures of one arm over the seeds for which it has them; its run has the drops already."""
    found: dict[str, float] = {}
    for measure in measures:
        if measure.name.startswith(DROPS):
            continue
        known = measure.pairs(arm, arm)
        value = float(measure.of(arm, known)) if len(known) else math.nan
        if math.isfinite(value):
            found[f"compared/{measure.name}"] = value
    return found


def _as_metrics(found: Sequence[Difference]) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for one in found:
        if one.measure.startswith(DROPS):
            continue
        key = f"{one.measure}/{one.arm}"
        if math.isfinite(one.difference):
            metrics[key] = one.difference
        if one.interval is not None:
            metrics[f"{key}/low"], metrics[f"{key}/high"] = one.interval.low, one.interval.high
    return metrics


def _identity(out: Path) -> str:
    """What tells this comparison from every other one; made once a folder."""
    file = out / IDENTITY
    if not file.exists():
        write_whole(file, uuid.uuid4().hex[:12])
    return file.read_text(encoding="utf-8").strip()
