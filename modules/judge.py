"""The composition filter: analysis first, then the verdict; only "yes" stays (paper, section 3.1)."""

import dspy
from pydantic import NonNegativeInt, validate_call

from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.sense import Sense
from modules.wording import numbered
from signatures.judge import JudgeComposition
from signatures.records import Composition, Drop, Outcome, Verdict


class CompositionFilter(dspy.Module):
    """One call a composition. What it keeps carries the verdict; what it drops carries the analysis as the detail.

    A small model is also asked in one word whether the composed task makes sense: its probability of "yes" is the
    verdict's confidence.
    """

    takes = Composition
    gives = Composition

    @validate_call
    def __init__(self, demos: NonNegativeInt = 2, tries: int = 3, temperature: float = 0.0) -> None:
        super().__init__()
        self.ask = shipped(
            Ask(JudgeComposition, role="judge", tries=tries, temperature=temperature, max_tokens=300), demos
        )
        self.sense = Sense("judge")

    async def aforward(self, record: Composition, work: Work) -> Outcome:
        answer = await self.ask.aforward(
            work, inputs={"composed_task": record.task, "sub_tasks": numbered(record.sub_tasks)}
        )
        if answer.feasible != "yes":
            return Drop(reason="not_feasible", detail=answer.analysis)
        confidence = await self.sense.aforward(work, record.task) if work.is_small("judge") else None
        verdict = Verdict(analysis=answer.analysis, feasible=True, confidence=confidence)
        content = record.model_dump(exclude={"id", "parent", "verdict"})
        return (Composition.derive(record, **content, verdict=verdict),)
