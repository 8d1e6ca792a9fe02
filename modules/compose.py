"""Task composition: sequential, parallel-then-sequential, or a mix of both (paper, section 3.1)."""

import random
from typing import Annotated

import dspy
from pydantic import Field, validate_call

from button.checks.composition import composition_problems
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.details import next_steps, side_steps
from signatures.compose import ComposeInParallel, ComposeSequentially
from signatures.records import AtomicTask, Composition, Outcome, Strategy, SubTask

Share = Annotated[float, Field(ge=0, le=1)]


class _Composing(dspy.Module):
    """One call that writes all the pieces; the strategies differ in the signature and in the shape of the plan."""

    takes = AtomicTask
    gives = Composition
    strategy: Strategy

    def __init__(self, signature: type[dspy.Signature], demos: int, tries: int, temperature: float) -> None:
        super().__init__()
        self.ask = shipped(Ask(signature, role="compose", tries=tries, temperature=temperature, max_tokens=400), demos)

    async def aforward(self, record: AtomicTask, work: Work) -> Outcome:
        def problems(found: dspy.Prediction) -> list[str]:
            return composition_problems(found.composed_task, self.plan(record.task, found))

        inputs = {"task": record.task, "ideas": self.ideas(work.random("ideas"))}
        answer = await self.ask.aforward(work, inputs=inputs, check=problems)
        composition = Composition.derive(
            record,
            scenario=record.scenario,
            task=answer.composed_task.strip(),
            strategy=self.strategy,
            sub_tasks=self.plan(record.task, answer),
        )
        return (composition,)

    def ideas(self, rng: random.Random) -> str:
        """Kinds of tasks for the new ones, drawn by the program so that rows differ."""
        raise NotImplementedError

    def plan(self, task: str, answer: dspy.Prediction) -> tuple[SubTask, ...]:
        """The sub-tasks and what each depends on."""
        raise NotImplementedError


class SequentialComposition(_Composing):
    """The given task, then one that needs its output."""

    strategy = "sequential"

    @validate_call
    def __init__(self, demos: int = 3, tries: int = 3, temperature: float = 0.7) -> None:
        super().__init__(ComposeSequentially, demos, tries, temperature)

    def ideas(self, rng: random.Random) -> str:
        return next_steps(rng)

    def plan(self, task: str, answer: dspy.Prediction) -> tuple[SubTask, ...]:
        return (SubTask(task=task), SubTask(task=answer.subsequent_task.strip(), depends_on=(0,)))


class ParallelThenSequentialComposition(_Composing):
    """The given task and an independent one, then one that needs the outputs of both."""

    strategy = "parallel_then_sequential"

    @validate_call
    def __init__(self, demos: int = 3, tries: int = 3, temperature: float = 0.7) -> None:
        super().__init__(ComposeInParallel, demos, tries, temperature)

    def ideas(self, rng: random.Random) -> str:
        return f"parallel: {side_steps(rng)}; subsequent: {next_steps(rng)}"

    def plan(self, task: str, answer: dspy.Prediction) -> tuple[SubTask, ...]:
        return (
            SubTask(task=task),
            SubTask(task=answer.parallel_task.strip()),
            SubTask(task=answer.subsequent_task.strip(), depends_on=(0, 1)),
        )


class MixedComposition(dspy.Module):
    """Draws the strategy of each task; `sequential_share` of them are sequential.

    The paper does not publish its ratio.
    """

    takes = AtomicTask
    gives = Composition

    @validate_call
    def __init__(self, sequential_share: Share = 0.5, demos: int = 3, tries: int = 3, temperature: float = 0.7) -> None:
        super().__init__()
        self.sequential_share = sequential_share
        self.sequential = SequentialComposition(demos=demos, tries=tries, temperature=temperature)
        self.parallel = ParallelThenSequentialComposition(demos=demos, tries=tries, temperature=temperature)

    async def aforward(self, record: AtomicTask, work: Work) -> Outcome:
        sequential = work.random("strategy").random() < self.sequential_share
        chosen = self.sequential if sequential else self.parallel
        outcome: Outcome = await chosen.aforward(record, work)
        return outcome
