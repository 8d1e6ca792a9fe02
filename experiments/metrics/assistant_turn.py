"""The turns of an assistant: calls that fit, arguments that come from somewhere, the plan, no needless call."""

from collections.abc import Mapping, Sequence

from pydantic import validate_call

from button.checks.answers import answer_problems
from button.checks.calls import call_problems, normalised_call
from button.checks.measures import measure
from button.checks.oddities import odd_arguments, sentences_said_twice
from button.checks.plan import plan_faults
from button.checks.provenance import trace_arguments
from button.checks.reading import as_text, leaves, read
from button.checks.transcript import final_problems
from experiments.metrics.judged import JudgedMetric
from experiments.metrics.metric import Finding, finding
from modules.judge_trajectory import transcript
from signatures.records import ArgumentSource, AssistantTurn, Call, Record, ToolTurn, Trajectory


class AssistantTurnMetric(JudgedMetric):
    """Scores the assistant's turns in what step simulate gives, by code alone."""

    name = "assistant_turn"
    step = "simulate"

    @validate_call
    def __init__(self) -> None:
        super().__init__(None, judge_weight=0.0, demos=0, tries=1)

    def checks(self, given: Record, record: Record) -> list[Finding]:
        assert isinstance(record, Trajectory)
        return turn_findings(record)

    def question(self, record: Record) -> Mapping[str, str]:
        raise NotImplementedError("this metric asks no judge")

    def shown(self, record: Record) -> str:
        assert isinstance(record, Trajectory)
        return transcript(record.turns)


def turn_findings(record: Trajectory) -> list[Finding]:
    """What code can tell of the assistant's turns."""
    functions = {function.name: function for function in record.problem.functions}
    calls = [call for turn in record.turns if isinstance(turn, AssistantTurn) for call in turn.calls]
    sources = trace_arguments(record.turns, record.problem.functions)
    misfits = [problem for call in calls for problem in call_problems(call, record.problem.functions)[:1]]
    odd = [one for call in calls if call.name in functions for one in odd_arguments(call, functions[call.name])[:1]]
    needless = needless_calls(record, sources)
    unfollowed = [fault.detail for fault in plan_faults(record, sources)]
    served = max(sum(bool(names) for names in record.problem.uses), 1)
    count = max(len(calls), 1)
    return [
        finding(
            "valid_calls", misfits if calls else ["no function is called"], _share(misfits, count) if calls else 0.0
        ),
        finding("provenance", _ungrounded(record, sources), measure(record.turns, sources).grounded_share),
        finding("plain_arguments", odd, _share(odd, count)),
        finding("follows_plan", unfollowed, _share(unfollowed, served)),
        finding("no_needless_call", needless, _share(needless, count)),
        _thoughts(record),
        finding("complete_answer", _answer_faults(record)),
    ]


def needless_calls(record: Trajectory, sources: Sequence[ArgumentSource]) -> list[str]:
    """Calls made twice, of functions that no sub-task uses, and more of one function than the plan asks for.

    Of the last kind those whose results nobody uses, in a later argument or in the final answer.
    """
    planned = [name for names in record.problem.uses for name in names]
    functions = {function.name: function for function in record.problem.functions}
    places = [
        (turn, number, call)
        for turn, spoken in enumerate(record.turns)
        if isinstance(spoken, AssistantTurn)
        for number, call in enumerate(spoken.calls)
    ]
    seen: set[str] = set()
    problems = []
    for turn, number, call in places:
        form = normalised_call(call, functions[call.name]) if call.name in functions else call.name
        surplus = sum(other.name == call.name for _, _, other in places) > planned.count(call.name)
        if form in seen:
            problems.append(f"turn {turn} calls '{call.name}' again with the same arguments; use its first result")
        elif call.name not in planned:
            problems.append(f"turn {turn} calls '{call.name}', which no sub-task needs")
        elif surplus and not _is_used(record, sources, turn, number):
            problems.append(f"turn {turn} calls '{call.name}' with {_said(call)}, and nothing uses what it returns")
        seen.add(form)
    return problems


def _is_used(record: Trajectory, sources: Sequence[ArgumentSource], turn: int, number: int) -> bool:
    """Whether the result of a call feeds a later argument, or the final answer says a value of it."""
    if any(source.source_turn == turn + 1 and source.source_call == number for source in sources):
        return True
    answered = record.turns[turn + 1] if turn + 1 < len(record.turns) else None
    last = record.turns[-1]
    if not isinstance(answered, ToolTurn) or not isinstance(last, AssistantTurn) or number >= len(answered.results):
        return False
    told = read(last.final or "")
    return any(told.says_phrase(as_text(value)) for _, value in leaves(answered.results[number].results))


def _ungrounded(record: Trajectory, sources: Sequence[ArgumentSource]) -> list[str]:
    problems = []
    for source in sources:
        turn = record.turns[source.turn]
        if source.origin == "ungrounded" and isinstance(turn, AssistantTurn):
            call = turn.calls[source.call]
            problems.append(
                f"turn {source.turn}: '{source.path}' of '{call.name}' comes neither from the person nor from a result;"
                " copy it from there, or leave an optional argument out"
            )
    return problems


def _thoughts(record: Trajectory) -> Finding:
    """The share of thoughts that say something of their own, rather than nothing, an earlier thought or the answer."""
    turns = [turn for turn in record.turns if isinstance(turn, AssistantTurn)]
    said: set[str] = {" ".join(turn.final.split()) for turn in turns if turn.final}
    problems = []
    for turn in turns:
        thought = " ".join(turn.thought.split())
        if not thought or thought in said:
            problems.append(f"the thought {thought!r} only repeats; say what the results mean and what comes next")
        said.add(thought)
    return finding("fresh_thoughts", problems, _share(problems, max(len(turns), 1)))


def _answer_faults(record: Trajectory) -> list[str]:
    last = record.turns[-1]
    if not isinstance(last, AssistantTurn) or last.final is None:
        return ["there is no final answer"]
    twice = [f"the final answer says {said!r} twice; say it once" for said in sentences_said_twice(last.final)]
    return [*final_problems(last.final), *answer_problems(record.turns), *twice]


def _share(problems: Sequence[object], count: int) -> float:
    return max(0.0, 1 - len(problems) / count)


def _said(call: Call) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in call.arguments.items())
