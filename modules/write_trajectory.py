"""The ablation without top-down: one model writes the whole trajectory, user, assistant and tools, in one call."""

import copy
from collections.abc import Sequence
from typing import Annotated, Literal

import dspy
from pydantic import Field, NonNegativeInt, PositiveInt, validate_call

from button.checks.functions import parameters_schema, responses_schema
from button.checks.transcript import transcript_problems
from button.export.button_text import RULES
from button.lms.schema import object_schema, output_schema
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.wording import definitions, numbered
from signatures.records import (
    AssistantTurn,
    Call,
    Function,
    JsonObject,
    Outcome,
    Problem,
    ToolTurn,
    Trajectory,
    Turn,
    UserTurn,
)
from signatures.write_trajectory import WriteTrajectory

Temperature = Annotated[float, Field(ge=0, le=2)]
MOST_CALLS = 6  # in one round


class TrajectoryWriting(dspy.Module):
    """One call a problem, by the model of the role `assistant`.

    What is asked again is what cannot be read as a transcript: order, calls and answers that do not fit their
    functions. Everything else is left to the gate. `parallel` and `turn_limit` are those of
    `modules.simulate.Simulation`, and the same rows are drawn for parallel calls.
    """

    takes = Problem
    gives = Trajectory

    @validate_call
    def __init__(
        self,
        parallel: Literal["on", "off", "mixed"] = "mixed",
        turn_limit: Annotated[int, Field(ge=2)] = 8,
        demos: NonNegativeInt = 1,
        tries: PositiveInt = 3,
        temperature: Temperature = 0.7,
    ) -> None:
        super().__init__()
        self.parallel = parallel
        self.turn_limit = turn_limit
        self.ask = shipped(
            Ask(WriteTrajectory, role="assistant", tries=tries, temperature=temperature, max_tokens=2500), demos
        )

    async def aforward(self, record: Problem, work: Work) -> Outcome:
        parallel = self.parallel == "on" or (self.parallel == "mixed" and work.random("parallel").random() < 0.5)
        answer = await self.ask.aforward(
            work,
            inputs={
                "need": record.composition.task,
                "sub_tasks": numbered(record.composition.sub_tasks, record.uses),
                "functions": definitions(record.functions),
                "rule": RULES[parallel],
            },
            check=lambda found: self._problems(found, record, parallel),
            schema=dialogue_schema(record.functions, most_calls=MOST_CALLS if parallel else 1, rounds=self.turn_limit),
        )
        return (Trajectory.derive(record, problem=record, parallel=parallel, turns=transcript(answer)),)

    def _problems(self, answer: dspy.Prediction, record: Problem, parallel: bool) -> list[str]:
        if len(answer.rounds) >= self.turn_limit:
            return [f"there are {len(answer.rounds)} rounds; write at most {self.turn_limit - 1}"]
        return transcript_problems(transcript(answer), record.functions, parallel=parallel)


def transcript(answer: dspy.Prediction) -> tuple[Turn, ...]:
    """The turns that an answer to WriteTrajectory is."""
    turns: list[Turn] = [UserTurn(content=answer.message.strip())]
    for drafted in answer.rounds:
        calls = tuple(Call(name=result.name, arguments=result.arguments) for result in drafted.calls)
        turns.append(AssistantTurn(thought=drafted.thought.strip(), calls=calls))
        turns.append(ToolTurn(results=tuple(drafted.calls)))
    turns.append(AssistantTurn(thought=answer.last_thought.strip(), final=answer.final_answer.strip()))
    return tuple(turns)


def dialogue_schema(functions: Sequence[Function], *, most_calls: int, rounds: int) -> JsonObject:
    """The signature's output schema, narrowed to calls of these functions with their arguments and answers."""
    schema = copy.deepcopy(output_schema(WriteTrajectory))
    drafted = schema["properties"]["rounds"]
    drafted.update(minItems=1, maxItems=max(rounds - 1, 1))
    drafted["items"]["properties"]["calls"] = {
        "type": "array",
        "items": {"anyOf": [_answered_call(function) for function in functions]},
        "minItems": 1,
        "maxItems": most_calls,
    }
    return schema


def _answered_call(function: Function) -> JsonObject:
    name = {"type": "string", "enum": [function.name]}
    return object_schema(
        {"name": name, "arguments": parameters_schema(function), "results": responses_schema(function)}
    )
