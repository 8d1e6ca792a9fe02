"""Whether a request can supply a parameter at all: a date where no date is said can only be invented."""

import re
from collections.abc import Iterable

from button.checks.reading import read
from button.checks.vocabulary import name_words, stem
from signatures.records import Function, JsonObject

_DATES = frozenset(map(stem, "date day deadline departure arrival birthday checkin checkout".split()))
_TIMES = frozenset(map(stem, "time hour".split()))
_CODES = frozenset(map(stem, "id code identifier reference sku barcode isbn iban token".split()))
_CONTACTS = {
    stem("email"): re.compile(r"\S+@\S+"),
    stem("mail"): re.compile(r"\S+@\S+"),
    stem("phone"): re.compile(r"\d(?:[\s().-]?\d){5,}"),
    stem("telephone"): re.compile(r"\d(?:[\s().-]?\d){5,}"),
    stem("url"): re.compile(r"\w\.\w{2,}"),
}
_CODE = re.compile(r"\b(?=\w*\d)[\w-]{3,}\b")
_RELATIVE_DAY = re.compile(
    r"\b(?:today|tonight|tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day|weekend|next (?:week|month|year))\b",
    re.IGNORECASE,
)


def can_supply(parameter: str, body: JsonObject, text: str) -> bool:
    """Whether `text` says something of the kind that `parameter` wants; a kind without a form of its own passes."""
    words, said = name_words(parameter), read(text)
    if words & _DATES:
        return bool(said.dates) or _RELATIVE_DAY.search(text) is not None
    if words & _TIMES and body.get("type") == "string":
        return bool(said.times or said.dates)
    for word in words & _CONTACTS.keys():
        return _CONTACTS[word].search(text) is not None
    if words & _CODES and body.get("type") == "string":
        return _CODE.search(text) is not None
    if body.get("type") in ("integer", "number"):
        return bool(said.numbers | said.parts)
    return True


def unsupplied(function: Function, text: str, fed: Iterable[str]) -> list[str]:
    """The parameters that neither `text` nor an earlier result (`fed` names the parameters those can feed) supplies."""
    reachable = set(fed)
    return [
        name
        for name, body in function.parameters.items()
        if name not in reachable and "enum" not in body and "default" not in body and not can_supply(name, body, text)
    ]
