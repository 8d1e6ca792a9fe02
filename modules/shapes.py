"""The shapes of fields by their names, for small models: what a date, a price or a status looks like.

A small model that simulates a tool answers a bus with a date and a status with a sentence. A text field whose name
says its kind gets a pattern that the decoder holds; any other gets the look of a name.
"""

import random
import re
from collections.abc import Mapping

from button.checks.amounts import figures
from button.checks.vocabulary import content_words, name_words, stem, stems, tokens
from modules.details import CURRENCIES, details_in, new_code
from modules.wording import is_plural
from signatures.records import Call, JsonObject

_CLOCK = "(?:[1-9]|1[0-2])(?::[0-5][05])? (?:AM|PM)"
_EVENING = "(?:9|10|11):[0-5][05] PM"  # of what is the last of its day
_NAME = "[A-Z][a-z]{2,12}(?: [A-Z][a-z]{2,12}){0,2}"
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_VEHICLES = ("bus", "train", "flight", "tram", "ferry")
# By the words in the name of a field, the first that fits; <city> and the like stand for what the call says of it.
_SHAPES = tuple(
    (stems(words), pattern)
    for words, pattern in (
        ("phone telephone", r"\+[0-9]{2} [0-9]{2,3} [0-9]{3} [0-9]{4}"),
        ("id code reference number identifier", "<code>"),
        (
            "status confirmation success note reminder",
            "(?:Sent|Saved|Shared|Booked|Reserved|Confirmed|Added|Set|Scheduled)",
        ),
        ("rating score", "(?:3[.][5-9]|4[.][0-9]) out of 5"),
        ("address", f"[1-9][0-9]{{0,2}} {_NAME} (?:Street|Road|Avenue|Lane|Square), <city>"),
        ("availability", f"(?:Available from {_CLOCK} to {_CLOCK}|[2-9][0-9]? (?:places|rooms|seats) available)"),
        ("hour", "[7-9](?::30)? AM to [4-9](?::30)? PM"),
        ("price cost fare fee rate quote rent charge budget total amount premium", "<price>"),
        ("level count", "(?:Low|Moderate|Normal|High|Very high)"),
        ("forecast weather", "[A-Z][a-z]{3,10}(?: [a-z]{2,10}){0,4}, (?:[5-9]|[12][0-9]) degrees Celsius"),
        ("connection schedule timetable departure", f"Departures at {_CLOCK}, {_CLOCK} and {_CLOCK}"),
        *((vehicle, f"{vehicle.capitalize()} [A-Z]{{0,2}}[1-9][0-9]{{0,3}} at {_CLOCK}") for vehicle in _VEHICLES),
        ("date day deadline", "<date>"),
        ("time", _CLOCK),
        ("duration", "[1-9][0-9]? (?:minutes|hours|days)"),
        ("distance", "[1-9][0-9]?[.][0-9] kilometres"),
    )
)
_WORD = "[A-Z][A-Za-z0-9'-]{0,14}"
_THING = f"{_WORD}(?: (?:(?:of|the|and|at|by) )?(?:{_WORD}|[0-9]{{1,4}})){{1,4}}"
_THINGS = f"{_NAME}, {_NAME} and {_NAME}"
_BELOW = (0.5, 0.6, 0.75, 0.8, 0.9, 0.95)  # what things cost, as shares of what somebody would pay at most


def answer_schema(schema: JsonObject, call: Call, rng: random.Random) -> JsonObject:
    """The schema of an answer to `call`, each open text field with the shape that its name calls for.

    Codes are drawn by the program: a model left alone writes 12345.
    """
    said = {detail.kind: detail.value for value in call.arguments.values() for detail in details_in(str(value))}
    said["code"] = new_code(rng)
    properties = {name: _shaped(name, body, said) for name, body in schema["properties"].items()}
    return {**schema, "properties": properties}


def is_open_text(body: JsonObject) -> bool:
    """Whether a field may hold any text."""
    return body.get("type") == "string" and not {"enum", "const", "pattern", "format"} & body.keys()


def _shaped(name: str, body: JsonObject, said: Mapping[str, str]) -> JsonObject:
    if not is_open_text(body):
        return body
    words = name_words(name)
    pattern = next((pattern for kinds, pattern in _SHAPES if kinds & words), _THINGS if is_plural(name) else _THING)
    if stem("last") in words:
        pattern = pattern.replace(_CLOCK, _EVENING)
    for mark, fill in (("<city>", _city), ("<date>", _date), ("<price>", _price), ("<code>", _code)):
        pattern = pattern.replace(mark, fill(said))
    return {**body, "pattern": f"^{pattern}$"}


def empty_talk(result: JsonObject, call: Call) -> list[str]:
    """The fields of an answer that only repeat the call ("Properties Madison" as properties), or a word of theirs."""
    said = content_words(" ".join(map(str, call.arguments.values())))
    problems = []
    for name, value in result.items():
        if not isinstance(value, str) or not value[:1].isalpha():
            continue
        words = [word for word in tokens(value) if len(word) > 3]
        if content_words(value) <= said | name_words(name):
            problems.append(f"the value of '{name}' is '{value}', which says nothing new; answer with a specific value")
        elif len(set(words)) < len(words):
            problems.append(f"the value of '{name}' is '{value}', which repeats a word")
    return problems


def _code(said: Mapping[str, str]) -> str:
    return said["code"]


def _city(said: Mapping[str, str]) -> str:
    return re.escape(said["city"]) if "city" in said else _NAME


def _date(said: Mapping[str, str]) -> str:
    return re.escape(said["date"]) if "date" in said else f"(?:[1-9]|[12][0-9]) {_MONTH} 202[78]"


def _price(said: Mapping[str, str]) -> str:
    if "amount" not in said:
        return "(?:[2-9][0-9]|1[0-9]{2}) euros"  # two prices of one place in one currency
    limit = figures(said["amount"])[0].value
    currency = next(currency for currency in CURRENCIES if currency in said["amount"])
    return f"(?:{'|'.join(str(round(limit * share)) for share in _BELOW)}) {currency}"
