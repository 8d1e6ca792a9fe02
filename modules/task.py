"""Atomic task construction: reasonable, self-contained, function-agnostic, one step (paper, section 3.1).

A small model fills in a form (`modules.forms`), several times, and the one that makes most sense to it is taken.
"""

import dspy
from pydantic import NonNegativeInt, PositiveInt, validate_call

from button.checks.wording import task_problems
from button.lms.schema import object_schema
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.details import details
from modules.forms import slot_problems, task_forms, task_schema
from modules.sense import Sense, several, unlikely
from signatures.records import AtomicTask, Outcome, Scenario
from signatures.task import CompleteTask, WriteAtomicTask


class AtomicTaskWriting(dspy.Module):
    """One call a scenario. The program draws concrete details, so that rows differ whatever the model's habits.

    `candidates` is how many tasks a small model writes to choose from.
    """

    takes = Scenario
    gives = AtomicTask

    @validate_call
    def __init__(
        self,
        max_words: PositiveInt = 30,
        demos: NonNegativeInt = 3,
        tries: int = 3,
        temperature: float = 0.7,
        candidates: PositiveInt = 3,
    ) -> None:
        super().__init__()
        self.max_words = max_words
        self.candidates = candidates
        self.ask = shipped(
            Ask(WriteAtomicTask, role="task", tries=tries, temperature=temperature, max_tokens=160), demos
        )
        self.ask_narrow = shipped(
            Ask(CompleteTask, role="task", tries=tries, temperature=temperature, max_tokens=80), demos
        )
        self.sense = Sense("task")

    async def aforward(self, record: Scenario, work: Work) -> Outcome:
        if work.is_small("task"):
            return await self._most_sensible(record, work)
        drawn = details(work.random("details"))
        answer = await self.ask.aforward(
            work,
            inputs={"scenario": record.text, "details": "; ".join(drawn)},
            check=lambda found: task_problems(found.task, self.max_words),
        )
        return (AtomicTask.derive(record, scenario=record.text, task=answer.task.strip(), details=drawn),)

    async def _most_sensible(self, record: Scenario, work: Work) -> Outcome:
        async def draw(index: int) -> AtomicTask:
            forms, drawn = task_forms(work.random("forms", index))
            answer = await self.ask_narrow.aforward(
                work,
                inputs={"scenario": record.text, "forms": " | ".join(forms)},
                check=lambda found: task_problems(found.task, self.max_words) + slot_problems(found.task),
                label=str(index),
                schema=object_schema({"task": task_schema(forms)}),
            )
            said = tuple(str(detail) for detail in drawn if detail.value in answer.task)
            return AtomicTask.derive(record, scenario=record.text, task=answer.task, details=said)

        tasks = await several(self.candidates, draw)
        task, chance = await self.sense.best(work, tasks, lambda task: task.task)
        floor = self.sense.floor(work)
        return (task,) if chance >= floor else unlikely(chance, floor, task.task)
