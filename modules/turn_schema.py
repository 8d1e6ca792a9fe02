"""The shape of an assistant's turn, as a JSON Schema for constrained decoding."""

import random
from collections.abc import Mapping, Sequence

from button.checks.functions import parameters_schema
from button.checks.reading import leaves
from button.lms.schema import object_schema
from modules.details import PARAMETER_NAMES, details_in
from modules.shapes import is_open_text
from signatures.records import Function, JsonObject, ToolTurn, Turn, UserTurn

_SAID = r"[ -!#-\-/-\[\]-~]"  # ASCII but for quotes, backslashes and the full stop: one sentence
_SPOKEN = r"[ -!#-\[\]-~]"  # with the full stop: several
LONGEST_THOUGHT, LONGEST_ANSWER = 240, 400  # characters of a small model's; a longer one is cut there
_ANSWER = {"type": "string", "pattern": rf"^[A-Z]{_SPOKEN}{{20,{LONGEST_ANSWER}}}\.$"}
# The last thoughts of a small model, which would else say its answer twice.
CLOSINGS = (
    "All functions have been called, so I can report the results.",
    "Everything that was asked for is done; I can give the final answer.",
    "The last call went through, so nothing is left to do but to report.",
    "With this result the request is complete, and I can tell what was found and done.",
    "No sub-task is left, so it is time for the final answer.",
    "All the steps of the plan are done; I sum up the results.",
    "I have what I need, and the last step is confirmed, so I can answer.",
    "That was the last step, and it worked; here is what came out.",
)


def spoken_shapes(turns: Sequence[Turn], left: Sequence[str], rng: random.Random) -> dict[str, JsonObject]:
    """The shapes of a small model's thought and answer, by field.

    The thought, which would else repeat the request or the answer: a plan, a finding, one of `CLOSINGS`.
    """
    if len(turns) == 1:
        thought = rf"^To {_SAID}{{20,{LONGEST_THOUGHT}}}\.$"
    elif left:
        thought = rf"^The {_SAID}{{10,{LONGEST_THOUGHT}}}\.$"
    else:
        return {"thought": {"type": "string", "enum": [rng.choice(CLOSINGS)]}, "final_answer": _ANSWER}
    return {"thought": {"type": "string", "pattern": thought}}


def known_values(turns: Sequence[Turn]) -> dict[str, list[str]]:
    """What an argument can be copied from, by its name: a detail of that kind the person said, a result so named."""
    known: dict[str, list[str]] = {}
    for turn in turns:
        if isinstance(turn, UserTurn):
            for detail in details_in(turn.content):
                for name in PARAMETER_NAMES[detail.kind]:
                    known.setdefault(name, []).append(detail.value)
        elif isinstance(turn, ToolTurn):
            for result in turn.results:
                for path, leaf in leaves(result.results):
                    if isinstance(leaf, str):
                        known.setdefault(path, []).append(leaf)
    return known


def turn_schema(
    offered: Sequence[Function],
    *,
    most: int,
    least: int,
    shapes: Mapping[str, JsonObject] | None = None,
    known: Mapping[str, Sequence[str]] | None = None,
) -> JsonObject:
    """The output schema of one turn, narrowed to `least` to `most` calls of the offered functions with their schemas.

    Without a call to make (`least` 0) there may be a final answer. `shapes` narrow fields; a text argument whose
    name is in `known` is one of its values.
    """
    call_schemas = [call_schema(function, known or {}) for function in offered]
    calls: JsonObject = {"type": "array", "items": {"anyOf": call_schemas}} if offered else {"type": "array"}
    calls["maxItems"] = most if offered else 0
    fields: JsonObject = {"thought": {"type": "string"}, "calls": calls, "final_answer": {"type": "string"}}
    fields.update(shapes or {})
    if least:
        calls["minItems"] = least
        fields["final_answer"] = {"type": "string", "enum": [""]}
    if least == len(offered) > 1:
        calls["prefixItems"] = call_schemas
    if not offered:
        calls["items"] = {"type": "object", "properties": {}, "additionalProperties": False}
    return object_schema(fields)


def call_schema(function: Function, known: Mapping[str, Sequence[str]]) -> JsonObject:
    """The schema of a call of one function; a text argument whose name is in `known` is one of its values."""
    arguments = parameters_schema(function)
    arguments["properties"] = {
        name: {**body, "enum": list(known[name])} if name in known and is_open_text(body) else body
        for name, body in arguments["properties"].items()
    }
    return object_schema({"name": {"type": "string", "enum": [function.name]}, "arguments": arguments})
