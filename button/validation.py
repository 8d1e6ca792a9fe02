"""Pydantic's complaints in a user's words: which key, which value, what is allowed."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from button.errors import UserError
from button.secrecy import is_secret_key, shown

KINDS = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "text",
    list: "list",
    dict: "mapping",
    type(None): "null",
}
# A union of scalars reports one complaint a member; the members' names are no part of the key.
_UNION_TAGS = (
    "int",
    "float",
    "str",
    "bool",
    "constrained-",
    "function-",
    "literal[",
    "list[",
    "dict[",
    "nullable",
    "tuple",
)


def refusal(error: ValidationError, where: str = "", model: type[BaseModel] | None = None) -> UserError:
    """The complaints as one message, a line each; `where` is the dotted key of the node that was validated.

    `model` lends its fields' descriptions.
    """
    lines: dict[str, str] = {}
    for found in error.errors(include_url=False):
        key = ".".join(part for part in (where, _dotted(found["loc"])) if part)
        line = _line(key, found, model)
        lines[key] = f"{lines[key]}, or {_allowed(found)}" if key in lines else line
    return UserError("\n".join(lines.values()))


def described(value: Any, key: str = "") -> str:
    """`7 (integer)`, cut to a readable length; the value of a secret key is not shown."""
    if is_secret_key(key):
        return "*** (hidden)"
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(shown(value))
    return f"{text if len(text) <= 80 else text[:77] + '...'} ({KINDS.get(type(value), type(value).__name__)})"


def _line(key: str, found: ErrorDetails, model: type[BaseModel] | None) -> str:
    kind = found["type"]
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        return f"{key}: no such key here{_known(found, model)}"
    if kind in {"missing", "missing_argument", "missing_keyword_only_argument"}:
        return f"{key} is required: give it as {key}=..."
    return f"{key}={described(found['input'], key)}: {_allowed(found)}{_meaning(found, model)}"


def _allowed(found: ErrorDetails) -> str:
    return found["msg"].removeprefix("Value error, ").replace("Input should", "should").rstrip(".")


def _dotted(loc: tuple[int | str, ...]) -> str:
    parts = [str(part) for part in loc]
    while len(parts) > 1 and parts[-1].startswith(_UNION_TAGS):
        parts.pop()
    return ".".join(parts)


def _known(found: ErrorDetails, model: type[BaseModel] | None) -> str:
    if model is None or len(found["loc"]) != 1:
        return ""
    return f"; the keys are: {', '.join(model.model_fields)}"


def _meaning(found: ErrorDetails, model: type[BaseModel] | None) -> str:
    fields: Mapping[str, Any] = model.model_fields if model is not None else {}
    field = fields.get(str(found["loc"][0])) if len(found["loc"]) else None
    return f"; it is {field.description}" if field is not None and field.description else ""
