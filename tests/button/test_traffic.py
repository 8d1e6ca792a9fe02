"""Covers a server's counters, on virtual time."""

import asyncio

from virtual_time import run

from button.traffic import Traffic


def test_calls_repeats_and_how_many_ran_at_once_are_counted() -> None:
    async def main() -> Traffic:
        traffic = Traffic(keep_bodies=1)
        assert traffic.arrive(b"a", b"A") == 0
        assert traffic.arrive(b"b", b"B") == 0
        await asyncio.sleep(1)
        traffic.leave(b"a", status=200, fault=None, tokens=10)
        await asyncio.sleep(3)
        traffic.leave(b"b", status=200, fault="malformed")
        assert traffic.arrive(b"a", b"A") == 1
        assert traffic.arrive(b"b", b"B") == 1
        traffic.leave(b"a", status=0, fault="cut")
        return traffic

    traffic = run(main())

    assert traffic.bodies == [b"A"]
    assert traffic.summary() == {
        "calls": 4,
        "statuses": {"0": 1, "200": 2},
        "faults": {"cut": 1, "malformed": 1},
        "distinct": 2,
        "repeats": 2,
        "repeats_of_answered": 1,
        "tokens": 10,
        "in_flight": 1,
        "peak_in_flight": 2,
        "mean_in_flight": 1.25,
        "seconds": 4.0,
    }


def test_a_server_that_saw_nothing_says_so() -> None:
    assert Traffic(keep_bodies=0).summary()["mean_in_flight"] == 0.0
