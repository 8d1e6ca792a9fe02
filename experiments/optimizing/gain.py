"""What a program gains over another on the same items: the mean of the paired differences, and how sure that is."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from experiments.comparing.differences import can_be_clear

CONFIDENCE = 0.95
RESAMPLES = 10_000
FEWEST = 5  # pairs, below which an interval says nothing


@dataclass(frozen=True, slots=True)
class Gain:
    """Means before and after, their difference, and its bootstrap interval (95 %, percentiles over the pairs).

    Without an interval, for want of pairs, `low` and `high` are the ends of what is possible. `differing` of the
    `pairs` are not equal.
    """

    before: float
    after: float
    difference: float
    low: float
    high: float
    pairs: int
    differing: int

    @property
    def is_sure(self) -> bool:
        """Whether the interval lies above zero, and enough pairs differ to tell that from chance."""
        return self.low > 0 and can_be_clear(self.differing, CONFIDENCE)

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def gain(before: Sequence[float], after: Sequence[float]) -> Gain:
    """The gain from `before` to `after`, values in [0, 1] of the same items in the same order."""
    from scipy.stats import bootstrap

    differences = np.asarray(after, dtype=float) - np.asarray(before, dtype=float)
    low, high = -1.0, 1.0
    if len(differences) >= FEWEST:
        found = bootstrap(
            (differences,),
            np.mean,
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            method="percentile",
            rng=np.random.default_rng(0),
        ).confidence_interval
        low, high = sorted((float(found.low), float(found.high)))  # equal ones differ by a rounding
    return Gain(
        before=float(np.mean(before)),
        after=float(np.mean(after)),
        difference=float(np.mean(differences)),
        low=low,
        high=high,
        pairs=len(differences),
        differing=int(np.count_nonzero(differences)),
    )
