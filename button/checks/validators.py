"""JSON-Schema validation: compiled once a schema, and its errors in our words."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

JSON_TYPES = ("string", "integer", "number", "boolean", "array", "object")
_SHOWN = 60


def validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """The compiled validator of `schema`, which may not refer to anything outside itself.

    The key costs 1 us and a compilation 15 us, and a trajectory asks for the same schema some ten times. Raises
    jsonschema_rs.ValidationError where `schema` is no valid JSON Schema.
    """
    try:
        key = orjson.dumps(schema)
    except TypeError:  # a whole number beyond 64 bits, or half a surrogate pair
        return jsonschema_rs.Draft202012Validator(schema, offline=True)
    return _compiled(key)


@lru_cache(maxsize=2048)
def _compiled(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    # offline: models write these schemas, and a "$ref" to a file or a server must not be followed.
    return jsonschema_rs.Draft202012Validator(orjson.loads(schema), offline=True)


def misfits(schema: dict[str, Any], value: Any, *, what: str) -> Iterator[str]:
    """How `value` misfits `schema`, one sentence a fault; `what` is what a field is called ("argument")."""
    if fault := _unwritable(value):
        yield f"a {what} {fault}"
        return
    for error in validator(schema).iter_errors(value):
        kind = error.kind.as_dict()
        where = _path(error.instance_path)
        match error.kind.name:
            case "required":
                within = f" of '{where}'" if where else ""
                yield f"{what} '{kind['property']}'{within} is missing, it is required"
            case "additionalProperties":
                known = ", ".join(f"'{name}'" for name in _properties(schema, error.instance_path)) or "none"
                for name in kind["unexpected"]:
                    yield f"{what} '{where + '.' if where else ''}{name}' is not defined, the schema knows {known}"
            case "type":
                wanted = " or ".join(_article(name) for name in kind["types"])
                value = error.instance
                yield f"{what} '{where}' is {shown(value)} ({type_name(value)}), its schema wants {wanted}"
            case "enum":
                allowed = ", ".join(shown(option) for option in kind["options"][:12])
                yield f"{what} '{where}' is {shown(error.instance)}, its schema allows only {allowed}"
            case _:
                yield f"{what} '{where}' is {shown(error.instance)}, which its schema refuses: {error.message}"


def _unwritable(value: Any) -> str:
    """What keeps a value from being written as JSON: whole numbers beyond 64 bits, half a surrogate pair."""
    try:
        orjson.dumps(value)
    except TypeError as error:
        return f"cannot be written as JSON ({error}): {shown(value)}"
    return ""


def shown(value: Any) -> str:
    """A JSON value as it is shown in a message, cut to sixty characters."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def type_name(value: Any) -> str:
    """The JSON type of a value."""
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case None:
            return "null"
        case dict():
            return "object"
        case _:
            return "array"


def _article(name: str) -> str:
    return f"an {name}" if name[0] in "aio" else f"a {name}"


def _path(parts: list[str | int]) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _properties(schema: dict[str, Any], path: list[str | int]) -> list[str]:
    for part in path:
        inner = schema.get("items", {}) if isinstance(part, int) else schema.get("properties", {}).get(part, {})
        schema = inner if isinstance(inner, dict) else {}
    return list(schema.get("properties", {}))
