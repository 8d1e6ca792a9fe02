"""SIMBA: learns rules and demos from items on which samples differ most in worth."""

import dspy
from pydantic import PositiveInt, validate_call

from button.programs import Program
from experiments.optimizing.optimizer import Search, enough


class Simba:
    """Each step draws `candidates` samples of `batch` train items, and makes up to `candidates` + 1 new programs.

    A predictor keeps about `demos` demos. `steps` None is as many as the budget allows, at most 8.
    """

    name = "simba"

    @validate_call
    def __init__(
        self,
        batch: PositiveInt = 6,
        candidates: PositiveInt = 3,
        demos: PositiveInt = 4,
        steps: PositiveInt | None = None,
    ) -> None:
        self.batch = batch
        self.candidates = candidates
        self.demos = demos
        self.steps = steps

    def least(self, train: int, validation: int) -> int:
        enough(self.name, "train", train, self.batch)
        return self._a_step + self._at_the_end(train, validation)

    def search(self, search: Search) -> list[Program]:
        left = search.trials - self._at_the_end(len(search.train), len(search.validation))
        optimizer = dspy.SIMBA(
            metric=search.advice,
            bsize=self.batch,
            num_candidates=self.candidates,
            max_steps=max(min(self.steps or 8, left // self._a_step), 1),
            max_demos=self.demos,
            prompt_model=search.reflection,
            num_threads=search.threads,
        )
        found = optimizer.compile(search.student, trainset=list(search.train), seed=search.seed)
        return [entry["program"].program for entry in found.candidate_programs]

    @property
    def _a_step(self) -> int:
        return self.batch * (2 * self.candidates + 1)

    def _at_the_end(self, train: int, validation: int) -> int:
        """What it costs to try the winners on all train items, and then on the validation items."""
        return (self.candidates + 1) * (train + validation)
