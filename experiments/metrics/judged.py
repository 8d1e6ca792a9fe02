"""What the metrics of single steps share: checks by code, a judge's rubric, and one score of both."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import dspy
from pydantic import Field

from button.errors import NoUsableAnswer
from button.work import Work
from experiments.metrics.metric import Finding, Score, dropped, finding, mean, scored
from modules.rubric import Opinion, Rubric
from modules.sense import EVEN, Sense
from signatures.records import Drop, Outcome, Record
from signatures.sense import MakesSense

JUDGE = "judge"
SENSIBLE = "sensible"  # the one criterion that a small judge answers
ANSWERED = "judge_answered"
Share = Annotated[float, Field(ge=0, le=1)]


class JudgedMetric:
    """Scores a step's outcome: the mean of the checks by code and the mean of the judge's criteria, weighted.

    `judge_weight` is the share of the judge in the value; with 0 no model is asked. A drop scores 0; of several
    records the mean counts. A judge without a usable answer has met no criterion, as it lets nothing pass in a run.
    `labels` names the part of the hand-labelled set that is about the same records; "" where there is none.

    A small judge fills in a rubric at random, but knows sense from nonsense: where `in_one_word` gives the inputs of
    `word`, it is asked that, and means yes from the floor of its engine on.
    """

    name: str
    step: str
    labels: str = ""
    word: type[dspy.Signature] = MakesSense

    def __init__(self, signature: type[dspy.Signature] | None, *, judge_weight: float, demos: int, tries: int) -> None:
        self.rubric = Rubric(signature, demos=demos, tries=tries, max_tokens=500) if signature is not None else None
        self.judge_weight = judge_weight if signature is not None else 0.0
        self.sense = Sense(JUDGE, self.word)

    def checks(self, given: Record, record: Record) -> list[Finding]:
        """What code can tell of `record`, which the step made of `given`."""
        raise NotImplementedError

    def question(self, record: Record) -> Mapping[str, str]:
        """What the judge is shown: the inputs of the rubric's signature."""
        raise NotImplementedError

    def shown(self, record: Record) -> str:
        """The texts that are scored, for the feedback."""
        raise NotImplementedError

    def in_one_word(self, record: Record) -> Mapping[str, str] | None:
        """What a small judge is shown: the inputs of `word`; None where it fills in the rubric too."""
        return None

    async def score(self, given: Record, outcome: Outcome, work: Work) -> Score:
        """See `Metric.score`."""
        if isinstance(outcome, Drop):
            return dropped(_text_of(given), outcome)
        if not outcome:
            return dropped(_text_of(given), Drop(reason="nothing_given"))
        return _averaged([await self._one(given, record, work) for record in outcome])

    async def opinion(self, record: Record, work: Work) -> Opinion:
        """What the judge says. Raises NoUsableAnswer where it says nothing usable."""
        assert self.rubric is not None, f"the metric {self.name} asks no judge"
        inputs = self.in_one_word(record)
        if inputs is None or not work.is_small(JUDGE):
            return await self.rubric.aforward(work, self.question(record))
        chance, floor = await self.sense.aforward(work, **inputs), self.sense.floor(work) or EVEN
        analysis = f"the judge says yes with a probability of {chance:.3f}; wanted is {floor:.2f} at least"
        return Opinion(analysis, {SENSIBLE: chance >= floor})

    async def _one(self, given: Record, record: Record, work: Work) -> Score:
        judged = await self._judged(record, work) if self.judge_weight else []
        return scored(self.shown(record), self.checks(given, record), judged, self.judge_weight)

    async def _judged(self, record: Record, work: Work) -> list[Finding]:
        assert self.rubric is not None
        meanings = {**self.rubric.meanings(), SENSIBLE: "what is asked for makes sense"}
        try:
            opinion = await self.opinion(record, work)
        except NoUsableAnswer as error:
            return [finding(ANSWERED, [f"the judge gave no usable answer ({error.reason})"])]
        said = iter([f" The judge says: {opinion.analysis}"])  # once, beside the first fault
        return [
            finding(name, [] if met else [f"wanted is: {meanings[name]}.{next(said, '')}"])
            for name, met in opinion.criteria.items()
        ]


def _averaged(scores: Sequence[Score]) -> Score:
    """One score of several records: means, and all feedback."""
    if len(scores) == 1:
        return scores[0]
    names = dict.fromkeys(name for score in scores for name in score.parts)
    parts = {
        name: mean([Finding(name, score.parts[name]) for score in scores if name in score.parts]) for name in names
    }
    value = sum(score.value for score in scores) / len(scores)
    return Score(value, "\n\n".join(score.feedback for score in scores), parts)


def _text_of(record: Record) -> str:
    """What a record says in its own words, for the feedback on a drop."""
    if isinstance(composition := getattr(record, "composition", None), Record):
        record = composition
    return f"Given: {getattr(record, 'task', None) or getattr(record, 'text', record.kind)}"
