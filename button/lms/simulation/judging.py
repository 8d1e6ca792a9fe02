"""Plays JudgeComposition: compares the words and details of the request with those of its sub-tasks."""

import random
import re
from collections.abc import Mapping

from button.lms.simulation.choices import words_of
from button.lms.simulation.plans import Step, read_plan
from button.lms.simulation.world import World
from signatures.records import JsonObject

MIN_COVERED = 0.5
MAX_ALIKE = 0.8
_DETAIL = re.compile(r"\d[\w.:@-]*|(?<=[a-z,] )[A-Z][\w'-]+")

_YES = (
    "Sub-task {last} needs {needed}, and the plan provides it first. Every detail of the request is covered by a sub-task.",
    "The plan covers the whole request: what sub-task {last} uses comes from {needed}. Nothing is superfluous.",
    "Each part of the request has its sub-task. The last one cannot be done without {needed}, so the order is right.",
)


def judge_composition(world: World, inputs: Mapping[str, str], rng: random.Random, flaw: str | None) -> JsonObject:
    steps = read_plan(world, inputs["sub_tasks"])
    fault = "the last sub-task asks for more than the request does" if flaw == "judge_no" else _fault(inputs["composed_task"], steps)
    if fault:
        return {"analysis": f"The plan does not fit the request: {fault}.", "feasible": "no"}
    needed = " and ".join(f"the result of sub-task {number}" for number in steps[-1].needs)
    return {"analysis": rng.choice(_YES).format(last=steps[-1].number, needed=needed), "feasible": "yes"}


def _fault(request: str, steps: tuple[Step, ...]) -> str | None:
    """What is wrong with a plan, or None."""
    if len(steps) < 2:
        return "there are not two sub-tasks"
    if not steps[-1].needs:
        return f"sub-task {steps[-1].number} needs nothing that came before"
    said = set(words_of(request))
    for step in steps:
        wanted = set(words_of(step.task))
        if wanted and len(wanted & said) < MIN_COVERED * len(wanted):
            return f"sub-task {step.number} is about something that nobody asked for"
        lost = [detail for detail in _DETAIL.findall(step.task) if detail.rstrip(".") not in request]
        if lost:
            return f"the request does not mention {lost[0]}, which sub-task {step.number} uses"
    uncovered = [detail for detail in _DETAIL.findall(request) if not any(detail.rstrip(".") in step.task for step in steps)]
    if uncovered:
        return f"no sub-task takes care of {uncovered[0]}"
    for earlier, later in zip(steps, steps[1:], strict=False):
        one, other = ({*words_of(step.task), *_DETAIL.findall(step.task)} for step in (earlier, later))
        if len(one & other) > MAX_ALIKE * len(one | other):
            return f"sub-task {later.number} repeats sub-task {earlier.number}"
    return None
