"""What the machinery knows of a step."""

from typing import Protocol, runtime_checkable

from button.work import Work
from signatures.records import Outcome, Record


@runtime_checkable
class Step(Protocol):
    """Takes one record, and gives records or a drop with its reason."""

    takes: type[Record]
    gives: type[Record]

    async def aforward(self, record: Record, work: Work) -> Outcome: ...


@runtime_checkable
class OrderedStep(Protocol):
    """A step whose answer depends on what came before: it is asked in seed order, one record at a time."""

    takes: type[Record]
    gives: type[Record]

    def decide(self, record: Record) -> Outcome: ...
