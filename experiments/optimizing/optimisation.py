"""What all steps of one `button optimize` share, and what has become of each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from button.config import JsonObject
from button.journal import Journal, Usage
from button.lms.build import LanguageModels
from button.step import OrderedStep, Step
from experiments.optimizing.settings import OptimizeSettings
from experiments.optimizing.spending import Answers, Purpose

MOST_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class StepDone:
    """What became of a step: in words, its gains as metrics, whether anything was adopted, and what had been used by
    then: by purpose, and the keys of the answers.
    """

    verdict: str
    gains: Mapping[str, float]
    is_better: bool
    usage: Mapping[Purpose, Mapping[str, Any]]
    used: Sequence[str]


@dataclass(slots=True)
class Optimisation:
    """`steps` are told what is found as it is found; `done` are the steps that are finished."""

    settings: OptimizeSettings
    config: JsonObject
    steps: dict[str, Step | OrderedStep]
    lms: LanguageModels
    answers: Answers
    journal: Journal
    done: dict[str, StepDone] = field(default_factory=dict)

    @property
    def at_once(self) -> int:
        return self.settings.executor.at_once or min(self.lms.concurrency, MOST_AT_ONCE)

    def is_done(self, step: str) -> bool:
        """Whether an earlier process finished the step; what it noted then is taken over."""
        said = self.journal.meta(f"done.{step}")
        if said is None:
            return False
        done = self.done[step] = StepDone(**json.loads(said))
        self.answers.spending.usage.update({purpose: Usage(**used) for purpose, used in done.usage.items()})
        self.answers.counted(done.used)
        return True

    def finish(self, step: str, verdict: str, gains: Mapping[str, float], *, is_better: bool) -> None:
        """Note what became of a step."""
        usage = {purpose: asdict(used) for purpose, used in self.answers.spending.usage.items()}
        done = self.done[step] = StepDone(verdict, gains, is_better, usage, sorted(self.answers.used))
        self.journal.set_meta(f"done.{step}", json.dumps(asdict(done)))
