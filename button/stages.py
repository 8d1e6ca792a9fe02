"""The steps of a run in stages: between two stages rows pass one by one, in seed order."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from button.step import OrderedStep, Step
from button.turnstile import Turnstile
from signatures.records import Scenario


@dataclass(slots=True)
class Stage:
    """Free steps, then a turnstile at which the ordered step, where there is one, decides."""

    free: list[tuple[str, Step]] = field(default_factory=list)
    ordered: tuple[str, OrderedStep] | None = None
    fills_pool: bool = False
    turnstile: Turnstile = field(default_factory=Turnstile)


def stages_of(steps: Mapping[str, Step | OrderedStep]) -> list[Stage]:
    """The steps in stages; the pool is filled where the last scenario step ends."""
    stages = [Stage()]
    pooled = False
    for name, step in steps.items():
        if not pooled and step.takes is Scenario and step.gives is not Scenario:
            stages[-1].fills_pool = pooled = True
            stages.append(Stage())
        if isinstance(step, OrderedStep):
            stages[-1].ordered = (name, step)
            stages.append(Stage())
        else:
            stages[-1].free.append((name, step))
    return stages
