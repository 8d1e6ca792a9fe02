"""The bench: programs of one step are tried here, an item at a time, and scored.

A trial is the step called on an item's record, and its outcome scored. It depends on nothing but the program, the item
and the draw, so each is made once and remembered: an optimiser that asks again, or twice at once, gets the same one.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import dspy

from button.errors import Interrupted
from button.programs import Program, program_of
from button.work import REFUSALS, Refusal
from experiments.metrics.metric import Metric, Score, checked
from experiments.optimizing.items import Item
from experiments.optimizing.spending import Answers
from experiments.stepping import run_step, work_on
from signatures.records import Outcome

SHOWN = 500  # characters of a refused answer
Called = tuple[dspy.Predict, dict[str, Any], dspy.Prediction]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that a predictor answered: its name inside the step, what went in, what came out."""

    predictor: str
    inputs: Mapping[str, Any]
    answer: dspy.Prediction


@dataclass(frozen=True, slots=True)
class Trial:
    """What a program (by its hash) made of an item, and what that is worth.

    `value` is the objective in [0, 1]: the metric's score, less a share for each answer that the step refused. `asked`
    are the questions as they were answered in the end, also where the last answer was refused like all before.
    """

    item: Item
    draw: int
    program: str
    outcome: Outcome
    score: Score
    value: float
    asked: tuple[Asked, ...]
    refused: tuple[Refusal, ...]

    @property
    def feedback(self) -> str:
        """The metric's words, and what had to be asked again."""
        lines = [self.score.feedback]
        if self.refused:
            lines.append("These answers were refused, which costs part of the score:")
        for refusal in self.refused:
            said = f" (the answer was: {refusal.answer[:SHOWN]})" if refusal.answer else ""
            lines.append(f"- {refusal.problems}{said}")
        return "\n".join(lines)


@dataclass(slots=True)
class Bench:
    """Where programs of the step `name` are tried; `signatures` names the signature of each of its predictors.

    `discount` is the share of a score that a refused answer costs (a question: where there are several, the mean).
    `watch` is told of each new trial. Trials are made in `loop`; other threads ask for them by `begun`.
    """

    name: str
    signatures: Mapping[str, str]
    metric: Metric
    lms: Mapping[str, dspy.LM]
    answers: Answers
    seed: int
    discount: float
    at_once: int
    loop: asyncio.AbstractEventLoop
    watch: Callable[[Program, Trial], None] = lambda program, trial: None
    _trials: dict[tuple[str, str, int], "asyncio.Task[Trial]"] = field(default_factory=dict)
    _searching: bool = True
    _failure: BaseException | None = None

    def __deepcopy__(self, memo: object) -> "Bench":
        """Itself: optimisers copy programs, and there is one bench."""
        return self

    def begun(self, step: dspy.Module, item: Item, draw: int = 0) -> "Future[Trial]":
        """The trial, for a thread that is not the loop's: one of an optimiser, which may live on after its search."""
        return asyncio.run_coroutine_threadsafe(self._searched(step, item, draw), self.loop)

    def end_search(self) -> None:
        """Make no further trial for a thread."""
        self._searching = False

    async def all(self, step: dspy.Module, items: Iterable[Item]) -> list[Trial]:
        """The trials of all items, in their order. Raises what the first one that failed did."""
        room = asyncio.Semaphore(self.at_once)

        async def one(item: Item) -> Trial:
            async with room:
                return await self.trial(step, item)

        tasks = [asyncio.ensure_future(one(item)) for item in items]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def trial(self, step: dspy.Module, item: Item, draw: int = 0) -> Trial:
        """The trial, made or remembered.

        Raises StopRun where the budget allows no more, UserError for a metric or a model that fails; and again what it
        has raised before, since the threads of an optimiser would go on.
        """
        if self._failure is not None:
            raise self._failure
        program = program_of(self.name, step)
        key = (program.hash, item.id, draw)
        if key not in self._trials:
            self.answers.spending.trial()
            self._trials[key] = asyncio.ensure_future(self._made(program, step, item, draw))
            self._trials[key].add_done_callback(self._notice)
        return await asyncio.shield(self._trials[key])

    async def _searched(self, step: dspy.Module, item: Item, draw: int) -> Trial:
        if not self._searching:
            raise Interrupted
        return await self.trial(step, item, draw)

    def known(self, program: str, item: str, draw: int) -> Trial:
        """A trial that has been made, by the hash of its program and the id of its item."""
        return self._trials[program, item, draw].result()

    async def close(self) -> None:
        """Begin nothing more; wait for what is under way, which is paid for, unless the wish is to end at once."""
        self._failure = self._failure or Interrupted()
        tasks = list(self._trials.values())
        closing = asyncio.current_task()
        if closing is not None and closing.cancelling():
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _notice(self, task: "asyncio.Task[Trial]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error

    async def _made(self, program: Program, step: Any, item: Item, draw: int) -> Trial:
        names = {id(predictor): name for name, predictor in step.named_predictors()}
        for name, predictor in step.named_predictors():
            predictor.signature.__name__ = self.signatures[name]  # which DSPy's copies have lost
        trace: list[Called] = []
        refused: list[Refusal] = []
        token = REFUSALS.set(refused)
        try:
            with dspy.context(trace=trace, disable_history=True, callbacks=[]):
                ledger = self.answers.ledger("step")
                work = work_on(item.record, self.name, self.lms, seed=self.seed, ledger=ledger, draw=draw)
                outcome = await run_step(step, item.record, work)
        finally:
            REFUSALS.reset(token)
        score = await self._score(item, outcome, draw)
        asked = answered(trace, refused)
        value = score.value * (1 - self.discount) ** (len(refused) / max(len(asked), 1))
        named = tuple(Asked(names[id(predictor)], inputs, answer) for predictor, inputs, answer in asked)
        trial = Trial(item, draw, program.hash, outcome, score, value, named, tuple(refused))
        self.watch(program, trial)
        return trial

    async def _score(self, item: Item, outcome: Outcome, draw: int) -> Score:
        ledger = self.answers.ledger("judge")
        work = work_on(item.record, self.metric.name, self.lms, seed=self.seed, ledger=ledger, draw=draw)
        with dspy.context(trace=None, disable_history=True, callbacks=[]):
            score = await self.metric.score(item.record, outcome, work)
        return checked(score, metric=self.metric.name, item=item.id)


def answered(trace: Sequence[Called], refused: Sequence[Refusal]) -> list[Called]:
    """The calls of a trace whose answers were taken; of a predictor without any, its last."""
    not_taken = {id(refusal.prediction) for refusal in refused}
    taken = [called for called in trace if id(called[2]) not in not_taken]
    done = {id(predictor) for predictor, *_ in taken}
    failed = {id(called[0]): called for called in trace if id(called[0]) not in done}
    return [*taken, *failed.values()]
