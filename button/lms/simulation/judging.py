"""Plays JudgeComposition: compares the words and details of the request with those of its sub-tasks."""

import re
from itertools import pairwise

from button.lms.simulation.choices import words_of
from button.lms.simulation.plans import Step, read_plan
from button.lms.simulation.question import Question
from signatures.records import JsonObject

MIN_COVERED = 0.5
MAX_ALIKE = 0.8
_DETAIL = re.compile(r"\d[\w.:@-]*|(?<=[a-z,] )[A-Z][\w'-]+")

_YES = (
    "Sub-task {last} needs {needed}, and the plan provides it first. Every detail of the request is covered.",
    "The plan covers the whole request: what sub-task {last} uses comes from {needed}. Nothing is superfluous.",
    "Each part of the request has its sub-task. The last one cannot be done without {needed}, so the order is right.",
)


def judge_composition(question: Question) -> JsonObject:
    """ "yes" where words and details agree; the analysis says what is wrong where they do not."""
    steps = read_plan(question.world, question.inputs.get("sub_tasks", ""))
    fault = _fault(question.inputs.get("composed_task", ""), steps)
    if question.flaw == "judge_no":
        fault = "the last sub-task asks for more than the request does"
    if fault:
        return {"analysis": f"The plan does not fit the request: {fault}.", "feasible": "no"}
    needed = " and ".join(f"the result of sub-task {number}" for number in steps[-1].needs)
    return {"analysis": question.rng.choice(_YES).format(last=steps[-1].number, needed=needed), "feasible": "yes"}


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
    uncovered = [
        detail for detail in _DETAIL.findall(request) if not any(detail.rstrip(".") in step.task for step in steps)
    ]
    if uncovered:
        return f"no sub-task takes care of {uncovered[0]}"
    for earlier, later in pairwise(steps):
        one, other = (set(words_of(step.task)) for step in (earlier, later))
        same_details = set(_DETAIL.findall(earlier.task)) == set(_DETAIL.findall(later.task))
        if same_details and len(one & other) > MAX_ALIKE * len(one | other):
            return f"sub-task {later.number} repeats sub-task {earlier.number}"
    return None
