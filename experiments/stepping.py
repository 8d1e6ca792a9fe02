"""One step on one record outside a run: no journal, no order, no drawing; what is used is counted in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import dspy
from dspy.lm15 import Response

from button.allowance import Allowance
from button.errors import NoUsableAnswer
from button.journal import Usage
from button.step import Step
from button.step_calls import DETAIL_LIMIT
from button.work import Ledger, Work
from signatures.records import Drop, Outcome, Record


@dataclass(slots=True)
class Tally:
    """A `button.work.Ledger` that counts what calls use and keeps no answer.

    `allowance` may bound the calls and the cost of all tallies that share it.
    """

    allowance: Allowance = field(default_factory=Allowance)
    usage: Usage = field(default_factory=Usage)

    def spend(self) -> None:
        self.allowance.spend()

    def recall(self, key: str) -> Response | None:
        return None

    async def keep(self, key: str, response: Response, seconds: float, cost: float) -> None:
        self.usage.calls += 1
        self.usage.prompt_tokens += response.usage.input_tokens or 0
        self.usage.completion_tokens += response.usage.output_tokens or 0
        self.usage.seconds += seconds
        self.usage.cost += cost
        self.allowance.paid(cost)


def work_on(
    record: Record, step: str, lms: Mapping[str, dspy.LM], *, seed: int, ledger: Ledger | None = None, draw: int = 0
) -> Work:
    """The surroundings of one call of `step` on `record`: the same as in a run with this `seed`.

    `lms` are the models by role (`button.lms.build.LanguageModels.of_role`); without a `ledger` calls are not counted
    outside this work.
    """
    return Work(seed, step, record.id, draw, lms, ledger if ledger is not None else Tally())


async def run_step(step: Step, record: Record, work: Work) -> Outcome:
    """What a run would get of `step`: records, or a drop, also where no answer of the model was usable.

    Raises EndpointFailed where the model cannot be reached, and StopRun where the ledger allows no further call.
    """
    try:
        return await step.aforward(record, work)
    except NoUsableAnswer as error:
        return Drop(reason=error.reason, detail=error.detail[:DETAIL_LIMIT])
