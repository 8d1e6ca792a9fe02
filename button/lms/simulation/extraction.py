"""Values for parameters of foreign functions: what a message says that fits the name and the type."""

import re
from typing import Any

from button.lms.simulation.kinds import read
from signatures.records import JsonObject

_QUOTED = re.compile(r"[\"'\u201c]([^\"'\u201d]{2,80})[\"'\u201d]")
_EMAIL = re.compile(r"\b\S+@\S+\.\w+\b")
_DAY = re.compile(r"\b\d{1,2} [A-Z][a-z]+ \d{4}\b|\b\d{4}-\d{2}-\d{2}\b")
_TIME = re.compile(r"\b\d{1,2}:\d{2}\b")
_NUMBER = re.compile(r"(?<![\w-])\d+(?:\.\d+)?(?![\w-])")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w'-]*(?: [A-Z][\w'-]*)*")


def extract(message: str, parameter: str, body: JsonObject, taken: set[str]) -> Any:
    """A value of the message for a parameter; marks it as taken, so that the next parameter gets another one."""
    json_type = body.get("type", "string")
    options = body.get("enum")
    if options:
        return next((option for option in options if str(option).lower() in message.lower()), options[0])
    if json_type == "boolean":
        return True
    if json_type in ("integer", "number"):
        return read(json_type, _next(message, (_NUMBER,), taken, "1"))
    if json_type == "object":
        return {}
    found = _next(message, _patterns(parameter), taken, message)
    return [found] if json_type == "array" else read("string", found)


def _patterns(parameter: str) -> tuple[re.Pattern[str], ...]:
    if "mail" in parameter:
        return (_EMAIL,)
    if "date" in parameter or "day" in parameter:
        return (_DAY,)
    if "time" in parameter:
        return (_TIME,)
    if parameter in ("request", "text", "query"):
        return ()
    return (_QUOTED, _NAME, _NUMBER)


def _next(message: str, patterns: tuple[re.Pattern[str], ...], taken: set[str], fallback: str) -> str:
    for pattern in patterns:
        for match in pattern.finditer(message):
            value = match[1] if pattern.groups else match[0]
            if value not in taken:
                taken.add(value)
                return value
    return fallback
