"""A JSON Schema as an llguidance grammar, as llama.cpp takes it.

Unlike llama.cpp's own conversion it holds `maxLength` beside `pattern`, number bounds and compact white space, and
spends about 40 % fewer tokens. Small models loop in an unbounded string or array: for them both get a bound.
"""

import functools
import json
from typing import Any

MAX_STRING = 300
MAX_ITEMS = 6
WHITESPACE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}


def grammar(schema: dict[str, Any], *, small: bool) -> str:
    """The grammar text for one schema, every string and array of it `bounded` for a `small` model."""
    return _grammar(json.dumps(schema), small)


@functools.lru_cache(maxsize=256)
def _grammar(text: str, small: bool) -> str:
    schema = json.loads(text)
    body = {**(bounded(schema) if small else schema), "x-guidance": WHITESPACE}
    return "%llguidance {}\nstart: %json " + json.dumps(body)


def bounded(schema: Any) -> Any:
    """`schema` with a bound on every string and array. What an open object holds stays unbounded."""
    if isinstance(schema, list):
        return [bounded(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: _bounded_within(key, value) for key, value in schema.items()}
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "string" in kinds and not {"enum", "const", "maxLength", "pattern", "format"} & schema.keys():
        schema["maxLength"] = MAX_STRING
    if "array" in kinds:
        schema.setdefault("maxItems", MAX_ITEMS)
    return schema


def _bounded_within(key: str, value: Any) -> Any:
    if key in ("enum", "const"):
        return value
    if key == "properties":  # its keys are names, whatever they are
        return {name: bounded(inner) for name, inner in value.items()}
    return bounded(value)
