"""The trajectory gate: the step that lets a trajectory become an example, with its evidence, or says why not."""

from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field, validate_call

from button.checks import reasons
from button.checks.answers import invented_parts, unreported_results
from button.checks.calls import normalised_call
from button.checks.measures import measure
from button.checks.plan import plan_faults
from button.checks.provenance import trace_arguments
from button.checks.reading import leaves
from button.checks.reasons import Fault
from button.checks.transcript import transcript_faults
from button.checks.validators import shown
from button.checks.vocabulary import content_words, tokens
from button.errors import UserError
from signatures.records import (
    ArgumentSource,
    AssistantTurn,
    Drop,
    Example,
    Measures,
    Split,
    Trajectory,
    content_hash,
)

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
_SHOWN_PROBLEMS = 3


class TrajectoryGate:
    """Checks a trajectory (order, calls, results, plan, provenance, answer), measures it, and assigns its split.

    `min_grounded_share` is the least share of argument values that come from somewhere; `min_calls`, `min_rounds`
    and `max_rounds` bound its length; `test_share` and `validation_share` of the scenarios go to these splits;
    `require_plan_coverage` asks that each sub-task with functions is served, and that one which depends on others uses
    a result; `allow_repeats` lets the same call stand in two rounds.
    """

    takes: ClassVar[type[Trajectory]] = Trajectory
    gives: ClassVar[type[Example]] = Example

    @validate_call
    def __init__(
        self,
        *,
        min_grounded_share: Share = 1.0,
        min_calls: Count = 1,
        min_rounds: Count = 1,
        max_rounds: Count = 12,
        test_share: Share = 0.1,
        validation_share: Share = 0.05,
        require_plan_coverage: bool = True,
        allow_repeats: bool = False,
    ) -> None:
        self.min_grounded_share = min_grounded_share
        self.min_calls = min_calls
        self.min_rounds = min_rounds
        self.max_rounds = max_rounds
        check_shares(test_share, validation_share)
        self.test_share = test_share
        self.validation_share = validation_share
        self.require_plan_coverage = require_plan_coverage
        self.allow_repeats = allow_repeats

    async def aforward(self, record: Trajectory, work: object) -> tuple[Example, ...] | Drop:
        """The example made of `record`, or the drop with the first reason and its first problems."""
        sources = trace_arguments(record.turns, record.problem.functions)
        measures = measure(record.turns, sources)
        if faults := self.faults(record, sources, measures):
            reason = faults[0].reason
            problems = [fault.detail for fault in faults if fault.reason == reason]
            more = f" (and {len(problems) - _SHOWN_PROBLEMS} more)" if len(problems) > _SHOWN_PROBLEMS else ""
            return Drop(reason=reason, detail="; ".join(problems[:_SHOWN_PROBLEMS]) + more)
        split = split_of(record.problem.composition.scenario, self.test_share, self.validation_share)
        return (Example.derive(record, trajectory=record, split=split, measures=measures, sources=sources),)

    def faults(self, record: Trajectory, sources: tuple[ArgumentSource, ...], measures: Measures) -> list[Fault]:
        """What is wrong with `record`: the faults of the first group of checks that finds any."""
        turns, functions = record.turns, record.problem.functions
        if found := transcript_faults(turns, functions, parallel=record.parallel):
            return found
        if found := [*self._length_faults(measures), *self._repeat_faults(record)]:
            return found
        if self.require_plan_coverage and (found := list(plan_faults(record, sources))):
            return found
        if measures.grounded_share < self.min_grounded_share:
            return list(_ungrounded(record, sources))
        final = turns[-1].final if isinstance(turns[-1], AssistantTurn) else None
        invented = [Fault(reasons.INVENTED_ANSWER, problem) for problem in invented_parts(turns, final or "")]
        return invented or [Fault(reasons.EMPTY_ANSWER, problem) for problem in unreported_results(turns, final or "")]

    def _length_faults(self, measures: Measures) -> Iterator[Fault]:
        calls, rounds = measures.calls, measures.rounds
        if calls < self.min_calls:
            reason = reasons.TOO_FEW_CALLS if calls else reasons.NO_CALLS
            yield Fault(reason, f"the trajectory makes {calls} call(s); at least {self.min_calls} are asked for")
        elif rounds < self.min_rounds:
            yield Fault(
                reasons.TOO_FEW_ROUNDS,
                f"the trajectory has {rounds} round(s); at least {self.min_rounds} are asked for",
            )
        elif rounds > self.max_rounds:
            yield Fault(
                reasons.TOO_MANY_ROUNDS, f"the trajectory has {rounds} rounds; at most {self.max_rounds} are allowed"
            )

    def _repeat_faults(self, record: Trajectory) -> Iterator[Fault]:
        if self.allow_repeats:
            return
        by_name = {function.name: function for function in record.problem.functions}
        seen: dict[str, int] = {}
        for index, turn in enumerate(record.turns):
            for call in turn.calls if isinstance(turn, AssistantTurn) else ():
                form = normalised_call(call, by_name[call.name])
                if form in seen:
                    yield Fault(
                        reasons.REPEATED_CALL, f"turn {index} makes the call of turn {seen[form]} again: {shown(form)}"
                    )
                seen.setdefault(form, index)


def split_of(scenario: str, test_share: float, validation_share: float = 0.0) -> Split:
    """The split of everything made from `scenario`, by a hash of the stems of its words that say something.

    So near twins ("booking a flight", "book flights") stay on one side, in every run; and a scenario that is tested on
    stays so whatever the share for validation.
    """
    words = sorted(content_words(scenario)) or tokens(scenario)
    position = int(content_hash("split", *words), 16) / 16**16
    if position < test_share:
        return "test"
    return "validation" if position < test_share + validation_share else "train"


def check_shares(test_share: float, validation_share: float) -> None:
    """Raises UserError where nothing would be left to train on."""
    if test_share + validation_share > 1:
        raise UserError(
            f"test_share={test_share} and validation_share={validation_share} are more than 1 together; expected shares"
            " of the scenarios, such as 0.1 and 0.05"
        )


def _ungrounded(record: Trajectory, sources: tuple[ArgumentSource, ...]) -> Iterator[Fault]:
    for source in sources:
        turn = record.turns[source.turn]
        if source.origin == "ungrounded" and isinstance(turn, AssistantTurn):
            call = turn.calls[source.call]
            value = dict(leaves(call.arguments)).get(source.path)
            yield Fault(
                reasons.UNGROUNDED_ARGUMENT,
                f"turn {source.turn}, call {source.call}: argument '{source.path}' of '{call.name}' is {shown(value)}, "
                f"which neither the person, an earlier result nor the schema gives",
            )
