"""What one step call works with: its language models, its entitlement to randomness, and the ledger of its LM calls."""

import hashlib
import random
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

import dspy
from dspy.lm15 import Response

DEFAULT_ROLE = "default"


class Ledger(Protocol):
    """Keeps the answers that one step call has paid for until its record is journaled, and counts them."""

    def spend(self) -> None:
        """Raise `BudgetReached` where the run may make no further call."""
        ...

    def recall(self, key: str) -> Response | None:
        """The answer kept under `key` by an earlier, interrupted try at the same work."""
        ...

    async def keep(self, key: str, response: Response, seconds: float, cost: float) -> None:
        """Count an answer and return once it is durable. `cost` is in US dollars."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """The surroundings of one step call on one record.

    `draw` counts how often the same scenario has been drawn on before; everything random comes from
    (`run_seed`, `step`, `record`, `draw`) and a label, so it does not depend on timing or concurrency.
    """

    run_seed: int
    step: str
    record: str
    draw: int
    lms: Mapping[str, dspy.LM]
    ledger: Ledger

    def seed(self, *labels: str | int) -> int:
        """A 31-bit seed for this work and these labels."""
        text = "\x1f".join(map(str, (self.run_seed, self.step, self.record, self.draw, *labels)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") >> 1

    def random(self, *labels: str | int) -> random.Random:
        return random.Random(self.seed(*labels))

    def lm(self, role: str) -> dspy.LM:
        """The LM of a role, or the default one."""
        return self.lms.get(role) or self.lms[DEFAULT_ROLE]

    def is_small(self, role: str) -> bool:
        """Whether the role's model is a small one, to which narrower questions are put."""
        return bool(getattr(getattr(self.lm(role).engine, "engine", None), "small", False))


@dataclass(slots=True)
class LmCall:
    """The LM call under way in this task: whom it is for, and how its answer ended."""

    ledger: Ledger
    finish_reason: str | None = None


CURRENT_CALL: ContextVar[LmCall] = ContextVar("button_lm_call")
