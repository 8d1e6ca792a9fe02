"""The ablation without bottom-up: the composition is written from the scenario, with no atomic task before it."""

import copy
from typing import Annotated

import dspy
from pydantic import Field, NonNegativeInt, validate_call

from button.checks.composition import composition_problems
from button.lms.schema import output_schema
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.details import details
from signatures.compose_directly import ComposeDirectly
from signatures.records import Composition, JsonObject, Outcome, Scenario, Strategy, SubTask

Share = Annotated[float, Field(ge=0, le=1)]
SHAPES: dict[Strategy, str] = {
    "sequential": "2 sub-tasks: the second needs the output of the first",
    "parallel_then_sequential": (
        "3 sub-tasks: the first two are independent of each other, the third needs the outputs of both"
    ),
}
NEEDS: dict[Strategy, tuple[tuple[int, ...], ...]] = {
    "sequential": ((), (0,)),
    "parallel_then_sequential": ((), (), (0, 1)),
}


class DirectComposition(dspy.Module):
    """One call a scenario. It draws the same details and shapes, and passes the same checks, as the bottom-up way.

    `sequential_share` of the compositions are sequential, as in `modules.compose.MixedComposition`.
    """

    takes = Scenario
    gives = Composition

    @validate_call
    def __init__(
        self, sequential_share: Share = 0.5, demos: NonNegativeInt = 3, tries: int = 3, temperature: float = 0.7
    ) -> None:
        super().__init__()
        self.sequential_share = sequential_share
        self.ask = shipped(
            Ask(ComposeDirectly, role="compose", tries=tries, temperature=temperature, max_tokens=400), demos
        )

    async def aforward(self, record: Scenario, work: Work) -> Outcome:
        sequential = work.random("strategy").random() < self.sequential_share
        strategy: Strategy = "sequential" if sequential else "parallel_then_sequential"

        def problems(found: dspy.Prediction) -> list[str]:
            if len(found.sub_tasks) != len(NEEDS[strategy]):
                return [f"there are {len(found.sub_tasks)} sub-tasks; the shape asks for {SHAPES[strategy]}"]
            return composition_problems(found.composed_task, plan(found.sub_tasks, strategy))

        drawn = details(work.random("details"))
        answer = await self.ask.aforward(
            work,
            inputs={"scenario": record.text, "details": "; ".join(drawn), "shape": SHAPES[strategy]},
            check=problems,
            schema=shaped_schema(strategy),
        )
        composition = Composition.derive(
            record,
            scenario=record.text,
            task=answer.composed_task.strip(),
            strategy=strategy,
            sub_tasks=plan(answer.sub_tasks, strategy),
        )
        return (composition,)


def plan(written: list[str], strategy: Strategy) -> tuple[SubTask, ...]:
    """The sub-tasks with their dependencies, which the shape fixes."""
    return tuple(
        SubTask(task=task.strip(), depends_on=needs) for task, needs in zip(written, NEEDS[strategy], strict=True)
    )


def shaped_schema(strategy: Strategy) -> JsonObject:
    """The signature's output schema with as many sub-tasks as the shape has."""
    schema = copy.deepcopy(output_schema(ComposeDirectly))
    count = len(NEEDS[strategy])
    schema["properties"]["sub_tasks"].update(minItems=count, maxItems=count)
    return schema
