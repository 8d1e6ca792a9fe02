"""The faults that a simulated server shows, drawn by rate."""

import random
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, model_validator

Rate = Annotated[float, Field(ge=0, le=1)]
Fault = Literal["rate_limit", "server_error", "cut", "garbage", "malformed", "truncated", "slow"]
KINDS: tuple[Fault, ...] = ("rate_limit", "server_error", "cut", "garbage", "malformed", "truncated", "slow")
SLOWDOWN = 10  # times the latency


class Faults(BaseModel):
    """The share of calls, in [0, 1], that meet each fault; at most one a call.

    `rate_limit`: 429, with Retry-After where `retry_after_s` is set. `server_error`: 500. `cut`: the connection ends
    without an answer. `garbage`: the body is no JSON. `malformed`: the model's text breaks off in the middle,
    though it claims to be whole. `truncated`: the same with finish_reason "length". `slow`: ten times the latency.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rate_limit: Rate = 0
    server_error: Rate = 0
    cut: Rate = 0
    garbage: Rate = 0
    malformed: Rate = 0
    truncated: Rate = 0
    slow: Rate = 0
    retry_after_s: NonNegativeFloat | None = None

    @model_validator(mode="after")
    def _sums_to_one_at_most(self) -> Self:
        total = sum(float(getattr(self, kind)) for kind in KINDS)
        if total > 1:
            raise ValueError(f"the rates of all faults add up to {total:g}, expected 1 at most")
        return self

    def draw(self, rng: random.Random) -> Fault | None:
        """The fault of one call, or None."""
        point = rng.random()
        for kind in KINDS:
            point -= getattr(self, kind)
            if point < 0:
                return kind
        return None
