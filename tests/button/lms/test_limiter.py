"""Covers order, limits and pauses on virtual time, and the limiter against simulated caps. Nothing here waits."""

import asyncio
import random
from dataclasses import dataclass, field

import pytest
from virtual_time import run

from button.errors import Interrupted
from button.lms.limiter import Limiter


def now() -> float:
    return asyncio.get_running_loop().time()


async def call(limiter: Limiter, seconds: float, starts: list[float], tokens: int = 0) -> None:
    async with limiter.slot(tokens) as slot:
        starts.append(now())
        await asyncio.sleep(seconds)
        slot.answered(tokens)


def test_no_more_calls_run_at_once_than_allowed() -> None:
    async def main() -> list[float]:
        limiter, starts = Limiter(max_in_flight=2), list[float]()
        await asyncio.gather(*[call(limiter, 1.0, starts) for _ in range(5)])
        assert limiter.in_flight == 0
        return starts

    assert run(main()) == [0.0, 0.0, 1.0, 1.0, 2.0]


def test_calls_start_in_the_order_in_which_they_asked() -> None:
    async def main() -> list[int]:
        limiter, order = Limiter(max_in_flight=3), list[int]()

        async def numbered(number: int) -> None:
            async with limiter.slot():
                order.append(number)
                await asyncio.sleep(random.Random(number).random())

        await asyncio.gather(*[numbered(number) for number in range(50)])
        return order

    assert run(main()) == list(range(50))


def test_calls_of_earlier_rows_come_first() -> None:
    async def main() -> list[tuple[int, int]]:
        limiter, order = Limiter(max_in_flight=1), list[tuple[int, int]]()

        async def call(row: int, number: int) -> None:
            async with limiter.slot(row=row):
                order.append((row, number))
                await asyncio.sleep(1)

        rows = [9, *random.Random(1).choices(range(5), k=20)]
        await asyncio.gather(*[call(row, number) for number, row in enumerate(rows)])
        assert order[0] == (9, 0)
        return order[1:]

    order = run(main())
    assert order == sorted(order)


def test_once_closed_it_admits_nobody_any_more() -> None:
    async def main() -> tuple[int, float]:
        limiter, starts = Limiter(max_in_flight=2), list[float]()
        calls = [asyncio.create_task(call(limiter, 5.0, starts)) for _ in range(6)]
        await asyncio.sleep(1)
        assert limiter.waiting == 4
        limiter.close()
        ends = await asyncio.gather(*calls[2:], return_exceptions=True)
        assert [type(end) for end in ends] == [Interrupted] * 4
        assert (limiter.waiting, limiter.in_flight, now()) == (0, 2, 1.0)
        with pytest.raises(Interrupted):
            await call(limiter, 5.0, starts)
        await asyncio.gather(*calls[:2])
        return len(starts), now()

    assert run(main()) == (2, 5.0)


def test_who_is_admitted_in_the_moment_in_which_it_is_closed_gives_the_slot_back() -> None:
    async def main() -> int:
        limiter, starts = Limiter(max_in_flight=1), list[float]()
        async with limiter.slot():
            late = asyncio.create_task(call(limiter, 1.0, starts))
            await asyncio.sleep(1.0)
        limiter.close()  # the waiter's future is done, its task has not run yet
        with pytest.raises(Interrupted):
            await late
        assert not starts
        return limiter.in_flight

    assert run(main()) == 0


def test_who_waits_for_a_minute_to_pass_is_told_at_once_that_it_is_closed() -> None:
    async def main() -> float:
        limiter, starts = Limiter(max_in_flight=8, requests_per_minute=1), list[float]()
        calls = [asyncio.create_task(call(limiter, 0.1, starts)) for _ in range(3)]
        await asyncio.sleep(1.0)
        limiter.close()
        await asyncio.gather(*calls, return_exceptions=True)
        return now()

    assert run(main()) == 1.0


def test_a_cancelled_waiter_takes_no_slot() -> None:
    async def main() -> float:
        limiter, starts = Limiter(max_in_flight=1), list[float]()
        first = asyncio.create_task(call(limiter, 1.0, starts))
        await asyncio.sleep(0)
        gone = asyncio.create_task(call(limiter, 1.0, starts))
        await asyncio.sleep(0)
        gone.cancel()
        await call(limiter, 1.0, starts)
        await first
        assert gone.cancelled()
        assert limiter.in_flight == 0
        return now()

    assert run(main()) == 2.0


def test_a_waiter_cancelled_at_the_moment_of_its_turn_gives_the_slot_on() -> None:
    async def main() -> list[float]:
        limiter, starts = Limiter(max_in_flight=1), list[float]()
        async with limiter.slot():
            gone = asyncio.create_task(call(limiter, 1.0, starts))
            last = asyncio.create_task(call(limiter, 1.0, starts))
            await asyncio.sleep(1.0)
        gone.cancel()  # its future is done, its task has not run yet
        await last
        return starts

    assert run(main()) == [1.0]


def test_a_call_that_raises_frees_its_slot() -> None:
    async def main() -> None:
        limiter = Limiter(max_in_flight=1)
        for _ in range(3):
            with pytest.raises(KeyError):
                async with limiter.slot():
                    raise KeyError
        assert limiter.in_flight == 0

    run(main())


def test_requests_a_minute_are_kept() -> None:
    async def main() -> list[float]:
        limiter, starts = Limiter(max_in_flight=64, requests_per_minute=120), list[float]()
        await asyncio.gather(*[call(limiter, 5.0, starts) for _ in range(8)])
        return starts

    assert run(main()) == pytest.approx([0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0])


def test_tokens_a_minute_are_kept_and_corrected_by_what_a_call_really_took() -> None:
    async def main() -> list[float]:
        limiter, starts = Limiter(max_in_flight=64, tokens_per_minute=6000), list[float]()
        assert limiter.counts_tokens
        for expected, real in ((100, 300), (100, 100), (100, 100)):
            async with limiter.slot(expected) as slot:
                starts.append(now())
                slot.answered(real)
        return starts

    assert run(main()) == pytest.approx([0.0, 3.0, 4.0])


def test_a_stray_retry_after_holds_nobody_else_back() -> None:
    async def main() -> float:
        limiter, starts = Limiter(max_in_flight=4), list[float]()
        await call(limiter, 0.1, starts)
        async with limiter.slot() as slot:
            slot.rejected(60.0)
        await call(limiter, 0.1, starts)
        return starts[-1]

    assert run(main()) == pytest.approx(0.1)


def test_a_retry_after_that_all_get_holds_all_back_as_long_as_it_says_and_no_longer() -> None:
    async def main() -> list[float]:
        limiter, starts = Limiter(max_in_flight=16), list[float]()

        async def rejected() -> None:
            async with limiter.slot() as slot:
                await asyncio.sleep(1.0)
                slot.rejected(19.0)

        await asyncio.gather(*[rejected() for _ in range(16)])
        assert limiter.held_until == 20.0
        await asyncio.gather(*[call(limiter, 0.1, starts) for _ in range(3)])
        return starts

    assert run(main()) == [20.0, 20.0, 20.0]


@dataclass
class Server:
    """Carries `cap` calls of `latency_s` at once, rejects a share `stray` of the others for no reason."""

    latency_s: float
    cap: int = 10**6
    stray: float = 0.0
    rng: random.Random = field(default_factory=lambda: random.Random(3))
    in_flight: int = 0
    rejections: int = 0

    async def takes(self) -> bool:
        if self.in_flight >= self.cap or self.rng.random() < self.stray:
            self.rejections += 1
            await asyncio.sleep(0.002)
            return False
        self.in_flight += 1
        await asyncio.sleep(self.latency_s * self.rng.uniform(0.7, 1.3))
        self.in_flight -= 1
        return True


async def drain(server: Server, limiter: Limiter, calls: int) -> float:
    """Seconds that `calls` calls take, each asked again until it is answered."""
    left = iter(range(calls))
    rng = random.Random(4)

    async def row() -> None:
        for _ in left:
            for attempt in range(100):
                async with limiter.slot() as slot:
                    if await server.takes():
                        slot.answered(None)
                        break
                    slot.rejected(None)
                await asyncio.sleep(0.1 * 2 ** min(attempt, 8) * rng.uniform(0.5, 1.5))

    await asyncio.gather(*[row() for _ in range(2 * limiter.limit)])
    return now()


def test_stray_rejections_hardly_slow_a_run() -> None:
    limiter, server = Limiter(max_in_flight=64), Server(0.1, stray=0.05)

    seconds = run(drain(server, limiter, 5000))

    assert seconds < 1.15 * 5000 * 0.1 / 64
    assert limiter.limit >= 56


@pytest.mark.parametrize(("most", "latency_s"), [(64, 0.1), (256, 5.0)])
def test_a_servers_true_cap_is_found_with_few_wasted_calls(most: int, latency_s: float) -> None:
    limiter, server = Limiter(max_in_flight=most), Server(latency_s, cap=32)

    seconds = run(drain(server, limiter, 3000))

    assert seconds < 1.1 * 3000 * latency_s / 32
    assert 28 <= limiter.limit <= 42
    assert server.rejections < (300 if most == 64 else 1500)
