"""What a server saw: how many calls, how many at once, and which it had answered before."""

import asyncio
from collections import Counter

from signatures.records import JsonObject


class Traffic:
    """Counters of one server. Moments are of the running loop's clock, in seconds."""

    def __init__(self, *, keep_bodies: int) -> None:
        self.bodies: list[bytes] = []
        self._keep_bodies = keep_bodies
        self._statuses: Counter[int] = Counter()
        self._faults: Counter[str] = Counter()
        self._asked: Counter[bytes] = Counter()
        self._answered: set[bytes] = set()
        self._calls = 0
        self._repeats_of_answered = 0
        self._tokens = 0
        self._in_flight = 0
        self._peak = 0
        self._area = 0.0  # calls in flight, summed over seconds
        self._first = self._last = 0.0

    @property
    def in_flight(self) -> int:
        return self._in_flight

    def arrive(self, digest: bytes, body: bytes) -> int:
        """Count a call; returns how often the same body came before."""
        if not self._calls:
            self._first = self._last = asyncio.get_running_loop().time()
        self._move(+1)
        self._calls += 1
        self._peak = max(self._peak, self._in_flight)
        before = self._asked[digest]
        self._asked[digest] += 1
        self._repeats_of_answered += digest in self._answered
        if not before and len(self.bodies) < self._keep_bodies:
            self.bodies.append(body)
        return before

    def leave(self, digest: bytes, *, status: int, fault: str | None, tokens: int = 0) -> None:
        """Count the end of a call; `status` 0 stands for a cut connection."""
        self._move(-1)
        self._statuses[status] += 1
        self._tokens += tokens
        if fault is not None:
            self._faults[fault] += 1
        elif status == 200:
            self._answered.add(digest)

    def summary(self) -> JsonObject:
        """All counters; `repeats` are calls whose body came before, `repeats_of_answered` those then answered well."""
        seconds = self._last - self._first
        return {
            "calls": self._calls,
            "statuses": {str(status): count for status, count in sorted(self._statuses.items())},
            "faults": dict(sorted(self._faults.items())),
            "distinct": len(self._asked),
            "repeats": self._calls - len(self._asked),
            "repeats_of_answered": self._repeats_of_answered,
            "tokens": self._tokens,
            "in_flight": self._in_flight,
            "peak_in_flight": self._peak,
            "mean_in_flight": round(self._area / seconds, 2) if seconds else 0.0,
            "seconds": round(seconds, 4),
        }

    def _move(self, step: int) -> None:
        now = asyncio.get_running_loop().time()
        self._area += self._in_flight * (now - self._last)
        self._last = now
        self._in_flight += step
