"""Atomic tasks: one self-contained step, said without a tool, of a fair length (paper, section 3.1)."""

from collections.abc import Mapping

from pydantic import NonNegativeInt, PositiveInt, validate_call

from button.checks.details import details
from button.checks.instruments import means_in
from button.checks.oddities import further_steps
from button.checks.references import open_references
from button.checks.wording import TASK_WORDS, task_problems, words
from experiments.metrics.judged import JudgedMetric, Share
from experiments.metrics.metric import Finding, finding
from signatures.judge import JudgeTask
from signatures.records import AtomicTask, Record

LEAST_WORDS = 6  # fewer leave no room for what, where and when


class AtomicTaskMetric(JudgedMetric):
    """Scores what step task gives."""

    name = "atomic_task"
    step = "task"
    labels = "task"

    @validate_call
    def __init__(
        self,
        max_words: PositiveInt = TASK_WORDS,
        judge_weight: Share = 0.5,
        demos: NonNegativeInt = 3,
        tries: PositiveInt = 3,
    ) -> None:
        super().__init__(JudgeTask, judge_weight=judge_weight, demos=demos, tries=tries)
        self.max_words = max_words

    def checks(self, given: Record, record: Record) -> list[Finding]:
        assert isinstance(record, AtomicTask)
        task = record.task
        means, references, further = means_in(task), open_references(task), further_steps(task)
        # What these two name is among the problems too, and is reported once.
        malformed = [
            problem
            for problem in task_problems(task, 10 * self.max_words)
            if not any(repr(said) in problem for said in (*means, *references))
        ]
        return [
            finding("well_formed", malformed),
            self._length(task),
            finding("no_open_references", [f"{said!r} is known to the speaker alone; say it" for said in references]),
            finding("function_agnostic", [f"{said!r} names a means; say what is wanted, not how" for said in means]),
            finding("one_action", [f"{said!r} begins a second step; ask for one thing only" for said in further]),
            finding(
                "concrete", [] if details(task) else ["it has no detail; name a place, a day, an amount or a code"]
            ),
        ]

    def question(self, record: Record) -> Mapping[str, str]:
        assert isinstance(record, AtomicTask)
        return {"task": record.task}

    def in_one_word(self, record: Record) -> Mapping[str, str]:
        assert isinstance(record, AtomicTask)
        return {"request": record.task}

    def shown(self, record: Record) -> str:
        assert isinstance(record, AtomicTask)
        return f"Scenario: {record.scenario}\nTask: {record.task}"

    def _length(self, task: str) -> Finding:
        count = words(task)
        if count > self.max_words:
            return finding("length", [f"{count} words; at most {self.max_words} are allowed"], self.max_words / count)
        if count < LEAST_WORDS:
            return finding("length", [f"only {count} word(s); say which, where and when"], count / LEAST_WORDS)
        return finding("length", [])
