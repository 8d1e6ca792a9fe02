"""A token bucket: so much a minute, evenly."""


class Bucket:
    """Holds one second's worth. One take may overdraw it; the next one waits that out. Moments are in seconds."""

    __slots__ = ("_at", "_level", "_rate", "_size")

    def __init__(self, per_minute: float) -> None:
        self._rate = per_minute / 60
        self._size = max(1.0, self._rate)
        self._level = self._size
        self._at: float | None = None

    def wait(self, amount: float, now: float) -> float:
        """Seconds until `amount` may be taken; 0.0 when it may be now."""
        elapsed = 0.0 if self._at is None else now - self._at
        self._at = now
        self._level = min(self._size, self._level + elapsed * self._rate)
        missing = min(amount, self._size) - self._level
        # A nano-unit of slack: sums of floats must not make a caller wake a moment too early for ever.
        return missing / self._rate if missing > 1e-9 else 0.0

    def take(self, amount: float) -> None:
        """Take `amount` without asking; a negative one gives back."""
        self._level -= amount
