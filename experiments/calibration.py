"""Whether a judge can be trusted: its agreement with the hand-labelled set, step by step, beside that of code alone.

What the judge says is kept in the run folder under a fingerprint of everything that decides it (model, prompts, items),
so it is asked once; a calibration that was cut off goes on with the items that are left.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dspy
from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from button.errors import ButtonError, NoUsableAnswer, UserError
from button.lms.recorded import Recorded
from button.programs import program_of
from button.run_folder import write_whole
from button.tracking import Tracking
from button.work import DEFAULT_ROLE, Ledger
from experiments.agreement import Agreement, agreement
from experiments.labelled import Labelled, read_labels
from experiments.metrics.judged import JUDGE, JudgedMetric
from experiments.stepping import work_on
from signatures.records import content_hash

log = logging.getLogger(__name__)
ALL = "all"
KAPPA_FLOOR = 0.4  # "moderate" begins there (Landis and Koch, 1977)
UNUSABLE = "no_usable_answer"  # stands for the criteria that are not met where a judge said nothing usable


class Said(BaseModel):
    """What the judge said of one item: the criteria that are not met, and its analysis."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unmet: tuple[str, ...]
    analysis: str


class _Kept(RootModel[dict[str, Said]]):
    """The file of a calibration: what was said, by the ids of the items."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One labelled item as code and judge read it; `judge` is None where no judge is asked.

    `faults` are the checks of code that found fault, and `unmet` the judge's criteria that are not met.
    """

    item: Labelled
    code: bool
    faults: tuple[str, ...]
    judge: bool | None = None
    unmet: tuple[str, ...] = ()
    analysis: str = ""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The agreement with the labels by step, and `all` together: of the judge, of code alone, of both together.

    Of both together, good is what both call good. `judge` and `both` are empty where no judge is asked.
    """

    fingerprint: str
    readings: tuple[Reading, ...]
    judge: Mapping[str, Agreement] = field(default_factory=dict)
    code: Mapping[str, Agreement] = field(default_factory=dict)
    both: Mapping[str, Agreement] = field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        """What tracking logs: `calibration/judge/task/kappa`, `.../kappa_low`, `.../code/all/accuracy` and so on."""
        found: dict[str, float] = {}
        for reader, steps in (("judge", self.judge), ("code", self.code), ("both", self.both)):
            for step, one in steps.items():
                where = f"calibration/{reader}/{step}"
                found[f"{where}/items"] = one.items
                for name, estimate in (("accuracy", one.accuracy), ("kappa", one.kappa)):
                    found |= {
                        f"{where}/{name}": estimate.value,
                        f"{where}/{name}_low": estimate.low,
                        f"{where}/{name}_high": estimate.high,
                    }
                found |= {f"{where}/bad_found": one.found, f"{where}/good_kept": one.kept}
        return found

    def table(self) -> list[dict[str, str | bool | None]]:
        """One row an item, for a table in tracking: what was labelled, what was said, and why."""
        return [
            {
                "id": reading.item.id,
                "step": reading.item.step,
                "label": "good" if reading.item.good else "bad",
                "judge": None if reading.judge is None else "good" if reading.judge else "bad",
                "code": "good" if reading.code else "bad",
                "flaw": reading.item.flaw,
                "reason": reading.item.reason,
                "unmet": ", ".join(reading.unmet),
                "faults": ", ".join(reading.faults),
                "analysis": reading.analysis,
            }
            for reading in self.readings
        ]


def refuse_uncalibrated(
    calibration: Calibration, *, floor: float = KAPPA_FLOOR, allow: bool = False
) -> tuple[str, ...]:
    """The steps whose judge is below the `floor` of kappa; raises UserError where there are some, unless allowed."""
    poor = {step: one for step, one in calibration.judge.items() if step != ALL and one.kappa.value < floor}
    if poor and not allow:
        told = "; ".join(
            f"{step}: kappa {one.kappa.value:.2f} ({one.kappa.low:.2f} to {one.kappa.high:.2f}), accuracy"
            f" {one.accuracy.value:.0%} of {one.items} items"
            for step, one in poor.items()
        )
        raise UserError(
            f"the judge does not agree with the hand-labelled set ({told}); expected is a kappa of at least {floor}."
            " Give the role judge a better model (lm@lms.judge=...), score by code alone (metric.judge_weight=0), or go"
            " on with this one by allow_uncalibrated=true"
        )
    return tuple(poor)


async def trusted(
    lms: Mapping[str, dspy.LM],
    metric: JudgedMetric,
    tracking: Tracking,
    *,
    folder: Path,
    seed: int,
    table: str,
    allow: bool,
    ledger: Ledger | None = None,
) -> None:
    """Calibrate the judge of one metric, tell MLflow (items as `table`), and refuse one that cannot be trusted."""
    log.info("%s: comparing the judge with the hand-labelled set", metric.name)
    found = await calibrate(lms, [metric], folder=folder, seed=seed, ledger=ledger)
    tracking.curve(found.figures(), 0)
    tracking.note("table", name=table, rows=found.table())
    if poor := refuse_uncalibrated(found, allow=allow):
        log.warning("%s: the judge agrees poorly with people (%s); its scores say little", metric.name, ", ".join(poor))


async def calibrate(
    lms: Mapping[str, dspy.LM],
    metrics: Sequence[JudgedMetric],
    *,
    folder: Path,
    seed: int = 0,
    ledger: Ledger | None = None,
    labels: Sequence[Labelled] | None = None,
    progress: Callable[[int, int], None] = lambda done, count: None,
) -> Calibration:
    """The agreement of the metrics' judges (role judge of `lms`) and of their checks with the labels of their steps.

    Items that `folder` holds an opinion on, by this judge, are not asked again; where a `ledger` keeps the answers, it
    is asked for them instead, and counts them. `progress` is told how many are done of how many. Raises UserError
    where the judge cannot be reached, and StopRun where `ledger` allows no further call: what was said is kept, and
    the same call goes on from there.
    """
    by_step = {metric.labels: metric for metric in metrics if metric.labels}
    items = [item for item in (read_labels() if labels is None else labels) if item.step in by_step]
    asked = [item for item in items if by_step[item.step].judge_weight]
    fingerprint = fingerprint_of(lms, list(by_step.values()), items, seed)
    kept = _Answers(folder / f"calibration-{fingerprint}.json")

    async def ask(item: Labelled) -> None:
        work = work_on(item.record, f"calibration of {item.step}", lms, seed=seed, ledger=ledger)
        try:
            opinion = await by_step[item.step].opinion(item.record, work)
            kept.put(item.id, Said(unmet=opinion.unmet, analysis=opinion.analysis))
        except NoUsableAnswer as error:
            kept.put(item.id, Said(unmet=(UNUSABLE,), analysis=f"{error.reason}: {error.detail}"[:500]))
        progress(len(kept.said), len(asked))

    left = [item for item in asked if ledger is not None or item.id not in kept.said]
    await _each(ask, left, at_once=_seam(lms).engine.concurrency)
    said = {item.id: kept.said[item.id] for item in asked}
    readings = tuple(_reading(item, by_step[item.step], said.get(item.id)) for item in items)
    return Calibration(
        fingerprint,
        readings,
        judge=_agreements(readings, lambda reading: reading.judge),
        code=_agreements(readings, lambda reading: reading.code),
        both=_agreements(readings, lambda reading: None if reading.judge is None else reading.judge and reading.code),
    )


def fingerprint_of(
    lms: Mapping[str, dspy.LM], metrics: Sequence[JudgedMetric], items: Sequence[Labelled], seed: int
) -> str:
    """16 hex digits over everything that decides what the judges say: model, prompts, how they ask, the items."""
    asks = [metric.rubric.ask for metric in metrics if metric.rubric is not None]
    return content_hash(
        [_model(lms).model, _seam(lms).identity, seed],
        [program_of(metric.name, asked).hash for metric in metrics for asked in (metric.rubric, metric.sense) if asked],
        [[ask.tries, ask.temperature, ask.max_tokens] for ask in asks],
        [[item.id, item.good, item.record.model_dump(mode="json")] for item in items],
    )


def _model(lms: Mapping[str, dspy.LM]) -> dspy.LM:
    return lms.get(JUDGE) or lms[DEFAULT_ROLE]


def _seam(lms: Mapping[str, dspy.LM]) -> Recorded:
    """The judge's engine, as `button.lms.build` made it: a recorder inside the blocking form."""
    seam: Recorded = _model(lms).engine.engine
    return seam


class _Answers:
    """What a judge has said, in a file that is whole after each answer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said: dict[str, Said] = self._read()

    def put(self, id_: str, said: Said) -> None:
        self.said[id_] = said
        body = {name: one.model_dump(mode="json") for name, one in sorted(self.said.items())}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, json.dumps(body, indent=1, ensure_ascii=False) + "\n")
        except OSError as error:
            raise UserError(f"{self.path} cannot be written: {error.strerror}; choose another out=...") from error

    def _read(self) -> dict[str, Said]:
        if not self.path.exists():
            return {}
        try:
            return dict(_Kept.model_validate_json(self.path.read_bytes()).root)
        except (OSError, ValidationError) as error:
            raise UserError(f"{self.path} is damaged; delete it, and the judge is asked again") from error


async def _each(ask: Callable[[Labelled], Awaitable[None]], items: Sequence[Labelled], *, at_once: int) -> None:
    """Ask for each item. After a failure none is begun, those under way are kept, and the failure is raised."""
    room = asyncio.Semaphore(at_once)
    failures: list[ButtonError] = []

    async def one(item: Labelled) -> None:
        async with room:
            if not failures:
                try:
                    await ask(item)
                except ButtonError as error:
                    failures.append(error)

    tasks = [asyncio.ensure_future(one(item)) for item in items]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    if failures:
        raise failures[0]


def _reading(item: Labelled, metric: JudgedMetric, said: Said | None) -> Reading:
    faults = tuple(part.name for part in metric.checks(item.given, item.record) if part.share < 1)
    if said is None:
        return Reading(item, not faults, faults)
    return Reading(item, not faults, faults, not said.unmet, said.unmet, said.analysis)


def _agreements(readings: Sequence[Reading], verdict: Callable[[Reading], bool | None]) -> dict[str, Agreement]:
    """By step, and over all where there are several."""
    read = [(reading.item, said) for reading in readings if (said := verdict(reading)) is not None]
    steps = list(dict.fromkeys(item.step for item, _ in read))
    groups = {step: [pair for pair in read if pair[0].step == step] for step in steps}
    if len(steps) > 1:
        groups[ALL] = read
    return {
        name: agreement([item.good for item, _ in pairs], [said for _, said in pairs]) for name, pairs in groups.items()
    }
