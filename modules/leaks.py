"""Words that leak from a demo into an answer: a small model repeats the people and places of its examples."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

_TELLING = re.compile(r"(?<=[a-z0-9,'-] )(?:[A-Z][a-z'-]{3,}|[A-Z]+-?\d{3,})\b")
_NAMES = re.compile(r"\b(?:[A-Z][a-z'-]{3,}|[A-Z]+-?\d{3,})\b")
LONGEST_VALUE = 6  # words; a longer text is prose
VERBS = ("Return", "Find", "Create", "Send", "Rate", "Whether", "Look", "Check", "Save", "Share", "Write", "Get", "Set")
_COMMON = frozenset(
    "January February March April June July August September October November December Monday Tuesday Wednesday"
    " Thursday Friday Saturday Sunday Swiss Japanese Norwegian Mexican".split()
)


def telling_words(demos: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The names and codes in demos: capitalised words in sentences or short values, and codes such as RX-5521."""
    found = {word for demo in demos for leaf in _leaves(dict(demo)) for word in _telling(leaf)}
    return frozenset(found - _COMMON)


def _telling(text: str) -> list[str]:
    is_value = len(text.split()) <= LONGEST_VALUE and not text.endswith(".") and not text.startswith(VERBS)
    return _NAMES.findall(text) if is_value else _TELLING.findall(text)


def _leaves(value: Any) -> Iterator[str]:
    """The texts in a value; JSON inside a text is looked into."""
    if isinstance(value, str) and value[:1] in "{[":
        with suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, str):
        yield value


def leaked(answer: Mapping[str, Any], inputs: Mapping[str, Any], telling: frozenset[str]) -> list[str]:
    """The telling words that stand in the answer although nothing in its inputs mentions them."""
    if not telling:
        return []
    words = telling.intersection(re.findall(r"[A-Za-z][\w'-]{3,}", _text(answer)))
    if not words:
        return []
    given = _text(inputs)
    return sorted(word for word in words if word not in given)


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), ensure_ascii=False, default=str)
