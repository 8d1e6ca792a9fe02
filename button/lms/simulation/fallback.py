"""Answers to what is none of BUTTON's own questions: a simple instance of the schema asked for, or a short text."""

import random
import re
from typing import Any

from signatures.records import JsonObject

_WORDS = (
    "the request is clear",
    "everything is in order",
    "this fits the purpose",
    "no further step is needed",
    "the details agree",
)
_BLOCK = re.compile(r"```[a-z]*\n(.*?)```", re.DOTALL)
MAX_DEPTH = 6


def instance_of(
    schema: JsonObject, rng: random.Random, name: str = "", root: JsonObject | None = None, depth: int = 0
) -> Any:
    """A value that fits a schema, as far as types, enumerations, bounds and references go (no patterns)."""
    root = root if root is not None else schema
    if "$ref" in schema:
        target: Any = root
        for key in str(schema["$ref"]).removeprefix("#/").split("/"):
            target = target.get(key, {})
        return instance_of(target, rng, name, root, depth + 1) if depth < MAX_DEPTH else {}
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return rng.choice(schema["enum"])
    for choice in ("anyOf", "oneOf", "allOf"):
        if schema.get(choice):
            return instance_of(schema[choice][0], rng, name, root, depth + 1)
    json_type = schema.get("type")
    return _of_type(json_type[0] if isinstance(json_type, list) else json_type, schema, rng, name, root, depth)


def _of_type(
    json_type: str | None, schema: JsonObject, rng: random.Random, name: str, root: JsonObject, depth: int
) -> Any:
    match json_type:
        case "object":
            fields = schema.get("properties") or {}
            required = schema.get("required", list(fields))
            return {field: instance_of(fields.get(field, {}), rng, field, root, depth + 1) for field in required}
        case "array":
            count = max(int(schema.get("minItems", 1)), 1) if depth < MAX_DEPTH else int(schema.get("minItems", 0))
            return [
                instance_of(schema.get("items") or {"type": "string"}, rng, name, root, depth + 1) for _ in range(count)
            ]
        case "integer" | "number":
            low = float(
                schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1 if "exclusiveMinimum" in schema else 1)
            )
            high = float(schema.get("maximum", low + 9))
            return (
                rng.randint(int(low), max(int(high), int(low)))
                if json_type == "integer"
                else round(rng.uniform(low, high), 2)
            )
        case "boolean":
            return rng.random() < 0.5
        case "null":
            return None
        case _:
            subject = f"{name.replace('_', ' ')}: " if name else ""
            return f"{subject}{rng.choice(_WORDS)}"[: schema.get("maxLength", 200)]


def plain_answer(text: str, rng: random.Random) -> str:
    """An answer without a schema. Who asks for a better instruction in a code block gets the old one back, firmer."""
    blocks = _BLOCK.findall(text)
    if blocks and "instruction" in text.lower():
        return f"```\n{blocks[0].strip()}\nBe exact: keep every name, number and date as given.\n```"
    return f"{rng.choice(_WORDS).capitalize()}."
