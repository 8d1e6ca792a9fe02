"""The trajectory judge: a step for after the gate, which sees what checks cannot: whether it makes sense."""

import dspy
from pydantic import NonNegativeInt, PositiveInt, validate_call

from button.work import Work
from modules.rubric import Opinion, Rubric
from modules.simulate import Temperature
from modules.wording import definitions
from signatures.judge import JudgeTrajectory
from signatures.records import AssistantTurn, Drop, Example, Outcome, Trajectory, Turn, UserTurn, canonical_json


class TrajectoryJudge(dspy.Module):
    """One call an example. What misses more than `allowed` criteria is dropped with the analysis; the rest stays as is.

    It stands behind the gate, so that nothing is paid for what a program can refuse.
    """

    takes = Example
    gives = Example

    @validate_call
    def __init__(
        self,
        allowed: NonNegativeInt = 0,
        demos: NonNegativeInt = 2,
        tries: PositiveInt = 3,
        temperature: Temperature = 0.0,
    ) -> None:
        super().__init__()
        self.allowed = allowed
        self.rubric = Rubric(JudgeTrajectory, demos=demos, tries=tries, temperature=temperature, max_tokens=500)

    async def aforward(self, record: Example, work: Work) -> Outcome:
        opinion = await self.opinion(record.trajectory, work)
        if len(opinion.unmet) > self.allowed:
            return Drop(reason="judged_poor", detail=f"not met: {', '.join(opinion.unmet)}. {opinion.analysis}")
        return (record,)

    async def opinion(self, trajectory: Trajectory, work: Work) -> Opinion:
        """What the judge says of a trajectory."""
        return await self.rubric.aforward(work, judge_inputs(trajectory))


def judge_inputs(trajectory: Trajectory) -> dict[str, str]:
    """What the judge is shown of a trajectory."""
    return {"functions": definitions(trajectory.problem.functions), "transcript": transcript(trajectory.turns)}


def transcript(turns: tuple[Turn, ...]) -> str:
    """A dialogue as the judge reads it: a line for each thing said, called or returned."""
    lines = []
    for turn in turns:
        if isinstance(turn, UserTurn):
            lines.append(f"person: {turn.content}")
        elif isinstance(turn, AssistantTurn):
            lines.append(f"thought: {turn.thought}")
            lines += [f"call: {call.name} {canonical_json(call.arguments)}" for call in turn.calls]
            if turn.final is not None:
                lines.append(f"final answer: {turn.final}")
        else:
            lines += [f"result: {result.name} {canonical_json(result.results)}" for result in turn.results]
    return "\n".join(lines)
