"""What is compared of two arms: measures of a seed, ratios over all seeds, and how unlike the accepted tasks are.

Each is a function of which seeds are drawn, so that one bootstrap serves them all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Protocol

import numpy as np

from experiments.comparing.walks import Walk
from experiments.metrics.pipeline import PipelineMetric, distances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Drawn = NDArray[np.int64]  # indices of seeds, (..., seeds)

DROPS = "dropped/"
SCORES = "score/"
# Of `Measures`; there is always one assistant turn more than rounds.
OF_ROWS = ("calls", "rounds", "longest_chain", "parallel_rounds", "grounded_share")


class Measure(Protocol):
    """One figure of an arm. `name` is a key, `label` says what it counts and per what."""

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    def pairs(self, one: int, other: int) -> "Drawn":
        """The indices of the seeds for which it is known in both arms."""
        ...

    def differing(self, one: int, other: int) -> int:
        """For how many seeds it differs between the two arms."""
        ...

    def of(self, arm: int, drawn: "Drawn") -> "Array":
        """The figure of an arm over the seeds `drawn`, the last axis taken away."""
        ...


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of one value a seed, (arms, seeds); NaN where a seed has none. `scale` is what it is told in."""

    name: str
    label: str
    values: "Array"
    scale: float = 1.0

    def pairs(self, one: int, other: int) -> "Drawn":
        return np.flatnonzero(~np.isnan(self.values[one]) & ~np.isnan(self.values[other]))

    def differing(self, one: int, other: int) -> int:
        pairs = self.pairs(one, other)
        return int(np.count_nonzero(self.values[one][pairs] != self.values[other][pairs]))

    def of(self, arm: int, drawn: "Drawn") -> "Array":
        found: Array = self.scale * self.values[arm][drawn].mean(axis=-1)
        return found


@dataclass(frozen=True, slots=True)
class Ratio:
    """The sum of one value over the sum of another, each (arms, seeds)."""

    name: str
    label: str
    values: "Array"
    per: "Array"
    scale: float = 1.0

    def pairs(self, one: int, other: int) -> "Drawn":
        return np.arange(self.values.shape[1])

    def differing(self, one: int, other: int) -> int:
        both = ((values[one], values[other]) for values in (self.values, self.per))
        return int(np.count_nonzero(np.logical_or(*(here != there for here, there in both))))

    def of(self, arm: int, drawn: "Drawn") -> "Array":
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Array = self.scale * self.values[arm][drawn].sum(axis=-1) / self.per[arm][drawn].sum(axis=-1)
        return found


@dataclass(frozen=True, slots=True)
class Diversity:
    """The mean cosine distance between the accepted tasks of an arm, from 0 (all alike).

    `distances` are its sums over the pairs of tasks of two seeds, (arms, seeds, seeds), and `counts` the tasks of a
    seed, (arms, seeds). A seed that is drawn twice is not paired with itself: a twin of the bootstrap's own making
    would count as one of the arm's.
    """

    name: str
    label: str
    distances: "Array"
    counts: "Array"

    def pairs(self, one: int, other: int) -> "Drawn":
        return np.arange(self.counts.shape[1])

    def differing(self, one: int, other: int) -> int:
        return int(np.count_nonzero((self.distances[one] != self.distances[other]).any(axis=1)))

    def of(self, arm: int, drawn: "Drawn") -> "Array":
        count, distance = self.counts[arm], self.distances[arm]
        times = _times(drawn, len(count))
        own = np.diagonal(distance)
        apart = ((times @ (distance - np.diag(own))) * times).sum(axis=-1) + times @ own
        weighted = times * count
        couples = weighted.sum(axis=-1) ** 2 - (weighted**2).sum(axis=-1) + times @ (count * (count - 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Array = apart / couples
        return found


@dataclass(frozen=True, slots=True)
class PipelineScore:
    """The value of the metric `pipeline` for all that an arm made of the seeds drawn; its parts are measures too.

    Twins are those within the arm, not those of the bootstrap's own making.
    """

    name: str
    label: str
    metric: PipelineMetric
    accepted: Mean
    economy: Ratio
    diversity: Diversity
    distinct: Ratio

    def pairs(self, one: int, other: int) -> "Drawn":
        return self.accepted.pairs(one, other)

    def differing(self, one: int, other: int) -> int:
        return max(part.differing(one, other) for part in (self.economy, self.diversity, self.distinct))

    def of(self, arm: int, drawn: "Drawn") -> "Array":
        return self.metric.values(
            self.accepted.of(arm, drawn),
            self.economy.of(arm, drawn),
            self.diversity.of(arm, drawn),
            self.distinct.of(arm, drawn) / self.distinct.scale,
        )


def measures_of(
    arms: Sequence[Sequence[Walk]],
    scores: Mapping[str, Mapping[str, float]],
    pipeline: PipelineMetric | None = None,
) -> list[Measure]:
    """All measures of the arms, whose walks stand in the same order of seeds.

    `scores` are those of each metric by the ids of the examples; `pipeline` scores all that an arm made.
    """
    accepted = _values(arms, lambda walk: len(walk.accepted))
    calls, tokens, cost = (_values(arms, attrgetter(name)) for name in ("lm_calls", "tokens", "cost"))
    rows = Mean("accepted", "accepted per 100 seeds", accepted, 100)
    economy = Ratio("accepted_per_call", "accepted per 1,000 LM calls", accepted, calls, 1000)
    found: list[Measure] = [
        rows,
        Mean("seeds_with_a_row", "seeds with an accepted row, %", (accepted > 0).astype(float), 100),
        economy,
        Mean("lm_calls", "LM calls per seed", calls),
        Mean("tokens", "tokens per seed", tokens),
    ]
    if cost.any():
        found.append(Mean("cost", "US dollars per seed", cost))
        found.append(Ratio("cost_per_row", "US dollars per accepted row", cost, accepted))
    found += [
        Mean(name, f"{name.replace('_', ' ')} per row", _values(arms, partial(_of_rows, name=name))) for name in OF_ROWS
    ]
    apart = [distances([example for walk in walks for example in walk.accepted]) for walks in arms]
    diversity = _diversity(arms, apart)
    found.append(diversity)
    if pipeline is not None:
        first = np.array(
            [_by_seed(walks, pipeline.without_twin(each)) for walks, each in zip(arms, apart, strict=True)]
        )
        distinct = Ratio("distinct", "tasks without an earlier twin, %", first, accepted, 100)
        score = PipelineScore(
            f"{SCORES}{pipeline.name}", f"score by {pipeline.name}", pipeline, rows, economy, diversity, distinct
        )
        found += [distinct, score]
    for metric, known in scores.items():
        found.append(Mean(f"{SCORES}{metric}", f"score by {metric}", _values(arms, partial(_score, scores=known))))
    for step, reason in sorted({drop for walks in arms for walk in walks for drop in walk.drops}):
        label = f"{step}: {reason.replace('_', ' ')} per 100 seeds"
        dropped = _values(arms, partial(_dropped, drop=(step, reason)))
        found.append(Mean(f"{DROPS}{step}/{reason}", label, dropped, 100))
    return found


def _values(arms: Sequence[Sequence[Walk]], value: Callable[[Walk], float]) -> "Array":
    return np.array([[value(walk) for walk in walks] for walks in arms], dtype=np.float64)


def _of_rows(walk: Walk, name: str) -> float:
    return _mean([float(getattr(example.measures, name)) for example in walk.accepted])


def _dropped(walk: Walk, drop: tuple[str, str]) -> float:
    return walk.drops[drop]


def _score(walk: Walk, scores: Mapping[str, float]) -> float:
    return _mean([scores[example.id] for example in walk.accepted])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def _diversity(arms: Sequence[Sequence[Walk]], apart: Sequence["Array"]) -> Diversity:
    """`apart` are the distances between the accepted tasks of each arm."""
    counts = _values(arms, lambda walk: len(walk.accepted))
    sums = [_by_seed(walks, _by_seed(walks, each).T) for walks, each in zip(arms, apart, strict=True)]
    return Diversity("diversity", "diversity of the tasks", np.array(sums), counts)


def _by_seed(walks: Sequence[Walk], values: "NDArray[np.bool_] | Array") -> "Array":
    """The sums of the values of accepted rows, (rows, ...), over the rows of each seed: (seeds, ...)."""
    owners = np.repeat(np.arange(len(walks)), [len(walk.accepted) for walk in walks])
    belongs = np.zeros((len(walks), len(owners)))
    belongs[owners, np.arange(len(owners))] = 1
    found: Array = belongs @ values
    return found


def _times(drawn: "Drawn", seeds: int) -> "Array":
    """How often each seed is drawn, (..., seeds)."""
    flat = drawn.reshape(-1, drawn.shape[-1])
    rows = np.arange(len(flat))[:, None] * seeds
    counted = np.bincount((flat + rows).ravel(), minlength=len(flat) * seeds)
    return counted.reshape(*drawn.shape[:-1], seeds).astype(np.float64)
