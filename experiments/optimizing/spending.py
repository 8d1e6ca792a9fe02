"""What an optimisation may spend, and every answer it has paid for, kept so that a killed one goes on.

Each answer is kept under the hash of its request. A run that is started again walks the same way, as all randomness is
seeded, and is answered from what is kept until it comes to where it was killed. An answer counts when the walk first
uses it, kept or new, so budgets end a run at the same place however often it was killed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field, replace
from typing import Literal

import orjson
from dspy.lm15 import Response

from button.errors import BudgetReached, Interrupted
from button.journal import Journal, Key, Usage
from button.ledger import kept_answer, response_of
from signatures.records import JsonObject

Purpose = Literal["items", "calibration", "step", "judge", "reflection"]
ANSWERS = Key("answers", "", 0)


class TrialsSpent(BudgetReached):
    """The search may make no further trial, which is how most searches end."""


@dataclass(slots=True)
class Spending:
    """Counts trials (a step called on an item and scored), LM calls and US dollars. None means no limit.

    Trials are those of the step at hand; `unbounded` lifts their limit: the last measurement is no part of the search.
    `usage` is that of the whole command, `usage_of_step` that of the step at hand, both by purpose.
    """

    max_trials: int | None = None
    max_calls: int | None = None
    max_cost: float | None = None
    trials: int = 0
    unbounded: bool = False
    interrupted: bool = False
    usage: dict[Purpose, Usage] = field(default_factory=lambda: defaultdict(Usage))
    _before: dict[Purpose, Usage] = field(default_factory=dict)

    def begin_step(self) -> None:
        """Count trials, and `usage_of_step`, from here on."""
        self.trials, self.unbounded = 0, False
        self._before = {purpose: replace(usage) for purpose, usage in self.usage.items()}

    @property
    def usage_of_step(self) -> dict[Purpose, Usage]:
        return {purpose: _less(usage, self._before.get(purpose, Usage())) for purpose, usage in self.usage.items()}

    @property
    def total(self) -> Usage:
        """Of all purposes."""
        return total(self.usage)

    def trial(self) -> None:
        """Count a trial, or raise BudgetReached or Interrupted."""
        self.check()
        if self.max_trials is not None and not self.unbounded and self.trials >= self.max_trials:
            raise TrialsSpent(f"budget.max_metric_calls={self.max_trials} is reached")
        self.trials += not self.unbounded

    def check(self) -> None:
        """Raise where no further LM call may be made; calls under way may go a few over the limit."""
        if self.interrupted:
            raise Interrupted
        spent = self.total
        if self.max_calls is not None and spent.calls >= self.max_calls:
            raise BudgetReached(f"budget.max_calls={self.max_calls} is reached")
        if self.max_cost is not None and spent.cost >= self.max_cost:
            raise BudgetReached(f"budget.max_cost={self.max_cost} US dollars is reached ({spent.cost:.4f} spent)")


def total(usage: Mapping[Purpose, Usage]) -> Usage:
    """Of all purposes."""
    return Usage(*(sum(column) for column in zip(*map(astuple, usage.values()), strict=True))) if usage else Usage()


def _less(usage: Usage, before: Usage) -> Usage:
    return Usage(*(now - then for now, then in zip(astuple(usage), astuple(before), strict=True)))


class Answers:
    """The answers in a run folder's journal, all in memory: an optimisation makes thousands, not millions."""

    def __init__(self, journal: Journal, spending: Spending) -> None:
        self.spending = spending
        self._journal = journal
        self._new: dict[str, bytes] = {}
        self._used: set[str] = set()

    def ledger(self, purpose: Purpose) -> "PurposeLedger":
        return PurposeLedger(self, purpose)

    @property
    def used(self) -> frozenset[str]:
        """The keys of the answers that are counted."""
        return frozenset(self._used)

    def counted(self, keys: Iterable[str]) -> None:
        """Take answers as counted: an earlier process has done it."""
        self._used.update(keys)

    def recall(self, key: str, purpose: Purpose) -> Response | None:
        body = self._new.get(key) or self._journal.answer(ANSWERS, key)
        if body is None:
            return None
        kept = orjson.loads(body)
        self._count(key, purpose, kept)
        return response_of(kept)

    async def keep(self, key: str, purpose: Purpose, response: Response, seconds: float, cost: float) -> None:
        kept = kept_answer(response, seconds, cost)
        self._new[key] = orjson.dumps(kept)
        await self._journal.put_answer(ANSWERS, key, self._new[key])
        self._count(key, purpose, kept)

    def _count(self, key: str, purpose: Purpose, kept: JsonObject) -> None:
        if key in self._used:
            return
        self._used.add(key)
        usage = self.spending.usage[purpose]
        usage.calls += 1
        usage.prompt_tokens += kept["input_tokens"]
        usage.completion_tokens += kept["output_tokens"]
        usage.seconds += kept["seconds"]
        usage.cost += kept["cost"]


@dataclass(slots=True)
class PurposeLedger:
    """A `button.work.Ledger` over the answers."""

    answers: Answers
    purpose: Purpose

    def spend(self) -> None:
        self.answers.spending.check()

    def recall(self, key: str) -> Response | None:
        return self.answers.recall(key, self.purpose)

    async def keep(self, key: str, response: Response, seconds: float, cost: float) -> None:
        await self.answers.keep(key, self.purpose, response, seconds, cost)
