"""The whole pipeline: how much comes out of seeds and calls, and how different it is from itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field, validate_call

from button.dedup import Cosine, load_wordllama
from button.work import Work
from experiments.metrics.metric import Finding, Score, dropped, finding, scored
from experiments.stepping import Tally
from signatures.records import Drop, Example, Outcome, Record

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
MOST_COMPARED = 2000  # texts: their cosines are 4 million numbers


@dataclass(frozen=True, slots=True)
class PipelineFigures:
    """What a run gave. `diversity` is the mean cosine distance of two accepted tasks, in [0, 1]; `distinct` the share
    of the accepted tasks without an earlier twin. Both are 1 for one task and 0 for none."""

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
            _part("yield", found.per_100_seeds, self.full_yield, "accepted trajectories per 100 seeds"),
            _part("diversity", found.diversity, 1.0, "mean cosine distance of two accepted tasks"),
            _part("distinct", found.distinct, 1.0, "share of accepted tasks without an earlier twin"),
        ]
        if calls:
            best = 1000 / self.fewest_calls
            parts.insert(1, _part("economy", found.per_1k_calls, best, "accepted trajectories per 1,000 LM calls"))
        return scored(subject or f"{found.accepted} accepted of {seeds} seeds", parts, [], 0.0)

    def figures(self, examples: Sequence[Example], *, seeds: int, calls: int) -> PipelineFigures:
        """The figures behind the score, as they are reported."""
        similar = _cosines([example.trajectory.problem.composition.task for example in examples[:MOST_COMPARED]])
        count = len(similar)
        pairs = similar[np.triu_indices(count, 1)]
        twins = int((np.tril(similar, -1).max(axis=1) >= self.twin).sum()) if count else 0
        return PipelineFigures(
            accepted=len(examples),
            per_100_seeds=100 * len(examples) / max(seeds, 1),
            per_1k_calls=1000 * len(examples) / calls if calls else 0.0,
            diversity=float(np.clip(1 - pairs.mean(), 0, 1)) if pairs.size else float(count > 0),
            distinct=1 - twins / count if count else 0.0,
        )


def _part(name: str, value: float, full: float, what: str) -> Finding:
    share = min(1.0, value / full)
    return finding(name, [f"{value:.3g} {what}; {full:.3g} would be full marks"] if share < 1 else [], share)


def _cosines(texts: Sequence[str]) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """The cosines of all pairs of texts, by the embeddings of step dedup."""
    if not texts:
        return np.zeros((0, 0), dtype=np.float32)
    vectors = load_wordllama().embed(list(texts)).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    cosines: np.ndarray[tuple[int, int], np.dtype[np.float32]] = vectors @ vectors.T
    return cosines
