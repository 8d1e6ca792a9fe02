"""The top-down phase: user, assistant and tool agents play a problem into a trajectory (paper, section 3.2).

There is one canonical transcript; each agent sees its own view of it. The user agent sees the composition; the
assistant agent the plan, its functions and the dialogue; a tool agent one definition and one call.
"""

import asyncio
from typing import Annotated, Literal

import dspy
from pydantic import Field, PositiveInt, validate_call

from button.checks.calls import normalised_call
from button.errors import NoUsableAnswer
from button.work import Work
from modules.play_assistant import AssistantAgent
from modules.play_tool import ToolAgent
from modules.play_user import UserAgent
from signatures.records import Call, Drop, Outcome, Problem, Result, ToolTurn, Trajectory, Turn, UserTurn

Temperature = Annotated[float, Field(ge=0, le=2)]


class Simulation(dspy.Module):
    """Plays one problem. `parallel` says whether several calls a turn are allowed; "mixed" draws it for each row.

    `samples` > 1 is the paper's action consistency: each assistant turn is sampled that often, and the action that
    most samples agree on is taken; without a majority the row is dropped.
    """

    takes = Problem
    gives = Trajectory

    @validate_call
    def __init__(
        self,
        parallel: Literal["on", "off", "mixed"] = "mixed",
        turn_limit: PositiveInt = 8,
        samples: PositiveInt = 1,
        follow_plan: bool = True,
        tries: PositiveInt = 3,
        user_temperature: Temperature = 0.7,
        assistant_temperature: Temperature = 0.2,
        tool_temperature: Temperature = 0.6,
    ) -> None:
        super().__init__()
        self.parallel = parallel
        self.turn_limit = turn_limit
        self.user = UserAgent(tries=tries, temperature=user_temperature)
        self.assistant = AssistantAgent(
            tries=tries, temperature=assistant_temperature, samples=samples, follow_plan=follow_plan
        )
        self.tool = ToolAgent(tries=tries, temperature=tool_temperature)

    async def aforward(self, record: Problem, work: Work) -> Outcome:
        parallel = self.parallel == "on" or (self.parallel == "mixed" and work.random("parallel").random() < 0.5)
        turns: list[Turn] = [UserTurn(content=await self.user.aforward(record.composition.task, work))]
        answers: dict[str, Result] = {}
        for _ in range(self.turn_limit):
            turn = await self.assistant.aforward(record, tuple(turns), parallel, work)
            if isinstance(turn, Drop):
                return turn
            turns.append(turn)
            if turn.final is not None:
                return (Trajectory.derive(record, problem=record, parallel=parallel, turns=tuple(turns)),)
            turns.append(await self._round(record, turn.calls, answers, work))
        return Drop(reason="turn_limit", detail=f"no final answer after {self.turn_limit} assistant turns")

    async def _round(
        self, problem: Problem, calls: tuple[Call, ...], answers: dict[str, Result], work: Work
    ) -> ToolTurn:
        """The results of one round; a call made before in this trajectory gets the answer it got then."""
        functions = {function.name: function for function in problem.functions}
        keys = [normalised_call(call, functions[call.name]) for call in calls]
        new: dict[str, Call] = {}
        for key, call in zip(keys, calls, strict=True):
            if key not in answers:
                new.setdefault(key, call)
        played = await asyncio.gather(
            *(self.tool.aforward(functions[call.name], call, key, work) for key, call in new.items()),
            return_exceptions=True,  # so that all have ended, and count, before the row is given up for one
        )
        errors = [result for result in played if isinstance(result, BaseException)]
        if errors:
            raise min(errors, key=lambda error: isinstance(error, NoUsableAnswer))
        answers.update((key, result) for key, result in zip(new, played, strict=True) if isinstance(result, Result))
        return ToolTurn(
            results=tuple(
                Result(name=call.name, arguments=call.arguments, results=answers[key].results)
                for key, call in zip(keys, calls, strict=True)
            )
        )
