"""Room for calls to one server: at once, in requests and in tokens a minute, and as its 429s teach (`button.lms.cap`).

Calls of earlier rows start first, those of one row in the order in which they asked: rows leave in order, so a row
that waits behind later ones would hold up all of them. A `Retry-After` holds all new calls back for exactly as long as
it says, once rejections are the rule; a stray 429 only costs its own call a retry.
"""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

from button.errors import Interrupted
from button.lms.bucket import Bucket
from button.lms.cap import Cap

HOLD_SHARE = 1 / 4
SMOOTHING = 1 / 16
FIRST_PAUSE_S = 0.1


class Limits(BaseModel):
    """What a user allows one endpoint: calls at once, and calls and tokens a minute (None: as many as come)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_in_flight: PositiveInt = 64
    requests_per_minute: PositiveFloat | None = None
    tokens_per_minute: PositiveFloat | None = None


@dataclass(slots=True)
class Slot:
    """One call's room. Say how the call ended with `answered` or `rejected`; with neither for other failures."""

    expected_tokens: int
    epoch: int = 0
    is_admitted: bool = False
    tokens: int | None = None
    is_answered: bool = False
    is_rejected: bool = False
    retry_after: float | None = None

    def answered(self, tokens: int | None) -> None:
        """The server answered, and the call took `tokens` both ways (None: it did not say)."""
        self.is_answered = True
        self.tokens = tokens

    def rejected(self, retry_after: float | None) -> None:
        """The server said 429, and to come back in `retry_after` seconds (None: it did not say when)."""
        self.is_rejected = True
        self.retry_after = retry_after


class Limiter:
    """Limits the calls to one server. Use it within one event loop.

    `in_flight` and `limit` are calls: how many there are and how many there may be now; `waiting` are those that want
    room. `held_until` is a moment of the loop's clock: until then the server asked for quiet.
    """

    def __init__(
        self,
        *,
        max_in_flight: int,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
    ) -> None:
        self.in_flight = 0
        self.held_until = 0.0
        self.counts_tokens = tokens_per_minute is not None
        self._cap = Cap(max_in_flight)
        self._requests = Bucket(requests_per_minute) if requests_per_minute else None
        self._tokens = Bucket(tokens_per_minute) if tokens_per_minute else None
        self._waiting: list[tuple[int, int, asyncio.Future[None], Slot]] = []  # a heap: row, arrival
        self._arrivals = itertools.count()
        self._closed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._taken = 0  # the slots of calls in flight, and those that rest after a rejection
        self._alarm: asyncio.TimerHandle | None = None
        self._latency_s: float | None = None
        self._recent_share = 0.0

    @property
    def limit(self) -> int:
        return self._cap.limit

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @asynccontextmanager
    async def slot(self, expected_tokens: int = 0, *, row: int = 0) -> AsyncIterator[Slot]:
        """Room for one call; `expected_tokens` is what it may cost, both ways. Calls of a lower `row` come first.

        Raises Interrupted once the limiter is closed.
        """
        self._go_on()
        slot = Slot(expected_tokens)
        if self._waiting or self._taken >= self.limit or self._seconds_to_wait(slot) > 0:
            await self._queue(slot, row)
        else:
            self._admit(slot)
        since = asyncio.get_running_loop().time()
        try:
            yield slot
        finally:
            self._note(slot, asyncio.get_running_loop().time() - since)
            self._release(slot)

    async def pause(self, seconds: float) -> None:
        """Wait between two tries of a call, outside its slot. Raises Interrupted as soon as the limiter is closed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        self._go_on()

    def close(self) -> None:
        """Admit no further call: those that wait, and all that come, raise Interrupted. Those in flight go on."""
        self._closed.set()
        waiting, self._waiting = self._waiting, []
        for _, _, future, _ in waiting:
            if not future.done():
                future.set_result(None)

    async def idle(self) -> None:
        """Wait until no call is in flight."""
        await self._idle.wait()

    def _go_on(self) -> None:
        if self._closed.is_set():
            raise Interrupted

    async def _queue(self, slot: Slot, row: int) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (row, next(self._arrivals), future, slot))
        self._admit_waiting()
        try:
            await future
            self._go_on()
        except (asyncio.CancelledError, Interrupted):
            if slot.is_admitted:  # in the very moment in which it was cancelled, or the limiter closed
                self._release(slot)
            raise

    def _admit_waiting(self) -> None:
        """Admit whom there is room for, in order; where only time is missing, come back then."""
        while self._waiting and self._taken < self.limit:
            _, _, future, slot = self._waiting[0]
            if not future.done():
                wait = self._seconds_to_wait(slot)
                if wait > 0:
                    if self._alarm is None:
                        self._alarm = asyncio.get_running_loop().call_later(wait, self._wake)
                    return
                self._admit(slot)
                future.set_result(None)
            heapq.heappop(self._waiting)

    def _admit(self, slot: Slot) -> None:
        self._taken += 1
        self.in_flight += 1
        self._idle.clear()
        slot.epoch = self._cap.epoch
        slot.is_admitted = True
        if self._requests is not None:
            self._requests.take(1)
        if self._tokens is not None:
            self._tokens.take(slot.expected_tokens)

    def _release(self, slot: Slot) -> None:
        self.in_flight -= 1
        if not self.in_flight:
            self._idle.set()
        if slot.is_rejected:
            # Its place rests for half a call's time: what was just refused would be again.
            pause = FIRST_PAUSE_S if self._latency_s is None else self._latency_s / 2
            asyncio.get_running_loop().call_later(pause, self._free)
        else:
            self._free()

    def _free(self) -> None:
        self._taken -= 1
        self._admit_waiting()

    def _wake(self) -> None:
        self._alarm = None
        self._admit_waiting()

    def _seconds_to_wait(self, slot: Slot) -> float:
        now = asyncio.get_running_loop().time()
        wait = self.held_until - now
        if self._requests is not None:
            wait = max(wait, self._requests.wait(1, now))
        if self._tokens is not None:
            wait = max(wait, self._tokens.wait(slot.expected_tokens, now))
        return wait

    def _note(self, slot: Slot, took_s: float) -> None:
        if not slot.is_answered and not slot.is_rejected:
            return
        self._recent_share += (slot.is_rejected - self._recent_share) * SMOOTHING
        if slot.is_answered:
            self._latency_s = (
                took_s if self._latency_s is None else self._latency_s + (took_s - self._latency_s) * SMOOTHING
            )
            if self._tokens is not None and slot.tokens is not None:
                self._tokens.take(slot.tokens - slot.expected_tokens)
        elif slot.retry_after is not None and self._recent_share > HOLD_SHARE:
            self.held_until = max(self.held_until, asyncio.get_running_loop().time() + slot.retry_after)
        self._cap.note(rejected=slot.is_rejected, epoch=slot.epoch, others_in_flight=self.in_flight - 1)
