"""Lets rows that run concurrently pass one place in their order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turnstile:
    """Positions 0, 1, 2, ... pass one after another, however they arrive. Every position must pass once."""

    def __init__(self) -> None:
        self.next = 0
        self._waiting: dict[int, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def turn(self, position: int) -> AsyncIterator[None]:
        """Wait for the turn of `position`; the next one passes when the block ends."""
        if position != self.next:
            future = asyncio.get_running_loop().create_future()
            self._waiting[position] = future
            try:
                await future
            finally:
                self._waiting.pop(position, None)
        yield
        self.next += 1
        following = self._waiting.get(self.next)
        if following is not None and not following.done():  # it may just have been cancelled
            following.set_result(None)
