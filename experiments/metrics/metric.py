"""What a metric is: a number in [0, 1] for what a step made of a record, its parts, and feedback in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from button.errors import UserError
from button.work import Work
from signatures.records import Drop, Outcome, Record

KEPT = "kept"  # the part of a score that a drop has, and nothing else


@dataclass(frozen=True, slots=True)
class Score:
    """`value` and each of `parts` lie in [0, 1]; `feedback` says what is good, what is wrong, and how to mend it."""

    value: float
    feedback: str
    parts: Mapping[str, float]


class Metric(Protocol):
    """Scores what `step` made of a record. `name` is its own; `step` the pipeline step it scores, or "pipeline"."""

    name: str
    step: str

    async def score(self, given: Record, outcome: Outcome, work: Work) -> Score:
        """The score of `outcome`, which the step made of `given`; `work` serves the judge's calls.

        Raises EndpointFailed where the judge cannot be reached.
        """
        ...


def checked(score: Score, *, metric: str = "", item: str = "") -> Score:
    """`score`, if its value and its parts are numbers in [0, 1].

    Else raises UserError with the name of the `metric` and the id of the `item` (a record's) that it scored.
    """
    for name, value in (("value", score.value), *score.parts.items()):
        given: object = value
        if not isinstance(given, int | float) or not 0 <= given <= 1:
            where = "its value" if name == "value" else f"its part '{name}'"
            raise UserError(
                f"the metric {metric or 'in use'} gave {value!r} ({where}) on item {item or '(no id)'}: it should"
                " give a number from 0 to 1; mend the metric, or choose another one with metric=..."
            )
    return score


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of a score: its `name`, its `share` in [0, 1], and the `faults` that explain a share below 1."""

    name: str
    share: float
    faults: tuple[str, ...] = ()


def finding(name: str, faults: Sequence[str], share: float | None = None) -> Finding:
    """A part that is 0 with any fault and 1 without, or has the `share` given."""
    return Finding(name, share if share is not None else float(not faults), tuple(faults))


def scored(subject: str, checks: Sequence[Finding], judged: Sequence[Finding], judge_weight: float) -> Score:
    """The score of `subject` (the texts scored): the mean of the checks and that of the judge's parts, weighted."""
    value = mean(checks)
    if judged:
        value = (1 - judge_weight) * value + judge_weight * mean(judged)
    parts = {part.name: part.share for part in (*checks, *judged)}
    return Score(value, told(subject, [*checks, *judged]), parts)


def dropped(subject: str, drop: Drop) -> Score:
    """The score of an outcome that is none: 0, and the drop's reason."""
    detail = f": {drop.detail}" if drop.detail else ""
    feedback = f"{subject}\nNothing usable came of it; it was dropped as {drop.reason}{detail}"
    return Score(0.0, feedback, {KEPT: 0.0})


def mean(parts: Sequence[Finding]) -> float:
    """The mean share of `parts`; 1 where there are none."""
    return sum(part.share for part in parts) / len(parts) if parts else 1.0


def told(subject: str, parts: Sequence[Finding]) -> str:
    """The feedback: the texts, what is good by name, what is wrong in sentences."""
    good = ", ".join(part.name.replace("_", " ") for part in parts if part.share >= 1)
    wrong = [f"- {part.name.replace('_', ' ')}: {fault}" for part in parts if part.share < 1 for fault in part.faults]
    lines = [subject, f"Good: {good or 'nothing'}."]
    return "\n".join([*lines, "Wrong, mend this:", *wrong] if wrong else [*lines, "Nothing is wrong."])
