"""The steps of a run: built from their configs, put in order, and checked to fit together."""

from collections.abc import Mapping
from typing import Protocol

from button.config import JsonObject
from button.errors import UserError
from button.programs import PROGRAM, Program, apply
from button.step import OrderedStep, Step
from button.targets import build
from signatures.records import Example, Record, Seed

AFTER = "after"


class WithSteps(Protocol):
    """The settings of a verb that has steps."""

    @property
    def steps(self) -> Mapping[str, JsonObject]: ...

    @property
    def allow_targets(self) -> tuple[str, ...]: ...


def build_steps(settings: WithSteps, programs: Mapping[str, Program] | None = None) -> dict[str, Step | OrderedStep]:
    """The steps by name, built, in order, each taking what the one before it gives, from Seed to Example.

    Those in `programs` (see `button.programs.chosen`) are told what their program says. Raises UserError for a target,
    argument or program that does not fit, and for two steps that do not fit together.
    """
    built: dict[str, Step | OrderedStep] = {}
    for name, config in ordered(settings.steps).items():
        arguments = {key: value for key, value in config.items() if key != PROGRAM}
        step = build(arguments, f"steps.{name}", allow=settings.allow_targets)
        if not isinstance(step, Step | OrderedStep):
            raise UserError(
                f"steps.{name}: {type(step).__name__} is no step; a step has the attributes takes and gives (record"
                " types) and the method aforward(record, work), see button/step.py"
            )
        if programs and name in programs:
            if (made_for := programs[name].step) != name:
                raise UserError(f"the program of steps.{name} was made for step {made_for}, and says so in its file")
            apply(programs[name], step, f"the program of steps.{name}")
        built[name] = step
    check_chain(built)
    return built


def ordered(steps: Mapping[str, JsonObject]) -> dict[str, JsonObject]:
    """The step configs in their order: as listed, but one with `after: <step>` comes right behind that step.

    The key `after` is taken out. Raises UserError where it names no other step or goes in a circle.
    """
    order = [name for name, step in steps.items() if AFTER not in step]
    moved = [name for name, step in steps.items() if AFTER in step]
    for name in moved:
        if steps[name][AFTER] not in steps or steps[name][AFTER] == name:
            others = ", ".join(other for other in steps if other != name)
            raise UserError(f"steps.{name}.{AFTER}={steps[name][AFTER]!r}: should be another step: {others}")
    while moved:
        ready = [name for name in moved if steps[name][AFTER] in order]
        if not ready:
            raise UserError(f"steps {', '.join(moved)}: each comes {AFTER} another one of them, which is a circle")
        for name in reversed(ready):
            order.insert(order.index(steps[name][AFTER]) + 1, name)
        moved = [name for name in moved if name not in ready]
    return {name: {key: value for key, value in steps[name].items() if key != AFTER} for name in order}


def check_chain(steps: Mapping[str, Step | OrderedStep]) -> None:
    """Refuse steps of which one does not take what reaches it, or which end in something else than an Example."""
    reaching: type[Record] = Seed
    giver = "the seeds are"
    for name, step in steps.items():
        if not issubclass(reaching, step.takes):
            raise UserError(
                f"steps.{name} takes {step.takes.__name__}, but {giver} {reaching.__name__}: put a step that makes"
                f" {step.takes.__name__} before it, or leave it out with ~step@steps.{name}"
            )
        reaching = step.gives
        giver = f"steps.{name} before it gives"
    if not issubclass(reaching, Example):
        raise UserError(f"the steps end with {reaching.__name__}: the last one should give Example, as step=gate does")
