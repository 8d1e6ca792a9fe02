"""Paired differences between two arms, with bootstrap intervals over the seeds."""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.comparing.measures import Measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_PAIRS = 5  # below this a bootstrap says nothing
BATCH = 1000  # resamples at a time


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of `arm` less that of `base`, over the seeds for which both are known (`pairs`).

    The figures are NaN without such seeds; `interval` is None where the seeds are too few for one. `clear` is a
    difference whose interval excludes 0, and for which so many seeds differ (`differing`) that not even all of them
    leaning one way would be chance.
    """

    measure: str
    label: str
    base: str
    arm: str
    base_value: float
    arm_value: float
    difference: float
    interval: Interval | None
    pairs: int
    differing: int
    clear: bool


def differences(
    names: Sequence[str], measures: Sequence[Measure], *, confidence: float, resamples: int
) -> list[Difference]:
    """Every measure of every arm but the first against the first; each interval drawn with the same seed."""
    return [
        _difference(measure, names, arm, confidence, resamples) for arm in range(1, len(names)) for measure in measures
    ]


def _difference(measure: Measure, names: Sequence[str], arm: int, confidence: float, resamples: int) -> Difference:
    pairs = measure.pairs(0, arm)
    nothing = not len(pairs)
    base_value, arm_value = (math.nan if nothing else float(measure.of(index, pairs)) for index in (0, arm))

    def statistic(drawn: "NDArray[np.float64]", axis: int = -1) -> "NDArray[np.float64]":
        indices = np.moveaxis(drawn, axis, -1).astype(np.int64)
        found: NDArray[np.float64] = measure.of(arm, indices) - measure.of(0, indices)
        return found

    interval = _interval(pairs, statistic, confidence, resamples)
    differing = measure.differing(0, arm)
    return Difference(
        measure=measure.name,
        label=measure.label,
        base=names[0],
        arm=names[arm],
        base_value=base_value,
        arm_value=arm_value,
        difference=arm_value - base_value,
        interval=interval,
        pairs=len(pairs),
        differing=differing,
        clear=interval is not None and interval.excludes_zero and can_be_clear(differing, confidence),
    )


def can_be_clear(differing: int, confidence: float) -> bool:
    """Whether so many differing seeds could reject chance at all: the sign test's p-value if all lean one way."""
    return 2.0 ** (1 - differing) < 1 - confidence


def _interval(
    pairs: "NDArray[np.int64]", statistic: Callable[..., object], confidence: float, resamples: int
) -> Interval | None:
    """The percentile interval. The bias-corrected one is too narrow for rare drops: see docs/design/comparing.md."""
    from scipy.stats import DegenerateDataWarning, bootstrap

    if len(pairs) < FEWEST_PAIRS:
        return None
    # A draw without any row has no ratio: it is left out below, and no reason to warn.
    with np.errstate(invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", DegenerateDataWarning)
        found = bootstrap(
            (pairs,),
            statistic,
            n_resamples=resamples,
            batch=BATCH,
            method="percentile",
            rng=np.random.default_rng(0),
        )
    drawn = found.bootstrap_distribution[np.isfinite(found.bootstrap_distribution)]
    if not len(drawn):
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return Interval(float(low), float(high))
