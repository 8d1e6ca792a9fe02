"""Covers the rates of faults."""

import random
from collections import Counter

import pytest
from pydantic import ValidationError

from button.faults import Faults


def test_faults_come_at_their_rates() -> None:
    faults, rng = Faults(rate_limit=0.1, cut=0.2, slow=0.3), random.Random(0)

    seen = Counter(faults.draw(rng) for _ in range(10_000))

    assert {kind: round(count / 10_000, 1) for kind, count in seen.items()} == {
        "rate_limit": 0.1,
        "cut": 0.2,
        "slow": 0.3,
        None: 0.4,
    }


def test_without_rates_there_are_no_faults() -> None:
    assert {Faults().draw(random.Random(seed)) for seed in range(100)} == {None}


def test_rates_that_add_up_to_more_than_one_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"add up to 1\.2, expected 1 at most"):
        Faults(cut=0.6, slow=0.6)
