"""Task composition: sequential, parallel-then-sequential, or a mix of both (paper, section 3.1)."""

import random
from typing import Annotated

import dspy
from pydantic import Field, NonNegativeInt, PositiveInt, validate_call

from button.checks.composition import composition_problems
from button.lms.schema import object_schema
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.details import next_steps, side_steps
from modules.forms import (
    form_schema,
    next_forms,
    open_side_forms,
    said_in_one_go,
    side_forms,
    thing_sought,
)
from modules.sense import Sense, several
from signatures.compose import AccompanyTask, ComposeInParallel, ComposeSequentially, ContinueTask
from signatures.records import AtomicTask, Composition, JsonObject, Outcome, Strategy, SubTask

Share = Annotated[float, Field(ge=0, le=1)]


class _Composing(dspy.Module):
    """One call that writes all the pieces; the strategies differ in the signatures and in the shape of the plan.

    A small model chooses among forms instead (`modules.forms`), `candidates` times, and what makes most sense to it is
    taken.
    """

    takes = AtomicTask
    gives = Composition
    strategy: Strategy
    pieces: tuple[str, ...]

    def __init__(
        self,
        signature: type[dspy.Signature],
        narrow: type[dspy.Signature],
        *,
        demos: int,
        tries: int,
        temperature: float,
        candidates: int,
    ) -> None:
        super().__init__()
        self.candidates = candidates
        self.sense = Sense("compose")
        self.ask = shipped(Ask(signature, role="compose", tries=tries, temperature=temperature, max_tokens=400), demos)
        self.ask_narrow = shipped(
            Ask(narrow, role="compose", tries=tries, temperature=temperature, max_tokens=150), demos
        )

    async def aforward(self, record: AtomicTask, work: Work) -> Outcome:
        if work.is_small("compose"):
            written, composed = await self._most_sensible(record, work)
        else:
            written, composed = await self._write(record.task, work, work.random("forms"))
        composition = Composition.derive(
            record,
            scenario=record.scenario,
            task=composed,
            strategy=self.strategy,
            sub_tasks=self.plan(record.task, written),
        )
        return (composition,)

    async def _write(self, task: str, work: Work, rng: random.Random) -> tuple[list[str], str]:
        """The new tasks, and the composed task."""

        def problems(found: dspy.Prediction) -> list[str]:
            return composition_problems(found.composed_task, self.plan(task, self._written(found)))

        inputs = {"task": task, "ideas": self.ideas(rng)}
        answer = await self.ask.aforward(work, inputs=inputs, check=problems)
        return self._written(answer), answer.composed_task.strip()

    async def _most_sensible(self, record: AtomicTask, work: Work) -> tuple[list[str], str]:
        filled = await several(self.candidates, lambda index: self._fill_in(record, work, index))
        chosen, _ = await self.sense.best(work, filled, lambda candidate: candidate[1])
        return chosen

    async def _fill_in(self, record: AtomicTask, work: Work, index: int) -> tuple[list[str], str]:
        forms, schema = self.forms(record, work.random("forms", index))

        def problems(found: dspy.Prediction) -> list[str]:
            written = self._written(found)
            return composition_problems(said_in_one_go([record.task, *written]), self.plan(record.task, written))

        inputs = {"task": record.task, "forms": forms}
        answer = await self.ask_narrow.aforward(work, inputs=inputs, check=problems, label=str(index), schema=schema)
        written = self._written(answer)
        return written, said_in_one_go([record.task, *written])

    def _written(self, answer: dspy.Prediction) -> list[str]:
        return [answer[piece].strip() for piece in self.pieces]

    def ideas(self, rng: random.Random) -> str:
        """Kinds of tasks for the new ones, drawn by the program so that rows differ."""
        raise NotImplementedError

    def forms(self, record: AtomicTask, rng: random.Random) -> tuple[str, JsonObject]:
        """The forms to choose from, as text and as the schema of the answer."""
        raise NotImplementedError

    def plan(self, task: str, written: list[str]) -> tuple[SubTask, ...]:
        """The sub-tasks and what each depends on."""
        raise NotImplementedError


class SequentialComposition(_Composing):
    """The given task, then one that needs its output."""

    strategy = "sequential"
    pieces = ("subsequent_task",)

    @validate_call
    def __init__(
        self, demos: NonNegativeInt = 3, tries: int = 3, temperature: float = 0.7, candidates: PositiveInt = 2
    ) -> None:
        super().__init__(
            *(ComposeSequentially, ContinueTask),
            demos=demos,
            tries=tries,
            temperature=temperature,
            candidates=candidates,
        )

    def ideas(self, rng: random.Random) -> str:
        return next_steps(rng)

    def forms(self, record: AtomicTask, rng: random.Random) -> tuple[str, JsonObject]:
        forms = next_forms(rng, thing_sought(record.task) or "result")
        return " | ".join(forms), object_schema({"subsequent_task": form_schema(forms)})

    def plan(self, task: str, written: list[str]) -> tuple[SubTask, ...]:
        return (SubTask(task=task), SubTask(task=written[0], depends_on=(0,)))


class ParallelThenSequentialComposition(_Composing):
    """The given task and an independent one, then one that needs the outputs of both."""

    strategy = "parallel_then_sequential"
    pieces = ("parallel_task", "subsequent_task")

    @validate_call
    def __init__(
        self, demos: NonNegativeInt = 3, tries: int = 3, temperature: float = 0.7, candidates: PositiveInt = 2
    ) -> None:
        super().__init__(
            *(ComposeInParallel, AccompanyTask),
            demos=demos,
            tries=tries,
            temperature=temperature,
            candidates=candidates,
        )

    def ideas(self, rng: random.Random) -> str:
        return f"parallel: {side_steps(rng)}; subsequent: {next_steps(rng)}"

    def forms(self, record: AtomicTask, rng: random.Random) -> tuple[str, JsonObject]:
        text, schemas = [], []
        for side, finds in side_forms(rng, record.task, record.details) or open_side_forms(rng):
            following = next_forms(rng, thing_sought(record.task) or "result", beside=finds)
            text.append(f"{side} Then: {' | '.join(following)}")
            pair = {
                "parallel_task": form_schema([side]),
                "subsequent_task": form_schema(following),
            }
            schemas.append(object_schema(pair))
        return "\n".join(text), {"anyOf": schemas}

    def plan(self, task: str, written: list[str]) -> tuple[SubTask, ...]:
        return (SubTask(task=task), SubTask(task=written[0]), SubTask(task=written[1], depends_on=(0, 1)))


class MixedComposition(dspy.Module):
    """Draws the strategy of each task; `sequential_share` of them are sequential.

    The paper does not publish its ratio. A small model gets a parallel task only beside one that says enough for it.
    """

    takes = AtomicTask
    gives = Composition

    @validate_call
    def __init__(
        self,
        sequential_share: Share = 0.5,
        demos: NonNegativeInt = 3,
        tries: int = 3,
        temperature: float = 0.7,
        candidates: PositiveInt = 2,
    ) -> None:
        super().__init__()
        self.sequential_share = sequential_share
        self.sequential = SequentialComposition(demos, tries, temperature, candidates)
        self.parallel = ParallelThenSequentialComposition(demos, tries, temperature, candidates)

    async def aforward(self, record: AtomicTask, work: Work) -> Outcome:
        sequential = work.random("strategy").random() < self.sequential_share
        if work.is_small("compose") and not side_forms(work.random("sides"), record.task, record.details):
            sequential = True
        chosen = self.sequential if sequential else self.parallel
        outcome: Outcome = await chosen.aforward(record, work)
        return outcome
