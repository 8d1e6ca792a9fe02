"""One step on one record, within a run: what the journal knows is not asked again, what is new goes into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import dspy

from button.allowance import Allowance
from button.errors import NoUsableAnswer
from button.journal import Journal, Key, Usage
from button.ledger import StepLedger
from button.step import OrderedStep, Step
from button.work import Work
from signatures.records import Drop, Example, Outcome, Record

DETAIL_LIMIT = 4000


class Watcher(Protocol):
    """Is told what happens, for the funnel, the progress display and tracking."""

    def entered(self, step: str) -> None: ...

    def settled(self, step: str, outcome: Outcome, usage: Usage) -> None: ...

    def lost(self, step: str, losses: Sequence[Drop]) -> None: ...

    def abandoned(self, step: str) -> None: ...

    def accepted(self, example: Example) -> None: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One walk through the steps: its position in the run, and what it starts from.

    That is a seed in draw 0, a kept scenario in a later draw.
    """

    position: int
    record: Record
    draw: int


@dataclass(frozen=True, slots=True)
class StepCalls:
    """Makes the step calls of a run."""

    journal: Journal
    lms: Mapping[str, dspy.LM]
    allowance: Allowance
    watcher: Watcher
    run_seed: int

    async def call(self, name: str, step: Step, record: Record, row: Row) -> Outcome:
        """The journal's outcome, or a new one. A model without a usable answer is a drop; other errors are raised."""
        self.watcher.entered(name)
        key = Key(name, record.id, row.draw)
        known = self.journal.outcome(key, record)
        if known is not None:
            self.watcher.lost(name, self.journal.losses(key))
            self.watcher.settled(name, *known)
            return known[0]
        ledger = StepLedger(key, self.journal, self.allowance)
        work = Work(self.run_seed, name, record.id, row.draw, self.lms, ledger, row.position)
        outcome: Outcome | None = None
        try:
            outcome = _checked(name, step, await step.aforward(record, work))
        except NoUsableAnswer as error:
            outcome = Drop(reason=error.reason, detail=error.detail[:DETAIL_LIMIT])
        finally:
            if outcome is None:
                self.watcher.abandoned(name)
        self.journal.put_outcome(key, record, outcome, ledger.usage, work.losses)
        self.watcher.lost(name, work.losses)
        self.watcher.settled(name, outcome, ledger.usage)
        return outcome

    def decide(self, name: str, step: OrderedStep, record: Record, row: Row) -> tuple[Record, ...]:
        """What an ordered step keeps of a record, decided anew in every run."""
        self.watcher.entered(name)
        outcome = step.decide(record)
        usage = Usage()
        self.journal.put_outcome(Key(name, record.id, row.draw), record, outcome, usage)
        self.watcher.settled(name, outcome, usage)
        return () if isinstance(outcome, Drop) else outcome


def _checked(name: str, step: Step, outcome: Outcome) -> Outcome:
    """The outcome, each record once. Raises TypeError for a record of another type than the step declares."""
    if isinstance(outcome, Drop):
        return outcome
    for record in outcome:
        if not isinstance(record, step.gives):
            raise TypeError(f"step '{name}' gave a {type(record).__name__}, it declares {step.gives.__name__}")
    return tuple({record.id: record for record in outcome}.values())
