"""The whole pipeline: how much comes out of seeds and calls, and how different it is from itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, validate_call

from button.dedup import Cosine, load_wordllama
from button.work import Work
from experiments.metrics.metric import Finding, Score, dropped, finding, scored
from experiments.stepping import Tally
from signatures.records import Drop, Example, Outcome, Record

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
MOST_COMPARED = 2000  # texts: their cosines are 4 million numbers


@dataclass(frozen=True, slots=True)
class PipelineFigures:
    """What a run gave. `diversity` is the mean cosine distance of two accepted tasks, from 0; `distinct` the share of
    the accepted tasks without an earlier twin. Both are 1 for one task and 0 for none; `per_1k_calls` is NaN where
    calls were not counted."""

    accepted: int
    per_100_seeds: float
    per_1k_calls: float
    diversity: float
    distinct: float


class PipelineMetric:
    """Scores what comes out at the end, for one seed (`score`) or for a whole run (`of_run`).

    The value is the mean of four parts: accepted trajectories per 100 seeds (`full_yield` of them or more are 1), per
    1,000 LM calls (one in `fewest_calls` is 1: no more can come of the default chain), diversity and distinctness. It
    is 0 where nothing is accepted. Tasks with a cosine of `twin` are twins, as in step dedup.
    """

    name = "pipeline"
    step = "pipeline"

    @validate_call
    def __init__(self, full_yield: Positive = 100.0, fewest_calls: Positive = 11.0, twin: Cosine = 0.85) -> None:
        self.full_yield = full_yield
        self.fewest_calls = fewest_calls
        self.twin = twin

    async def score(self, given: Record, outcome: Outcome, work: Work) -> Score:
        """The score of what came of one seed; its calls are those that `work.ledger` counted, if it is a Tally."""
        subject = f"Seed: {getattr(given, 'text', given.kind)}"
        if isinstance(outcome, Drop):
            return dropped(subject, outcome)
        examples = [record for record in outcome if isinstance(record, Example)]
        calls = work.ledger.usage.calls if isinstance(work.ledger, Tally) else 0
        return self.of_run(examples, seeds=1, calls=calls, subject=subject)

    def of_run(self, examples: Sequence[Example], *, seeds: int, calls: int, subject: str = "") -> Score:
        """The score of a run that made `examples` of `seeds` seeds with `calls` LM calls (0: they were not counted)."""
        if not examples:
            return dropped(subject or f"{seeds} seeds", Drop(reason="nothing_accepted"))
        found = self.figures(examples, seeds=seeds, calls=calls)
        parts = [
            _part(name, value, full, what)
            for name, value, full, what in (
                ("yield", found.per_100_seeds, self.full_yield, "accepted trajectories per 100 seeds"),
                ("economy", found.per_1k_calls, self.full_economy, "accepted trajectories per 1,000 LM calls"),
                ("diversity", found.diversity, 1.0, "mean cosine distance of two accepted tasks"),
                ("distinct", found.distinct, 1.0, "share of accepted tasks without an earlier twin"),
            )
            if not np.isnan(value)
        ]
        return scored(subject or f"{found.accepted} accepted of {seeds} seeds", parts, [], 0.0)

    def values(self, per_100_seeds: "Array", per_1k_calls: "Array", diversity: "Array", distinct: "Array") -> "Array":
        """The values of many runs at once, an entry a run; see `of_run`, whose value it is.

        Without any pair of tasks `diversity` is NaN, and counts as 1 as in `figures`.
        """
        shares = (
            np.minimum(per_100_seeds / self.full_yield, 1),
            np.minimum(per_1k_calls / self.full_economy, 1),
            np.minimum(np.nan_to_num(diversity, nan=1.0), 1),
            distinct,
        )
        found: Array = np.where(per_100_seeds > 0, sum(shares) / len(shares), 0.0)
        return found

    @property
    def full_economy(self) -> float:
        """Accepted trajectories per 1,000 LM calls that count as full marks."""
        return 1000 / self.fewest_calls

    def figures(self, examples: Sequence[Example], *, seeds: int, calls: int) -> PipelineFigures:
        """The figures behind the score, as they are reported."""
        apart = distances(examples[:MOST_COMPARED])
        count = len(apart)
        return PipelineFigures(
            accepted=len(examples),
            per_100_seeds=100 * len(examples) / max(seeds, 1),
            per_1k_calls=1000 * len(examples) / calls if calls else float("nan"),
            diversity=float(apart.sum() / (count * (count - 1))) if count > 1 else float(count),
            distinct=float(self.without_twin(apart).mean()) if count else 0.0,
        )

    def without_twin(self, apart: "Array") -> "NDArray[np.bool_]":
        """Which tasks have no twin before them, by their `distances`."""
        twins = np.triu(1 - apart >= self.twin, 1)
        return np.asarray(~twins.any(axis=0))


def distances(examples: Sequence[Example]) -> "Array":
    """The cosine distances of all pairs of composed tasks, (examples, examples), by the embeddings of step dedup."""
    if not examples:
        return np.zeros((0, 0))
    tasks = [example.trajectory.problem.composition.task for example in examples]
    vectors = np.asarray(load_wordllama().embed(tasks), dtype=np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    apart: Array = np.clip(1 - vectors @ vectors.T, 0, None)
    np.fill_diagonal(apart, 0)
    return apart


def _part(name: str, value: float, full: float, what: str) -> Finding:
    share = min(1.0, value / full)
    return finding(name, [f"{value:.3g} {what}; {full:.3g} would be full marks"] if share < 1 else [], share)
