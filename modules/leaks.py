"""Words that leak from a demo into an answer: a small model repeats the people and places of its examples."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_TELLING = re.compile(r"(?<![.!?:\"] )(?<![\"'])\b(?:[A-Z][a-z'-]{3,}|[A-Z]+-?\d{3,})\b")
_COMMON = frozenset(
    "January February March April June July August September October November December Monday Tuesday Wednesday"
    " Thursday Friday Saturday Sunday Swiss Japanese Norwegian Mexican".split()
)


def telling_words(demos: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The names and codes in demos: capitalised words inside sentences, and codes such as RX-5521."""
    found = {word for demo in demos for word in _TELLING.findall(_text(demo))}
    return frozenset(found - _COMMON)


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
