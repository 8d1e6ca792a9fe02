"""How far two readers agree over the same items: accuracy and Cohen's kappa, with bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and the ends of its 95 % percentile bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over `items`: the share on which both agree, in [0, 1], and Cohen's kappa, in [-1, 1] with 0 for chance.

    `found` is the share of the bad items that were called bad, `kept` the share of the good ones called good.
    """

    items: int
    accuracy: Estimate
    kappa: Estimate
    found: float
    kept: float


def agreement(labels: Sequence[bool], said: Sequence[bool]) -> Agreement:
    """The agreement of what was `said` with the `labels` (True is good), item by item. Both kinds of label are there.

    The same items always give the same intervals.
    """
    truth, answer = np.asarray(labels, dtype=bool), np.asarray(said, dtype=bool)
    return Agreement(
        items=len(truth),
        accuracy=_estimate(accuracy, truth, answer),
        kappa=_estimate(kappa, truth, answer),
        found=float(np.mean(~answer[~truth])),
        kept=float(np.mean(answer[truth])),
    )


def accuracy(a: "NDArray[np.bool_]", b: "NDArray[np.bool_]", axis: int = -1) -> Any:
    """The share of places where both are the same, along `axis`."""
    return np.mean(a == b, axis=axis)


def kappa(a: "NDArray[np.bool_]", b: "NDArray[np.bool_]", axis: int = -1) -> Any:
    """Cohen's kappa of two yes-or-no readers along `axis`: (observed - chance) / (1 - chance).

    0 where both say one thing only, which tells nothing (scikit-learn gives NaN there). Written for whole resamples at
    once: scikit-learn's takes one pair, and a millisecond for it.
    """
    observed = np.mean(a == b, axis=axis)
    p, q = np.mean(a, axis=axis), np.mean(b, axis=axis)
    chance = p * q + (1 - p) * (1 - q)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(chance < 1, (observed - chance) / (1 - chance), 0.0)


def _estimate(statistic: Any, truth: "NDArray[np.bool_]", answer: "NDArray[np.bool_]") -> Estimate:
    from scipy.stats import bootstrap

    value = float(statistic(truth, answer))
    if len(truth) < 2:
        return Estimate(value, value, value)
    interval = bootstrap(
        (truth, answer),
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",  # the BCa correction breaks down where a statistic is the same on most resamples
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Estimate(value, float(interval.low), float(interval.high))
