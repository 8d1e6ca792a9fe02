"""Whether a composed task and its sub-tasks hang together (paper, section 3.1), as far as words can tell."""

from button.checks.details import details, details_of, missing_details
from button.checks.vocabulary import LOOKUP_VERBS, content_words, overlap, stem, tokens
from button.checks.wording import task_problems
from signatures.records import SubTask

__all__ = ["composition_problems", "details_of", "graph_problems", "missing_details"]

# Two sub-tasks that share more of their words are one. "Find flights from Rome to Oslo" and "Book flights from Rome to
# Oslo" share 0.6, a task and its rewording with one more detail 0.85.
MAX_OVERLAP = 0.75
# The same for one that the other holds: "List the pollen levels in Oslo", "Send Ann the pollen levels in Oslo". Between
# independent sub-tasks nine words of ten are too many; a dependent one may repeat what it builds on.
MAX_HELD = 0.85
# A composed task says a given sub-task nearly in its words, and a subsequent one often in others ("the cheapest of
# them"), hence two floors for the share of a sub-task's words that it holds.
MIN_COVERAGE = 0.5
MIN_COVERAGE_OF_SUBSEQUENT = 0.3

# The limit of an atomic task, with room for "..., using the results of the first two".
SUB_TASK_WORDS = 40
COMPOSED_WORDS = 100

_LOOKUPS = frozenset(stem(verb) for verb in LOOKUP_VERBS)


def composition_problems(composed: str, sub_tasks: tuple[SubTask, ...]) -> list[str]:
    """What is wrong with a composition.

    The wording of each piece, the graph, twins among the sub-tasks, and what the composed task leaves out of them.
    """
    problems = graph_problems(sub_tasks)
    # Its references ("those results") have their antecedent in the same request.
    problems += task_problems(composed, COMPOSED_WORDS, self_contained=False, what="the composed task")
    for number, sub_task in enumerate(sub_tasks, start=1):
        alone = not sub_task.depends_on
        problems += task_problems(sub_task.task, SUB_TASK_WORDS, self_contained=alone, what=f"sub-task {number}")
    problems += _twin_problems(sub_tasks)
    said = content_words(composed)
    for number, sub_task in enumerate(sub_tasks, start=1):
        wanted = content_words(sub_task.task) - _LOOKUPS
        share = len(wanted & said) / len(wanted) if wanted else 1.0
        if share < (MIN_COVERAGE_OF_SUBSEQUENT if sub_task.depends_on else MIN_COVERAGE):
            lost = ", ".join([token for token in tokens(sub_task.task) if stem(token) in wanted - said][:6])
            problems.append(
                f"the composed task does not ask for sub-task {number} ({sub_task.task!r}): it lacks {lost}"
            )
        if lacking := missing_details(sub_task.task, composed):
            problems.append(f"the composed task lacks {_listed(lacking)} of sub-task {number}; carry every detail")
    return problems


def graph_problems(sub_tasks: tuple[SubTask, ...]) -> list[str]:
    """What is wrong with the dependencies: edges point to earlier sub-tasks, and the last sub-task needs others."""
    if len(sub_tasks) < 2:
        return [f"the composition has {len(sub_tasks)} sub-task(s); it needs at least 2"]
    problems = []
    for index, sub_task in enumerate(sub_tasks):
        wrong = [edge for edge in sub_task.depends_on if not 0 <= edge < index]
        if wrong:
            problems.append(f"sub-task {index + 1} depends on index {wrong[0]}; it may depend on 0 to {index - 1}")
        if len(set(sub_task.depends_on)) < len(sub_task.depends_on):
            problems.append(f"sub-task {index + 1} names a dependency twice: {list(sub_task.depends_on)}")
    if not sub_tasks[-1].depends_on:
        problems.append("the last sub-task depends on none; a subsequent task needs the output of an earlier one")
    return problems


def _twin_problems(sub_tasks: tuple[SubTask, ...]) -> list[str]:
    problems = []
    bags = [_bag(sub_task.task) for sub_task in sub_tasks]
    for later in range(len(bags)):
        for earlier in range(later):
            shared = overlap(bags[earlier], bags[later])
            limit = MAX_HELD if earlier not in sub_tasks[later].depends_on else 1.0
            if shared > MAX_OVERLAP or _held(bags[earlier], bags[later]) >= limit:
                problems.append(
                    f"sub-task {later + 1} says the same as sub-task {earlier + 1} ({shared:.0%} of their words): "
                    f"{sub_tasks[later].task!r}; write a different step"
                )
    return problems


def _held(a: frozenset[str], b: frozenset[str]) -> float:
    """The share of the smaller bag's words that the larger one holds; 0 where it is too small to tell."""
    smaller, larger = sorted((a, b), key=len)
    return len(smaller & larger) / len(smaller) if len(smaller) > 3 else 0.0


def _bag(task: str) -> frozenset[str]:
    """The content words of a task and its details, verbs of looking something up counted as one."""
    words = frozenset("find" if word in _LOOKUPS else word for word in content_words(task))
    return words | frozenset(detail.canonical for detail in details(task) if not detail.canonical.isalpha())


def _listed(values: list[str]) -> str:
    return ", ".join(repr(value) for value in values[:4])
