"""The optimisation of one step: measure the start, search, choose on validation items, report on held-out ones."""

import asyncio
import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import dspy
from dspy.adapters.json_adapter import JSONAdapter

from button.errors import UserError
from button.programs import Program, apply, program_of
from experiments.optimizing.bench import Bench, Trial
from experiments.optimizing.candidates import Candidates
from experiments.optimizing.gain import Gain, gain
from experiments.optimizing.items import Item
from experiments.optimizing.optimizer import Optimizer, Search, quietly
from experiments.optimizing.reflection import stand_in
from experiments.optimizing.spending import TrialsSpent
from experiments.optimizing.student import Halt, Student, example_of
from modules.ask import Ask
from signatures.records import Drop, Split

Adopt = Literal["gain", "sure", "always"]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """How an optimisation ended. `objective`, `score` and `kept` are gains on held-out items.

    `score` is the metric's alone, `objective` that less what refused answers cost, `kept` the share of items that were
    not dropped. `adopted` is the best program if the rule was met, else the start.
    """

    start: Program
    best: Program
    adopted: Program
    validation: Gain
    objective: Gain
    score: Gain
    kept: Gain
    before: Sequence[Trial]
    after: Sequence[Trial]
    tuned: tuple[str, ...]

    @property
    def is_better(self) -> bool:
        return self.adopted.hash != self.start.hash


@dataclass(slots=True)
class Study:
    """One step (`step`, with the program that it starts from), its items and what searches."""

    step: dspy.Module
    bench: Bench
    items: Sequence[Item]
    optimizer: Optimizer
    candidates: Candidates
    reflection: dspy.LM
    seed: int
    log_file: Path
    adopt: Adopt

    async def run(self) -> Result:
        """Raises StopRun where a budget of calls or dollars ends it short, UserError, or what a step raises."""
        start = program_of(self.bench.name, self.step)
        log.info(
            "%s: trying the program to start from on %d validation items", self.bench.name, len(self._of("validation"))
        )
        tuned = used(self.step, await self.bench.all(self.step, self._of("validation")))
        await self._search(tuned)
        best = self.candidates.best.program
        self.bench.answers.spending.unbounded = True
        log.info("%s: measuring the gain on %d held-out items", self.bench.name, len(self._of("test")))
        before = await self.bench.all(self.step, self._of("test"))
        after = await self.bench.all(self._told(best), self._of("test"))
        objective = gain([trial.value for trial in before], [trial.value for trial in after])
        return Result(
            start=start,
            best=best,
            adopted=best if self._convinces(objective) else start,
            validation=self._validated(start, best),
            objective=objective,
            score=gain([trial.score.value for trial in before], [trial.score.value for trial in after]),
            kept=gain([_kept(trial) for trial in before], [_kept(trial) for trial in after]),
            before=before,
            after=after,
            tuned=tuple(sorted(tuned)),
        )

    async def _search(self, tuned: frozenset[str]) -> None:
        """Let the optimiser search in a thread; then try what it recommends on the validation items too."""
        spending = self.bench.answers.spending
        assert spending.max_trials is not None
        student = Student(copy.deepcopy(self.step), self.bench, {item.id: item for item in self.items}, tuned)
        search = Search(
            student=student,
            train=[example_of(item) for item in self._of("train")],
            validation=[example_of(item) for item in self._of("validation")],
            reflection=self.reflection,
            spending=spending,
            trials=spending.max_trials - spending.trials,
            threads=self.bench.at_once,
            seed=self.seed,
        )
        found = await asyncio.to_thread(self._searched, search)
        self.bench.end_search()
        made = f"{spending.trials} of {spending.max_trials} trials"
        if isinstance(found, TrialsSpent):
            log.info("%s: the search ended after %s: %s", self.bench.name, made, found)
        elif isinstance(found, BaseException):
            raise found
        else:
            log.info("%s: the search ended by itself after %s", self.bench.name, made)
            for program in found:
                try:
                    await self.bench.all(self._told(program), self._of("validation"))
                except TrialsSpent:
                    break

    def _searched(self, search: Search) -> list[Program] | BaseException:
        """What the optimiser recommends, or what ended it. Called in a thread."""
        # Under a schema even a small model answers as it should; in DSPy's own format it seldom does.
        adapter = JSONAdapter() if self.reflection.supports_response_schema else None
        settings = {"lm": stand_in(), "adapter": adapter, "callbacks": [], "disable_history": True, "max_errors": 10**9}
        with quietly(self.log_file), dspy.context(**settings):
            try:
                return self.optimizer.search(search)
            except Halt as halt:
                return halt.__cause__ or halt

    def _told(self, program: Program) -> dspy.Module:
        step = copy.deepcopy(self.step)
        apply(program, step, "a candidate")
        return step

    def _of(self, part: Split) -> list[Item]:
        return [item for item in self.items if item.split == part]

    def _validated(self, start: Program, best: Program) -> Gain:
        one, other = self.candidates[start].trials, self.candidates[best].trials
        return gain([one[id_].value for id_ in one], [other[id_].value for id_ in one])

    def _convinces(self, objective: Gain) -> bool:
        return {"gain": objective.difference > 0, "sure": objective.is_sure, "always": True}[self.adopt]


def used(step: dspy.Module, trials: Sequence[Trial]) -> frozenset[str]:
    """The names of the predictors that may be tuned: those that `trials` asked.

    Where a step asks through `Ask`, only those: what weighs its answers must not learn to like them. Narrow questions
    for small models are not asked of others, and cannot be judged there. Raises UserError where none is left.
    """
    asks = {f"{name.removeprefix('self.')}.predict" for name, _ in step.named_sub_modules(Ask)}
    asked = {asked.predictor for trial in trials for asked in trial.asked}
    found = frozenset(asked & asks if asks else asked)
    if not found:
        reasons = sorted({trial.outcome.reason for trial in trials if isinstance(trial.outcome, Drop)})
        said = f"; every item was dropped: {', '.join(reasons)}" if reasons else ""
        raise UserError(f"on the validation items the step asked the model nothing that can be tuned{said}")
    return found


def _kept(trial: Trial) -> float:
    return float(not isinstance(trial.outcome, Drop))
