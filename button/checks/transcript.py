"""Whether a transcript is one: user -> assistant -> (tool -> assistant)*, each call fitting and answered."""

import re
from collections.abc import Iterator, Sequence

import orjson

from button.checks import reasons
from button.checks.calls import call_problems, normalised_call, result_problems
from button.checks.placeholders import placeholders_in
from button.checks.reasons import Fault
from button.checks.validators import shown
from button.checks.vocabulary import fold
from signatures.records import AssistantTurn, Call, Function, ToolTurn, Turn, UserTurn, canonical_json

# The marks of chat templates, of the published format and of prompt rendering: inside a text they break the export.
_MARKUP = re.compile(
    r"</?(?:call|final|tool|think|thought|tool_call|tool_response|function_call|observation)s?>|\[\[ ?##|"
    r"<\|[^|>\n]*\|>|\[/?INST\]|^```|^(?:User|Assistant|Observation|Thought): ?",
    re.MULTILINE,
)
# Fine in running text, though not in a task or a value.
_SOFT_BLANKS = frozenset(("...", "\u2026", "e.g.", "E.g.", "TBD", "TBA"))
_CUT_OFF = re.compile(r"(?:[,;:(\[{]|\b(?:and|or|the|a|an|to|of))$")
_GIVING_UP = re.compile(
    r"\bas an ai\b|\bi(?:'m| am) (?:sorry,? but i|unable|not able)\b|"
    r"\bi (?:cannot|can't|am unable to|could not|couldn't) "
    r"(?:help|assist|access|complete|provide|perform|book|process|proceed|fulfil|do|send|make|answer)\b|"
    r"\b(?:please|could you|can you)(?: please)? (?:provide|specify|clarify|share|tell me)(?: me)?(?: with)? "
    r"(?:your|the|more|which|what)\b|"
    r"\bi (?:need|require) (?:more|further|additional|some) (?:information|details)\b"
)


def transcript_problems(turns: Sequence[Turn], functions: Sequence[Function], *, parallel: bool) -> list[str]:
    """What is wrong with a transcript, each with its turn (counted from 0)."""
    return [fault.detail for fault in transcript_faults(turns, functions, parallel=parallel)]


def transcript_faults(turns: Sequence[Turn], functions: Sequence[Function], *, parallel: bool) -> list[Fault]:
    """`transcript_problems` with their reasons; where the order is broken that alone, since the rest cannot be read."""
    if broken := list(_order_faults(turns)):
        return broken
    by_name = {function.name: function for function in functions}
    faults = list(_text_faults(turns))
    answers: dict[str, str] = {}
    for index, turn in enumerate(turns):
        if isinstance(turn, AssistantTurn):
            faults.extend(_call_faults(index, turn, functions, parallel=parallel))
        elif isinstance(turn, ToolTurn):
            faults.extend(_result_faults(index, turn, by_name, answers))
    return faults


def _order_faults(turns: Sequence[Turn]) -> Iterator[Fault]:
    expected: tuple[str, ...] = ("user",)
    calls: tuple[Call, ...] = ()
    for index, turn in enumerate(turns):
        if turn.role not in expected:
            wanted = " or ".join(expected) or "the end"
            yield Fault(reasons.BAD_ORDER, f"turn {index} is of the {turn.role}; expected was {wanted}")
            return
        if isinstance(turn, UserTurn):
            expected = ("assistant",)
        elif isinstance(turn, ToolTurn):
            yield from _echo_faults(index, turn, calls)
            expected = ("assistant",)
        else:
            calls = turn.calls
            if bool(calls) == (turn.final is not None):
                state = "calls and a final answer" if calls else "neither a call nor a final answer"
                yield Fault(
                    reasons.BAD_ORDER, f"turn {index} has {state}; an assistant's turn has exactly one of the two"
                )
                return
            expected = ("tool",) if calls else ()
    if expected:
        end = f"a turn of the {turns[-1].role}" if turns else "nothing"
        yield Fault(reasons.BAD_ORDER, f"the transcript ends with {end}; it must end with a final answer")


def _echo_faults(index: int, turn: ToolTurn, calls: tuple[Call, ...]) -> Iterator[Fault]:
    asked = [(call.name, canonical_json(call.arguments)) for call in calls]
    answered = [(result.name, canonical_json(result.arguments)) for result in turn.results]
    if asked != answered:
        names = ", ".join(name for name, _ in asked)
        got = ", ".join(name for name, _ in answered) or "nothing"
        yield Fault(
            reasons.BAD_ORDER,
            f"turn {index} answers {got}; it must answer the calls of turn {index - 1} in their order, with their "
            f"arguments: {names}",
        )


def _text_faults(turns: Sequence[Turn]) -> Iterator[Fault]:
    for index, turn in enumerate(turns):
        if isinstance(turn, ToolTurn):
            continue
        what, text = ("message", turn.content) if isinstance(turn, UserTurn) else ("thought", turn.thought)
        if not text.strip():
            yield Fault(reasons.BAD_TEXT, f"turn {index}: the {what} is empty")
        elif match := _MARKUP.search(text):
            yield Fault(reasons.BAD_TEXT, f"turn {index}: the {what} holds the mark {match[0]!r}; write plain words")
        elif isinstance(turn, UserTurn) and (blanks := _blanks(text)):
            yield Fault(reasons.BAD_TEXT, f"turn {index}: the message holds the placeholder {blanks[0]!r}")
        if isinstance(turn, AssistantTurn) and turn.final is not None:
            for problem in final_problems(turn.final):
                yield Fault(reasons.BAD_FINAL, f"turn {index}: {problem}")


def final_problems(final: str) -> list[str]:
    """What is wrong with a final answer as a text: empty, markup, blanks, raw JSON, cut off, or giving up."""
    text = final.strip()
    if not any(c.isalnum() for c in text):
        return [f"the final answer is {final!r}; answer the person in words"]
    problems = []
    if match := _MARKUP.search(text):
        problems.append(f"the final answer holds the mark {match[0]!r}; write plain words")
    if blanks := _blanks(text):
        problems.append(f"the final answer holds the placeholder {blanks[0]!r}; report the value itself")
    if text[0] in "{[" and _is_json(text):
        problems.append("the final answer is raw JSON; say it in words")
    if _CUT_OFF.search(text):
        problems.append(f"the final answer breaks off at {text[-20:]!r}")
    if match := _GIVING_UP.search(fold(text)):
        problems.append(f"the final answer gives up or asks back ({match[0]!r}); report what the functions returned")
    return problems


def _blanks(text: str) -> list[str]:
    return [blank for blank in placeholders_in(text) if blank not in _SOFT_BLANKS]


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _call_faults(index: int, turn: AssistantTurn, functions: Sequence[Function], *, parallel: bool) -> Iterator[Fault]:
    by_name = {function.name: function for function in functions}
    if len(turn.calls) > 1 and not parallel:
        names = ", ".join(call.name for call in turn.calls)
        yield Fault(
            reasons.PARALLEL_IN_SERIAL,
            f"turn {index} makes {len(turn.calls)} calls ({names}); one at a time was the rule",
        )
    seen: set[str] = set()
    for number, call in enumerate(turn.calls):
        for problem in call_problems(call, functions):
            yield Fault(reasons.BAD_CALL, f"turn {index}, call {number}: {problem}")
        if call.name in by_name:
            form = normalised_call(call, by_name[call.name])
            if form in seen:
                yield Fault(
                    reasons.REPEATED_CALL,
                    f"turn {index}, call {number}: the call {shown(form)} stands twice in one turn",
                )
            seen.add(form)


def _result_faults(
    index: int, turn: ToolTurn, by_name: dict[str, Function], answers: dict[str, str]
) -> Iterator[Fault]:
    """The faults of one tool turn; `answers` remembers what each call got so far."""
    for number, result in enumerate(turn.results):
        function = by_name.get(result.name)
        if function is None:
            continue  # its call is already a fault
        for problem in result_problems(result.results, function):
            yield Fault(reasons.BAD_RESULT, f"turn {index}, result {number}: {problem}")
        form = normalised_call(Call(name=result.name, arguments=result.arguments), function)
        answer = canonical_json(result.results)
        if answers.setdefault(form, answer) != answer:
            yield Fault(
                reasons.INCONSISTENT_ANSWER,
                f"turn {index}, result {number}: the call {shown(form)} was answered {shown(answers[form])} before "
                f"and {shown(answer)} now",
            )
