"""A step as DSPy's optimisers want a program: `forward` blocks, predictors have names, traces say what was asked."""

from collections.abc import Mapping
from concurrent.futures import wait
from typing import Any

import dspy
from pydantic_core import to_jsonable_python

from button.errors import Interrupted
from button.programs import Program, program_of
from experiments.optimizing.bench import Bench, Trial
from experiments.optimizing.items import Item
from signatures.records import Drop, JsonObject, Outcome


class Halt(BaseException):
    """Ends a search at once; its cause says why.

    No Exception, because optimisers catch those and score the item 0: a search would go on without its judge, and
    what it found would be noise.
    """


class Student(dspy.Module):
    """A program of a step. Of its predictors only `tuned` are shown to an optimiser: those that the step uses."""

    def __init__(self, step: dspy.Module, bench: Bench, items: Mapping[str, Item], tuned: frozenset[str]) -> None:
        super().__init__()
        self.step = step
        self.bench = bench
        self.items = _Shared(items)
        self.tuned = tuned

    def named_parameters(self) -> list[tuple[str, Any]]:
        """The tuned predictors, as `step.<name in the step>`."""
        return [(name, found) for name, found in super().named_parameters() if name.partition(".")[2] in self.tuned]

    def forward(self, record: JsonObject) -> dspy.Prediction:
        """What the step makes of the item whose record this is, as JSON; program and draw tell which trial it was."""
        draw = self._rollout()
        trial = self.trial(record, draw)
        trace = dspy.settings.trace
        if trace is not None:
            own = dict(self.step.named_predictors())
            trace += [(own[asked.predictor], dict(asked.inputs), asked.answer) for asked in trial.asked]
        return dspy.Prediction(outcome=shown(trial.outcome), draw=draw, program=trial.program)

    def trial(self, record: JsonObject, draw: int = 0) -> Trial:
        """Raises Halt where there can be none."""
        begun = self.bench.begun(self.step, self.items[record["id"]], draw)
        wait([begun])
        if begun.cancelled():
            raise Halt from Interrupted()
        if (error := begun.exception()) is not None:
            raise Halt from error
        return begun.result()

    @property
    def program(self) -> Program:
        return program_of(self.bench.name, self.step)

    def _rollout(self) -> int:
        """Which sample an optimiser wants: it says so by the id of a rollout, which it gives to the model."""
        lms = [predictor.lm for _, predictor in self.named_parameters() if predictor.lm is not None]
        lm = lms[0] if lms else dspy.settings.lm
        return int(getattr(lm, "kwargs", {}).get("rollout_id") or 0)


class _Shared(dict[str, Item]):
    """Items by id, which copies of a program share."""

    def __deepcopy__(self, memo: object) -> "_Shared":
        return self


def example_of(item: Item) -> dspy.Example:
    """An item as an optimiser takes it."""
    return dspy.Example(record=item.record.model_dump(mode="json")).with_inputs("record")


def shown(outcome: Outcome) -> Any:
    """An outcome as JSON."""
    if isinstance(outcome, Drop):
        return {"dropped": outcome.reason, "detail": outcome.detail}
    return to_jsonable_python([record.model_dump(mode="json", exclude={"id", "parent"}) for record in outcome])
