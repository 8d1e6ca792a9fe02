import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from button.turnstile import Turnstile


@given(st.permutations(range(12)), st.randoms(use_true_random=False))
def test_positions_pass_in_order_however_they_arrive(arrivals: list[int], rng: random.Random) -> None:
    async def main() -> list[int]:
        turnstile, passed = Turnstile(), list[int]()

        async def walk(position: int, steps: int) -> None:
            for _ in range(steps):
                await asyncio.sleep(0)
            async with turnstile.turn(position):
                assert turnstile.next == position
                passed.append(position)

        await asyncio.gather(*(walk(position, rng.randrange(5)) for position in arrivals))
        assert turnstile.next == 12
        return passed

    assert asyncio.run(main()) == list(range(12))


async def test_nobody_passes_while_another_is_inside() -> None:
    turnstile, inside = Turnstile(), 0

    async def walk(position: int) -> None:
        nonlocal inside
        async with turnstile.turn(position):
            inside += 1
            await asyncio.sleep(0)
            assert inside == 1
            inside -= 1

    await asyncio.gather(*(walk(position) for position in (3, 1, 2, 0)))


async def test_a_position_whose_turn_has_not_come_waits() -> None:
    turnstile = Turnstile()

    async def walk() -> None:
        async with turnstile.turn(1):
            pass

    waiting = asyncio.create_task(walk())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    async with turnstile.turn(0):
        assert not waiting.done()
    await waiting
    assert turnstile.next == 2


async def test_whoever_is_cancelled_while_waiting_is_not_woken() -> None:
    turnstile = Turnstile()

    async def walk() -> None:
        async with turnstile.turn(1):
            raise AssertionError("it was cancelled")

    waiting = asyncio.create_task(walk())
    await asyncio.sleep(0)
    async with turnstile.turn(0):
        waiting.cancel()  # it still waits in the list: the loop has not run since
    with pytest.raises(asyncio.CancelledError):
        await waiting
