"""Which field of one function's answer can become an argument of another: the data flow that definitions allow."""

from functools import lru_cache

from button.checks.vocabulary import LOOKUP_VERBS, name_words, stem, stems
from signatures.records import Function, JsonObject

# Parts of a name that say nothing of what is named. `id` alone gets its meaning from the function that returns it.
_EMPTY_PARTS = stems(
    "id ids name names list lists result results response info information detail details data value values number "
    "code type status count key output input object item items current new selected available recommended "
    "suggested best found matching the of to from for in by with is has start end min max"
)
# Parameters of free text take anything that was found out: the forecast goes into the message.
_FREE_TEXT = stems(
    "message body content contents text summary note notes description query question comment title subject "
    "context details info data input prompt document report reason instructions expression formula items entries "
    "values numbers results list"
)
_FAMILIES = tuple(
    stems(family)
    for family in (
        "price cost amount fee fare total rate budget payment sum balance charge expense subtotal",
        "location place city destination address venue town area region country site coordinates latitude longitude",
        "date day deadline time slot schedule datetime departure arrival checkin checkout start end",
        "email recipient contact phone to receiver",
        "product item article goods",
        "weather forecast temperature condition climate",
        "ingredient grocery food recipe meal dish",
        "person user customer guest passenger attendee participant patient member client",
        "distance mile kilometer length",
        "duration minute hour length",
        "stock symbol ticker company share",
        "link url website",
        "flight airline",
        "hotel room accommodation",
        "movie film show",
        "song track music playlist",
        "doctor clinic appointment",
        "book title isbn",
        "event concert ticket",
        "reservation booking confirmation order appointment",
    )
)
_LOOKUPS = frozenset(stem(verb) for verb in LOOKUP_VERBS)


def feeds(function_a: Function, function_b: Function) -> list[tuple[str, str]]:
    """The pairs (response of a, parameter of b) where the first can feed the second, by type and by name."""
    return [
        (response, parameter)
        for response, given in function_a.responses.items()
        for parameter, wanted in function_b.parameters.items()
        if _types_fit(given, wanted) and _names_fit(function_a.name, response, given, parameter)
    ]


def _types_fit(given: JsonObject, wanted: JsonObject) -> bool:
    """Whether a value of one type, or a part of it, or a list of it, can stand where the other is wanted."""
    for a in _types(given):
        for b in _types(wanted):
            if a == b or {a, b} == {"integer", "number"}:
                return True
            if b == "string" and a in ("integer", "number"):
                return True
            if a == "array":  # one of the values is picked
                items = given.get("items")
                if not items or _types_fit(items, wanted):
                    return True
            if a == "object":  # one of the fields is picked
                fields = given.get("properties")
                if not fields or any(_types_fit(field, wanted) for field in fields.values()):
                    return True
            if b == "array":  # one or several are gathered
                items = wanted.get("items")
                if not items or _types_fit(given, items):
                    return True
    return False


def _types(body: JsonObject) -> list[str]:
    types = body.get("type", "object")
    return [str(one) for one in types] if isinstance(types, list) else [str(types)]


def _names_fit(function: str, response: str, given: JsonObject, parameter: str) -> bool:
    if name_words(response) == name_words(parameter):
        return True
    if _parts(parameter) <= _FREE_TEXT and name_words(parameter) & _FREE_TEXT:
        return True
    said = _parts(response) or _parts(function) - _LOOKUPS
    wanted = _parts(parameter)
    if said & wanted or _family(said) & _family(wanted):
        return True
    # `flights: [{flight_id, price}]` and `bookings` of `search_flights` can feed `flight_id` and `price`.
    return bool(wanted & (_inner_parts(given) | (_parts(function) - _LOOKUPS)))


@lru_cache(maxsize=4096)
def _parts(name: str) -> frozenset[str]:
    return name_words(name) - _EMPTY_PARTS


def _family(parts: frozenset[str]) -> frozenset[int]:
    return frozenset(number for number, family in enumerate(_FAMILIES) if parts & family)


def _inner_parts(body: JsonObject) -> frozenset[str]:
    inner = body.get("items") if body.get("type") == "array" else body
    fields = inner.get("properties") if isinstance(inner, dict) else None
    return frozenset(part for name in fields or {} for part in _parts(name))
