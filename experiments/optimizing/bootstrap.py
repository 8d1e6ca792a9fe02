"""Few-shot search: demos from the step's own good answers, in random sets (DSPy's BootstrapFewShotWithRandomSearch)."""

import random
from typing import Annotated

from dspy.teleprompt import BootstrapFewShotWithRandomSearch
from pydantic import Field, PositiveInt, validate_call

from button.programs import Program
from experiments.optimizing.optimizer import Search, enough

NO_DEMOS, IN_ORDER = -3, -1  # the seeds by which DSPy knows its first candidates; -2 would take items for answers


class BootstrapFewShot:
    """Up to `demos` demos a predictor, taken from trials worth at least `threshold`; they replace those shipped.

    `candidates` None is as many sets as the budget allows, at most 16.
    """

    name = "bootstrap"

    @validate_call
    def __init__(
        self,
        demos: PositiveInt = 4,
        threshold: Annotated[float, Field(gt=0, le=1)] = 0.9,
        candidates: PositiveInt | None = None,
    ) -> None:
        self.demos = demos
        self.threshold = threshold
        self.candidates = candidates

    def least(self, train: int, validation: int) -> int:
        enough(self.name, "train", train, self.demos)
        return 2 * validation + train

    def search(self, search: Search) -> list[Program]:
        # Trials on train items are remembered; what each further set costs is its validation.
        affordable = (search.trials - len(search.train)) // len(search.validation) - 2
        sets = max(min(self.candidates or 16, affordable), 0)
        train = list(search.train)
        random.Random(search.seed).shuffle(train)
        optimizer = BootstrapFewShotWithRandomSearch(
            metric=search.value,
            max_bootstrapped_demos=self.demos,
            max_labeled_demos=0,
            num_candidate_programs=sets,
            num_threads=search.threads,
            metric_threshold=self.threshold,
            max_errors=len(train) * (sets + 2),
            stop_at_score=100,
        )
        found = optimizer.compile(
            search.student,
            trainset=train,
            valset=list(search.validation),
            restrict=[NO_DEMOS, IN_ORDER, *range(sets)],
        )
        return [found.program]
