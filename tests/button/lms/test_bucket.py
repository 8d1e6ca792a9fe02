"""Covers rates a minute, with moments given by the test."""

from hypothesis import given
from hypothesis import strategies as st

from button.lms.bucket import Bucket


def test_calls_are_spread_evenly_over_the_minute() -> None:
    bucket = Bucket(60)  # one a second
    waits = []
    for moment in (0.0, 0.0, 0.25, 1.0):
        waits.append(bucket.wait(1, moment))
        if not waits[-1]:
            bucket.take(1)

    assert waits == [0.0, 1.0, 0.75, 0.0]


def test_what_is_larger_than_the_bucket_is_let_through_once_it_is_full_and_waited_out_by_the_next() -> None:
    bucket = Bucket(600)  # 10 a second
    assert bucket.wait(100, 0.0) == 0.0
    bucket.take(100)

    assert bucket.wait(1, 0.0) == 9.1  # 90 overdrawn, and 1 to take


def test_giving_back_shortens_the_wait() -> None:
    bucket = Bucket(600)
    bucket.take(10)
    assert bucket.wait(5, 0.0) == 0.5
    bucket.take(-5)

    assert bucket.wait(5, 0.0) == 0.0


@given(st.floats(1, 10_000), st.lists(st.floats(0.1, 200), min_size=30, max_size=60))
def test_no_more_than_the_rate_is_ever_let_through(per_minute: float, amounts: list[float]) -> None:
    bucket, now, taken = Bucket(per_minute), 0.0, 0.0
    for amount in amounts:
        now += bucket.wait(amount, now)
        assert bucket.wait(amount, now) <= 1e-6
        bucket.take(amount)
        taken += amount

    one_second = max(1.0, per_minute / 60)
    assert taken <= now * per_minute / 60 + one_second + max(amounts) + 1e-3
