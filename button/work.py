"""What one step call works with: its language models, its entitlement to randomness, and the ledger of its LM calls."""

import hashlib
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

import dspy
from dspy.lm15 import Response

from signatures.records import Drop

DEFAULT_ROLE = "default"


class Ledger(Protocol):
    """Keeps the answers that one step call has paid for until its record is journaled, and counts them."""

    def spend(self) -> None:
        """Count a call that is about to be sent. Raises `BudgetReached` where the run may make no further one."""
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
    (`run_seed`, `step`, `record`, `draw`) and a label, so it does not depend on timing or concurrency. `row` is the
    position of its row in the run; it decides only which calls come first. A step that gives records all the same says
    in `losses` what it lost beside them.
    """

    run_seed: int
    step: str
    record: str
    draw: int
    lms: Mapping[str, dspy.LM]
    ledger: Ledger
    row: int = 0
    losses: list[Drop] = field(default_factory=list)

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

    def sense_floor(self, role: str, question: str) -> float:
        """The least probability of "yes" that counts as one for the role's small model; 0 where nobody measured it."""
        floors = getattr(getattr(self.lm(role).engine, "engine", None), "sense_floors", {})
        return float(floors.get(question, 0.0))

    @contextmanager
    def call(self) -> Iterator["LmCall"]:
        """A question to a model, while the block asks it: its engine finds here whom the call is for."""
        call = LmCall(self.ledger, self.row)
        token = CURRENT_CALL.set(call)
        try:
            yield call
        finally:
            CURRENT_CALL.reset(token)


@dataclass(slots=True)
class LmCall:
    """The LM call under way in this task: whom it is for, and how its answer ended.

    `first_token` are the likeliest first tokens with their log-probabilities, where they were asked for.
    """

    ledger: Ledger
    row: int = 0
    finish_reason: str | None = None
    first_token: tuple[tuple[str, float], ...] = ()


CURRENT_CALL: ContextVar[LmCall] = ContextVar("button_lm_call")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that a step did not take: whose, the prediction where it could be read, its text, and why not."""

    predictor: object
    prediction: object
    answer: str
    problems: str


# Where a study wants to know what a step refused; a run does not ask.
REFUSALS: ContextVar[list[Refusal] | None] = ContextVar("button_refusals", default=None)
