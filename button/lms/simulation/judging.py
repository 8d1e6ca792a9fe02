"""Plays JudgeComposition: compares the words and details of the request with those of its sub-tasks."""

import re
from itertools import pairwise

from button.checks.oddities import unlinked
from button.lms.simulation.choices import words_of
from button.lms.simulation.plans import Step, read_plan
from button.lms.simulation.question import Question
from signatures.records import JsonObject, SubTask

MIN_COVERED = 0.5
MAX_ALIKE = 0.8
_NAMED_TWICE = re.compile(r"the ([a-z -]+) and the \1 that")
_NOTHING_TO_BOOK = re.compile(r"\b(?:book|reserve|order) the [a-z ]*(?:status|forecast|ratings|hours)\b", re.IGNORECASE)
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
    elif question.flaw == "judge_yes":
        fault = None
    if fault:
        return {"analysis": f"The plan does not fit the request: {fault}.", "feasible": "no"}
    last = steps[-1] if steps else None
    needed = " and ".join(f"the result of sub-task {number}" for number in last.needs) if last else ""
    said = question.rng.choice(_YES).format(last=last.number if last else 1, needed=needed or "what comes first")
    return {"analysis": said, "feasible": "yes"}


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
        lost = [detail for detail in _DETAIL.findall(step.task) if detail.rstrip(".") not in request.replace(",", "")]
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
    return _senseless(steps)


def _senseless(steps: tuple[Step, ...]) -> str | None:
    """A dependency on nothing, a result named as two, or what cannot be booked."""
    plan = [SubTask(task=step.task, depends_on=tuple(number - 1 for number in step.needs)) for step in steps]
    if loose := unlinked(plan):
        return loose[0]
    for step in steps:
        if twice := _NAMED_TWICE.search(step.task):
            return f"sub-task {step.number} names '{twice[1]}' as two results"
        if _NOTHING_TO_BOOK.search(step.task):
            return f"sub-task {step.number} books what cannot be booked"
    return None
