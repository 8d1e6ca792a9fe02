"""The composition filter: analysis first, then the verdict; only "yes" stays (paper, section 3.1)."""

import dspy
from pydantic import NonNegativeInt, validate_call

from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.sense import EVEN, Sense
from modules.wording import numbered
from signatures.judge import JudgeComposition
from signatures.records import Composition, Drop, Outcome, Verdict
from signatures.sense import StepsSuffice


class CompositionFilter(dspy.Module):
    """One call a composition. What it keeps carries the verdict; what it drops carries the analysis as the detail.

    A small model is asked for one word instead, and its probability of "yes" is the verdict: over 14 compositions and
    14 with a sub-task of another one, the embedded 1.5B put every good one above every bad one, while its written
    verdicts dropped a good one in four.
    """

    takes = Composition
    gives = Composition

    @validate_call
    def __init__(self, demos: NonNegativeInt = 2, tries: int = 3, temperature: float = 0.0) -> None:
        super().__init__()
        self.ask = shipped(
            Ask(JudgeComposition, role="judge", tries=tries, temperature=temperature, max_tokens=300), demos
        )
        self.suffice = Sense("judge", StepsSuffice)

    async def aforward(self, record: Composition, work: Work) -> Outcome:
        verdict = await (self._in_one_word if work.is_small("judge") else self._in_writing)(record, work)
        if not verdict.feasible:
            return Drop(reason="not_feasible", detail=verdict.analysis)
        content = record.model_dump(exclude={"id", "parent", "verdict"})
        return (Composition.derive(record, **content, verdict=verdict),)

    async def _in_writing(self, record: Composition, work: Work) -> Verdict:
        answer = await self.ask.aforward(
            work, inputs={"composed_task": record.task, "sub_tasks": numbered(record.sub_tasks)}
        )
        return Verdict(analysis=answer.analysis, feasible=answer.feasible == "yes")

    async def _in_one_word(self, record: Composition, work: Work) -> Verdict:
        chance = await self.suffice.aforward(work, task=record.task, sub_tasks=numbered(record.sub_tasks))
        floor = self.suffice.floor(work) or EVEN
        analysis = f"the sub-tasks do what is asked with a probability of {chance:.2f}; {floor:.2f} is asked for"
        return Verdict(analysis=analysis, feasible=chance >= floor, confidence=chance)
