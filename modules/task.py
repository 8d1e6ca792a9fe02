"""Atomic task construction: reasonable, self-contained, function-agnostic, one step (paper, section 3.1)."""

import dspy
from pydantic import NonNegativeInt, PositiveInt, validate_call

from button.checks.wording import task_problems
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.details import details
from signatures.records import AtomicTask, Outcome, Scenario
from signatures.task import WriteAtomicTask


class AtomicTaskWriting(dspy.Module):
    """One call a scenario. The program draws concrete details, so that rows differ whatever the model's habits."""

    takes = Scenario
    gives = AtomicTask

    @validate_call
    def __init__(
        self, max_words: PositiveInt = 30, demos: NonNegativeInt = 3, tries: int = 3, temperature: float = 0.7
    ) -> None:
        super().__init__()
        self.max_words = max_words
        self.ask = shipped(
            Ask(WriteAtomicTask, role="task", tries=tries, temperature=temperature, max_tokens=160), demos
        )

    async def aforward(self, record: Scenario, work: Work) -> Outcome:
        drawn = details(work.random("details"))
        answer = await self.ask.aforward(
            work,
            inputs={"scenario": record.text, "details": "; ".join(drawn)},
            check=lambda found: task_problems(found.task, self.max_words),
        )
        return (AtomicTask.derive(record, scenario=record.text, task=answer.task.strip(), details=drawn),)
