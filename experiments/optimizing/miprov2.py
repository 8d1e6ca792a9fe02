"""MIPROv2: proposes instructions and sets of demos, then searches their combinations (arXiv 2406.11695)."""

import importlib.util
from typing import Annotated

import dspy
from pydantic import Field, NonNegativeInt, PositiveInt, validate_call

from button.errors import UserError
from button.programs import Program
from experiments.optimizing.optimizer import Search, enough

FEWEST_TRIALS = 3  # combinations, without which there is nothing to learn from


class MiproV2:
    """`candidates` instructions, and as many sets of up to `demos` demos a predictor (0: instructions only).

    Demos come from trials worth at least `threshold`. With `data_aware` the model that proposes reads a summary of the
    items first, which takes up to ten calls more.
    """

    name = "miprov2"

    @validate_call
    def __init__(
        self,
        candidates: Annotated[int, Field(ge=2)] = 5,
        demos: NonNegativeInt = 3,
        threshold: Annotated[float, Field(gt=0, le=1)] = 0.9,
        proposal_temperature: Annotated[float, Field(ge=0, le=2)] = 1.0,
        data_aware: bool = False,
        combinations: PositiveInt | None = None,
    ) -> None:
        if importlib.util.find_spec("optuna") is None:
            raise UserError(
                "optimizer=miprov2 needs optuna, which is not installed: pip install 'button-instruct[optimize]'"
            )
        self.candidates = candidates
        self.demos = demos
        self.threshold = threshold
        self.proposal_temperature = proposal_temperature
        self.data_aware = data_aware
        self.combinations = combinations

    def least(self, train: int, validation: int) -> int:
        enough(self.name, "train", train, max(self.demos, 2))
        return train + (1 + FEWEST_TRIALS) * validation

    def search(self, search: Search) -> list[Program]:
        # The sets of demos cost each train item once; each combination all validation items.
        affordable = (search.trials - len(search.train)) // len(search.validation) - 1
        optimizer = dspy.MIPROv2(
            metric=search.value,
            prompt_model=search.reflection,
            auto=None,
            num_candidates=self.candidates,
            max_bootstrapped_demos=self.demos,
            max_labeled_demos=0,
            num_threads=search.threads,
            max_errors=10 * len(search.train),
            seed=search.seed,
            init_temperature=self.proposal_temperature,
            metric_threshold=self.threshold,
        )
        found = optimizer.compile(
            search.student,
            trainset=list(search.train),
            valset=list(search.validation),
            num_trials=max(min(self.combinations or affordable, affordable), FEWEST_TRIALS),
            seed=search.seed or None,
            minibatch=False,
            program_aware_proposer=False,  # it would read the code of the student, which says nothing of the step
            data_aware_proposer=self.data_aware,
        )
        return [found.program]
