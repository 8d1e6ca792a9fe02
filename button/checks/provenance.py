"""Argument provenance: where each argument value of each call comes from."""

import re
from collections.abc import Iterator, Sequence

from button.checks.grounds import FROM_SCHEMA, NOWHERE, Found, Grounds, topic_words
from button.checks.reading import Scalar, leaves
from button.checks.tracing import Parameter, trace_number, trace_text, trace_truth
from signatures.records import ArgumentSource, AssistantTurn, Call, Function, JsonObject, ToolTurn, Turn, UserTurn

_INDEX = re.compile(r"\[\d+\]")


def trace_arguments(turns: Sequence[Turn], functions: Sequence[Function]) -> tuple[ArgumentSource, ...]:
    """One entry for each scalar value in the arguments of each call, in order.

    The origin is the first that applies: "user" where the user's message says the value (numbers in words or
    digits, dates and times in any notation), "result" where an earlier result holds it or it is computed from one,
    "schema" where it is the default or an allowed value of the parameter, else "ungrounded". A value put together
    from pieces that are all known is "result" where some of them come from results only, else "user". Of several
    results the earliest that holds exactly this value counts, where it first became known; `source_turn` is the tool
    turn, `source_call` the result in it.
    """
    by_name = {function.name: function for function in functions}
    grounds = Grounds(topic=topic_words(functions))
    sources: list[ArgumentSource] = []
    for index, turn in enumerate(turns):
        if isinstance(turn, UserTurn):
            grounds.hear(turn.content)
        elif isinstance(turn, ToolTurn):
            for number, result in enumerate(turn.results):
                grounds.learn(index, number, result.results)
        else:
            sources.extend(_trace_turn(index, turn, by_name, grounds))
    return tuple(sources)


def _trace_turn(
    index: int, turn: AssistantTurn, by_name: dict[str, Function], grounds: Grounds
) -> Iterator[ArgumentSource]:
    for number, call in enumerate(turn.calls):
        for path, found in _trace_call(call, by_name.get(call.name), grounds):
            yield ArgumentSource(
                turn=index, call=number, path=path, origin=found.origin, source_turn=found.turn, source_call=found.call
            )


def _trace_call(call: Call, function: Function | None, grounds: Grounds) -> Iterator[tuple[str, Found]]:
    bodies = function.parameters if function else {}
    for path, leaf in leaves(call.arguments):
        names = _INDEX.sub("", path).split(".")
        parameter = Parameter(
            # A nested value is known by the outer name too: `guest.name`, `items[0].quantity`.
            name=" ".join(dict.fromkeys((names[0], names[-1]))),
            body=_body_at({"properties": bodies}, path),
            function=call.name,
        )
        yield path, trace_value(leaf, parameter, grounds)


def trace_value(value: Scalar, parameter: Parameter, grounds: Grounds) -> Found:
    """Where one scalar value of `parameter` comes from."""
    if value is None:
        return FROM_SCHEMA if "null" in str(parameter.body.get("type")) else NOWHERE
    if isinstance(value, bool):
        return trace_truth(value, parameter, grounds)
    if isinstance(value, str):
        return trace_text(value, parameter, grounds)
    return trace_number(float(value), parameter, grounds)


def _body_at(body: JsonObject, path: str) -> JsonObject:
    """The schema of a nested value, as far as the definition gives one."""
    for part in path.replace("[", ".[").split("."):
        if not part:
            continue
        inner = body.get("items") if part.startswith("[") else (body.get("properties") or {}).get(part)
        body = inner if isinstance(inner, dict) else {}
    return body
