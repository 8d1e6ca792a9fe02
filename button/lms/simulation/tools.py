"""Plays PlayTool: the same call always gets the same answer, with values of the kinds its function gives."""

import json
import random
from typing import Any

from button.lms.simulation.fallback import instance_of
from button.lms.simulation.fields import implied
from button.lms.simulation.kinds import Banks, draw
from button.lms.simulation.prompt import stable_hash
from button.lms.simulation.question import Question
from signatures.records import JsonObject, canonical_json


def play_tool(question: Question) -> JsonObject:
    """The fields of the definition's responses. The answer comes from the call and the engine's seed alone."""
    world, inputs = question.world, question.inputs
    definition, call = _object(inputs.get("function", "")), _object(inputs.get("call", ""))
    name, arguments = str(definition.get("name") or call.get("name")), call.get("arguments") or {}
    spec = world.functions.get(name)
    drawn = random.Random(stable_hash(question.seed, spec.name if spec else name, canonical_json(arguments)))
    banks: Banks = spec.banks if spec else next(iter(world.domains.values())).banks
    kinds = {field.name: field.kind for field in spec.gives} if spec else {}
    result: JsonObject = {}
    for field, body in (definition.get("responses") or {}).items():
        result[field] = _value(field, body, kinds.get(field), banks, drawn, arguments)
    return {"result": _flawed(result, question.rng, question.flaw)}


def _value(
    field: str, body: JsonObject, kind: str | None, banks: Banks, rng: random.Random, arguments: JsonObject
) -> Any:
    """A value of the field's kind; of a foreign field, what its name implies where that fits its type."""
    if kind is not None:
        return draw(kind, banks, rng, arguments)
    if field in arguments:
        return arguments[field]
    try:
        guessed = implied(field)
    except ValueError:
        return instance_of(body, rng, field)
    if guessed.json_type != body.get("type"):
        return instance_of(body, rng, field)
    return draw(guessed.kind, banks, rng, arguments)


def _flawed(result: JsonObject, rng: random.Random, flaw: str | None) -> JsonObject:
    if flaw != "bad_result" or not result:
        return result
    name = rng.choice(list(result))
    if rng.random() < 0.5:
        return {field: value for field, value in result.items() if field != name}
    return {**result, name: {"error": "unavailable"}}


def _object(text: str) -> JsonObject:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
