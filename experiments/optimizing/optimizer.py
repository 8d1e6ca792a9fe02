"""What an optimiser of ours is: DSPy's, cut to a budget of trials, behind one method."""

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import dspy
import tqdm

from button.errors import UserError
from button.programs import Program
from experiments.optimizing.bench import Trial
from experiments.optimizing.spending import Spending
from experiments.optimizing.student import Student

LIBRARIES = ("dspy", "gepa", "optuna")


@dataclass(frozen=True, slots=True)
class Search:
    """What is to be searched, and with what.

    `trials` is how many new trials the search may make; the bench refuses more. `threads` is how many trials may be
    made at once. `reflection` is the model that proposes instructions.
    """

    student: Student
    train: Sequence[dspy.Example]
    validation: Sequence[dspy.Example]
    reflection: dspy.LM
    spending: Spending
    trials: int
    threads: int
    seed: int

    def value(self, example: dspy.Example, prediction: dspy.Prediction | None, trace: Any = None) -> float:
        """The metric, as most optimisers take it; 0 for what could not be tried.

        With a `trace` the question is, by DSPy's custom, whether the answers are good as demos. Then it does not matter
        how often they had to be asked for.
        """
        trial = self.trial(example, prediction)
        if trial is None:
            return 0.0
        return trial.value if trace is None else trial.score.value

    def advice(
        self,
        example: dspy.Example,
        prediction: dspy.Prediction | None,
        trace: Any = None,
        pred_name: str | None = None,
        pred_trace: Any = None,
    ) -> dspy.Prediction:
        """The metric with feedback, as reflecting optimisers take it."""
        trial = self.trial(example, prediction)
        if trial is None:
            return dspy.Prediction(score=0.0, feedback="The program failed.")
        return dspy.Prediction(score=trial.value, feedback=trial.feedback)

    def trial(self, example: dspy.Example, prediction: dspy.Prediction | None) -> Trial | None:
        """The trial that a prediction of the student stands for; None for what could not be tried."""
        if prediction is None or "program" not in prediction:
            return None
        return self.student.bench.known(prediction.program, example.record["id"], prediction.draw)


class Optimizer(Protocol):
    """Searches a better program. Its constructor takes its hyper-parameters, checked."""

    @property
    def name(self) -> str: ...

    def least(self, train: int, validation: int) -> int:
        """The fewest trials with which it makes sense. Raises UserError where there are too few items for it."""
        ...

    def search(self, search: Search) -> list[Program]:
        """The programs it recommends, best first; those that have seen all validation items are known anyway."""
        ...


def enough(name: str, part: str, have: int, needed: int) -> None:
    """Refuse a search with too few items."""
    if have < needed:
        raise UserError(
            f"optimizer={name} needs at least {needed} {part} items, there are {have}: give more with"
            f" sizes.{part}={needed}"
        )


@contextlib.contextmanager
def quietly(path: Path) -> Iterator[None]:
    """What the libraries print and log goes to the file at `path`; their progress bars nowhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file, contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(file))
        handler = logging.StreamHandler(file)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(message)s"))
        for name in LIBRARIES:
            stack.callback(_diverted(logging.getLogger(name), handler))
        stack.callback(setattr, tqdm.tqdm, "__init__", tqdm.tqdm.__init__)
        tqdm.tqdm.__init__ = functools.partialmethod(_no_bar, tqdm.tqdm.__init__)
        yield


def _no_bar(bar: Any, plain: Callable[..., None], *arguments: Any, **named: Any) -> None:
    """Makes a progress bar that shows nothing: DSPy asks for some in so many words, and on stderr."""
    plain(bar, *arguments, **{**named, "disable": True})


def _diverted(logger: logging.Logger, handler: logging.Handler) -> "functools.partial[None]":
    """Lets a logger write to `handler` alone; gives what puts it back."""
    before, spreads = logger.handlers, logger.propagate
    logger.handlers, logger.propagate = [handler], False

    def back() -> None:
        logger.handlers, logger.propagate = before, spreads

    return functools.partial(back)
