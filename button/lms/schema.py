"""JSON Schemas for constrained decoding, built from a signature's output fields.

DSPy's own builder closes nested open maps into empty objects (`dict[str, Any]` can then only be `{}`), so the schema
is built here: references inlined, declared objects closed with every property required, open maps left open.
"""

import functools
from typing import Any

import dspy
from pydantic import TypeAdapter

from signatures.records import JsonObject


@functools.lru_cache(maxsize=512)
def output_schema(signature: type[dspy.Signature]) -> JsonObject:
    """The schema of one JSON object that holds the signature's output fields, in order. Do not change it in place."""
    properties: JsonObject = {}
    for name, field in signature.output_fields.items():
        body = TypeAdapter(field.annotation).json_schema()
        properties[name] = closed(_inlined(body, body.get("$defs", {})))
    return object_schema(properties)


def object_schema(properties: JsonObject) -> JsonObject:
    """A closed object with all of `properties` required."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def is_closed(schema: Any) -> bool:
    """Whether strict decoding takes `schema`, as OpenAI's guide to structured outputs has it.

    Every object lists its properties, requires them all and allows no other; every value has a type.
    """
    if not isinstance(schema, dict) or not schema.keys() & {"type", "enum", "const", "anyOf"}:
        return False
    properties = schema.get("properties", {})
    inner = [*properties.values(), *schema.get("anyOf", ())]
    if schema.get("type") == "array":
        inner.append(schema.get("items"))
    if schema.get("type") == "object" and (
        "properties" not in schema
        or set(schema.get("required", ())) != properties.keys()
        or schema.get("additionalProperties") is not False
    ):
        return False
    return all(is_closed(value) for value in inner)


@functools.lru_cache(maxsize=512)
def output_format(signature: type[dspy.Signature]) -> JsonObject:
    """The `response_format` that asks for the signature's output fields. Do not change it in place."""
    return response_format(signature.__name__, output_schema(signature))  # type: ignore[arg-type]  # it is hashable


def response_format(name: str, schema: JsonObject) -> JsonObject:
    """The `response_format` of a canonical request (`dspy.lm15.Config`) that asks for `schema`."""
    return {"type": "json_schema", "name": name, "schema": schema, "strict": is_closed(schema)}


def closed(schema: Any) -> Any:
    """`schema` with declared objects closed and complete, and titles and defaults left out."""
    if isinstance(schema, list):
        return [closed(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key not in ("$defs", "default")}
    if isinstance(kept.get("title"), str):
        del kept["title"]
    properties = kept.get("properties")
    if not isinstance(properties, dict):
        return {key: value if key == "enum" else closed(value) for key, value in kept.items()}
    return {**kept, **object_schema({key: closed(value) for key, value in properties.items()})}


def _inlined(schema: Any, definitions: JsonObject) -> Any:
    if isinstance(schema, list):
        return [_inlined(value, definitions) for value in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
    return {key: _inlined(value, definitions) for key, value in schema.items()}
