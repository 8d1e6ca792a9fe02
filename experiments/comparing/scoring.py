"""Scores of the accepted trajectories of all arms, by the same metrics and judges; kept, so never paid twice."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dspy
import orjson
import yaml

from button.cli import CONF
from button.errors import UserError
from button.lms.build import LanguageModels, build_lms, opened_lms
from button.targets import TARGET, build, with_defaults
from button.tracking import Tracking
from experiments.calibration import trusted
from experiments.comparing.settings import CompareSettings
from experiments.metrics.judged import JudgedMetric
from experiments.metrics.metric import Metric, checked
from experiments.metrics.pipeline import PipelineMetric
from experiments.stepping import Tally, work_on
from signatures.records import Example, JsonObject, content_hash

FILE = "scores.jsonl"
SCORED = ("simulate", "trajectory")  # the steps of metrics that score whole trajectories
SAID_EVERY = 20  # scores

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scorer:
    """A metric and the hash of all that decides its scores: its config and the models that judge."""

    name: str
    metric: Metric
    identity: str


@dataclass(frozen=True, slots=True)
class Scorers:
    """The metrics of a comparison: those of single trajectories, and the one of whole arms."""

    each: tuple[Scorer, ...]
    whole: PipelineMetric | None

    @property
    def judged(self) -> list[JudgedMetric]:
        """Those that ask a judge."""
        metrics = [scorer.metric for scorer in self.each]
        return [metric for metric in metrics if isinstance(metric, JudgedMetric) and metric.judge_weight]


def scorers_of(settings: CompareSettings) -> Scorers:
    """The metrics of a comparison. Raises UserError for one that is unknown, or that scores no trajectories."""
    models = [settings.lm, settings.lms]
    configs = _configs(settings)
    metrics = {name: _metric(name, config, settings) for name, config in configs.items()}
    return Scorers(
        tuple(
            Scorer(name, metric, content_hash(configs[name], models))
            for name, metric in metrics.items()
            if not isinstance(metric, PipelineMetric)
        ),
        next((metric for metric in metrics.values() if isinstance(metric, PipelineMetric)), None),
    )


async def calibrated(scorers: Scorers, settings: CompareSettings, tracking: Tracking) -> None:
    """Measure the judges of the metrics against the hand-labelled set; a comparison asks each of them once.

    Raises UserError for a judge that cannot be trusted, unless that is allowed, or that cannot be reached.
    """
    if not scorers.judged:
        return
    lms = build_lms(settings.lm, settings.lms, settings.allow_targets)
    try:
        for metric in scorers.judged:
            with dspy.context(disable_history=True, max_trace_size=0):
                await trusted(
                    lms.of_role,
                    metric,
                    tracking,
                    folder=settings.out,
                    seed=settings.seed,
                    table=f"calibration/{metric.name}.json",
                    allow=settings.allow_uncalibrated,
                )
    finally:
        await lms.aclose()


async def scored(
    scorers: Sequence[Scorer], examples: Mapping[str, Iterable[Example]], settings: CompareSettings
) -> dict[str, dict[str, float]]:
    """The scores of the `examples` of all arms, by metric and example; each is written to scores.jsonl as it is made.

    Raises EndpointFailed where the judge cannot be reached; what is scored stays.
    """
    file = settings.out / FILE
    known = dict(_kept(file))  # of judges that `calibrated` let pass
    wanted = [
        (scorer, arm, example)
        for scorer in scorers
        for arm, accepted in examples.items()
        for example in accepted
        if (scorer.identity, example.id) not in known
    ]
    if wanted:
        log.info("scoring %d trajectories by %s", len(wanted), ", ".join(scorer.name for scorer in scorers))
        async with opened_lms(settings.lm, settings.lms, settings.allow_targets) as lms:
            known.update(await _score_all(wanted, lms, settings.seed, file))
    return {
        scorer.name: {
            example.id: known[scorer.identity, example.id] for accepted in examples.values() for example in accepted
        }
        for scorer in scorers
    }


async def _score_all(
    wanted: Sequence[tuple[Scorer, str, Example]], lms: LanguageModels, seed: int, file: Path
) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    refused: BaseException | None = None
    room = asyncio.Semaphore(lms.concurrency)
    with file.open("ab") as lines:
        if _is_cut_off(file):
            lines.write(b"\n")  # else the next answer would be part of the line that a kill cut off

        async def score(scorer: Scorer, arm: str, example: Example) -> None:
            async with room:
                kept = await _score(scorer, arm, example, lms.of_role, seed)
            lines.write(orjson.dumps(kept) + b"\n")
            lines.flush()
            found[scorer.identity, example.id] = kept["value"]
            if len(found) % SAID_EVERY == 0:
                log.info("%d of %d scored", len(found), len(wanted))

        try:
            with dspy.context(disable_history=True, max_trace_size=0):
                async with asyncio.TaskGroup() as tasks:
                    for one in wanted:
                        tasks.create_task(score(*one))
        except* UserError as failed:
            refused = failed.exceptions[0]  # of those that failed together; raised in here it would be a group again
    if refused is not None:
        raise refused
    return found


async def _score(scorer: Scorer, arm: str, example: Example, lms: Mapping[str, dspy.LM], seed: int) -> JsonObject:
    trajectory, tally = example.trajectory, Tally()
    work = work_on(trajectory, f"metric.{scorer.name}", lms, seed=seed, ledger=tally)
    score = checked(
        await scorer.metric.score(trajectory.problem, (trajectory,), work), metric=scorer.name, item=example.id
    )
    return {
        "metric": scorer.name,
        "identity": scorer.identity,
        "arm": arm,
        "example": example.id,
        "value": score.value,
        "parts": dict(score.parts),
        "feedback": score.feedback,
        "lm_calls": tally.usage.calls,
    }


def _kept(file: Path) -> Iterator[tuple[tuple[str, str], float]]:
    """What earlier tries have scored; a line that a kill cut off is scored again."""
    if not file.exists():
        return
    for line in file.read_bytes().split(b"\n"):
        try:
            row: JsonObject = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        yield (row["identity"], row["example"]), row["value"]


def _is_cut_off(file: Path) -> bool:
    return not file.read_bytes().endswith(b"\n") and file.stat().st_size > 0


def _configs(settings: CompareSettings) -> dict[str, JsonObject]:
    """The configs of the metrics by name, each with what the settings say of its keys."""
    found = {name: _config(name) for name in settings.metrics}
    taken = {name: with_defaults(config, settings.allow_targets).keys() - {TARGET} for name, config in found.items()}
    for key in settings.metric:
        if not any(key in keys for keys in taken.values()):
            known = ", ".join(sorted(set().union(*taken.values()))) or "none"
            raise UserError(f"metric.{key}: metrics=[{', '.join(found)}] take no such key; they take: {known}")
    return {
        name: {**config, **{key: value for key, value in settings.metric.items() if key in taken[name]}}
        for name, config in found.items()
    }


def _config(name: str) -> JsonObject:
    file = CONF / "metric" / f"{name}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in (CONF / "metric").glob("*.yaml")))
        raise UserError(f"metrics: there is no metric {name!r}; they are: {known}")
    config: JsonObject = yaml.safe_load(file.read_text(encoding="utf-8"))
    return config


def _metric(name: str, config: JsonObject, settings: CompareSettings) -> Metric:
    metric: Any = build(config, "metric", allow=settings.allow_targets)
    if not isinstance(metric, PipelineMetric) and metric.step not in SCORED:
        raise UserError(
            f"metrics: {name} scores the step {metric.step!r}; a comparison scores whole trajectories and arms: take"
            f" one for {' or '.join(SCORED)}, or pipeline"
        )
    found: Metric = metric
    return found
