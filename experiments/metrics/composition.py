"""Compositions: a request that needs all its sub-tasks, with a dependency that is real (paper, section 3.1)."""

from collections.abc import Mapping
from itertools import combinations

from pydantic import NonNegativeInt, PositiveInt, validate_call

from button.checks.composition import composition_problems, missing_details
from button.checks.oddities import unlinked
from button.checks.vocabulary import content_words, overlap
from experiments.metrics.judged import JudgedMetric, Share
from experiments.metrics.metric import Finding, finding
from modules.wording import numbered
from signatures.judge import JudgeComposition
from signatures.records import AtomicTask, Composition, Record, SubTask
from signatures.sense import StepsSuffice

DISTINCT, SAME = 0.5, 0.9  # shares of common words: below the one all is well, above the other two sub-tasks are one


class CompositionMetric(JudgedMetric):
    """Scores what step compose gives."""

    name = "composition"
    step = "compose"
    labels = "composition"
    word = StepsSuffice

    @validate_call
    def __init__(self, judge_weight: Share = 0.5, demos: NonNegativeInt = 2, tries: PositiveInt = 3) -> None:
        super().__init__(JudgeComposition, judge_weight=judge_weight, demos=demos, tries=tries)

    def checks(self, given: Record, record: Record) -> list[Finding]:
        assert isinstance(record, Composition)
        plan = record.sub_tasks
        lost = missing_details(given.task, record.task) if isinstance(given, AtomicTask) else []
        loose = unlinked(plan)
        return [
            finding("sound", composition_problems(record.task, plan)),
            _coverage(record.task, plan),
            finding("keeps_details", [f"the request lacks {detail!r} of the given task; carry it" for detail in lost]),
            finding("linked", loose, 1 - len(loose) / max(sum(bool(part.depends_on) for part in plan), 1)),
            _distinctness(plan),
        ]

    def question(self, record: Record) -> Mapping[str, str]:
        assert isinstance(record, Composition)
        return {"composed_task": record.task, "sub_tasks": numbered(record.sub_tasks)}

    def in_one_word(self, record: Record) -> Mapping[str, str]:
        assert isinstance(record, Composition)
        return {"task": record.task, "sub_tasks": numbered(record.sub_tasks)}

    def shown(self, record: Record) -> str:
        assert isinstance(record, Composition)
        return f"Composed task: {record.task}\nSub-tasks:\n{numbered(record.sub_tasks)}"


def _coverage(composed: str, plan: tuple[SubTask, ...]) -> Finding:
    """How much of the sub-tasks the request says, and whether it needs each of them."""
    said = content_words(composed)
    wanted = [content_words(part.task) for part in plan]
    shares = [len(words & said) / len(words) if words else 1.0 for words in wanted]
    worst = min(range(len(plan)), key=shares.__getitem__) if plan else 0
    # A sub-task said in other words shares about half of them; that is full marks.
    share = min(1.0, 2 * min(shares, default=0.0))
    problem = f"the request hardly asks for sub-task {worst + 1}; word it so that it needs all of them"
    return finding("covers_all", [problem] if share < 1 else [], share)


def _distinctness(plan: tuple[SubTask, ...]) -> Finding:
    pairs = [
        (overlap(content_words(plan[a].task), content_words(plan[b].task)), a, b)
        for a, b in combinations(range(len(plan)), 2)
    ]
    shared, one, other = max(pairs, default=(0.0, 0, 0))
    share = min(1.0, max(0.0, (SAME - shared) / (SAME - DISTINCT)))
    problem = f"sub-tasks {one + 1} and {other + 1} share {shared:.0%} of their words; write a different step"
    return finding("distinct", [problem] if share < 1 else [], share)
