"""Fields: what a parameter, a response field or a slot is called, holds and means.

A field that no file declares follows from the end of its name: `guest_name` is a person, `hotel_id` a code.
"""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """`kind` is a phrase that kinds.py understands; `options` are the values of an enumeration."""

    name: str
    json_type: str
    kind: str
    description: str
    options: tuple[str, ...] = ()

    def of_kind(self, kind: str) -> "Field":
        """The same field with another kind of values, and the JSON type that they have."""
        return replace(self, kind=kind, json_type=_TYPES.get(kind.split(maxsplit=1)[0], self.json_type))


def declared(name: str, body: list[Any], banks: dict[str, Any]) -> Field:
    """The field of a line `name: [type, kind, description]`, or `[..., enum]` for one of its bank's values."""
    json_type, kind, description, *rest = body
    options = tuple(banks[kind.split()[1]]) if rest else ()
    return Field(name, json_type, kind, description, options)


def implied(name: str, kind: str | None = None) -> Field:
    """The field that a name, and where given a kind, stand for. Raises ValueError where neither tells."""
    stem, _, ending = name.rpartition("_")
    of = f"the {stem.replace('_', ' ')}"
    words = [word for word in stem.split("_") if word]
    capitals = ("".join(word[0] for word in words) if len(words) > 1 else stem)[:2].upper() if stem else ""
    match ending if stem else "":
        case "name":
            found = Field(name, "string", "person", f"Full name of {of}")
        case "id":
            found = Field(name, "string", f"code {capitals}99999", f"Identifier of {of}")
        case "code" | "reference" | "number":
            found = Field(name, "string", f"code {capitals}-99999", f"{ending.title()} of {of}")
        case "date":
            found = Field(name, "string", "date", f"Date of {of}, as YYYY-MM-DD")
        case "time":
            found = Field(name, "string", "time", f"Time of {of}, as HH:MM")
        case "fee" | "fare" | "total" | "price":
            found = Field(name, "number", "money 10..90", f"{ending.title()} of {of}, in US dollars")
        case "percentage":
            found = Field(name, "integer", "int 5..95", f"Share of {of}, in percent")
        case "minutes" | "days" | "hours" | "years":
            found = Field(name, "integer", "int 2..20", f"{of[4:].capitalize()}, in {ending}")
        case _:
            found = _implied_by_kind(name, kind)
    return found if kind is None else found.of_kind(kind)


_TYPES = {
    "int": "integer", "list": "array", "money": "number", "number": "number", "near": "number", "product": "number",
    "above": "number", "bmi": "number", "growth": "number", "payout": "number",
}  # fmt: skip
_UNITS = {
    "celsius": "degrees Celsius", "mm": "millimetres", "cm": "centimetres", "g": "grams", "mg": "milligrams",
    "m": "metres", "kg": "kilograms", "kwh": "kilowatt hours", "liters": "liters", "gb": "gigabytes", "db": "decibels",
    "km": "kilometres", "mbit": "megabits a second", "usd": "US dollars",
}  # fmt: skip


def _implied_by_kind(name: str, kind: str | None) -> Field:
    words = name.replace("_", " ").capitalize()
    if name in ("weeks", "pieces"):
        return Field(name, "integer", "int 2..12", f"Number of {name}")
    if kind is None:
        raise ValueError(f"the field '{name}' is declared nowhere and its name implies no kind")
    first = kind.split(maxsplit=1)[0]
    quantity, _, unit = name.rpartition("_")
    if first == "money":
        words += ", in US dollars"
    elif unit in _UNITS and quantity:
        words = f"{quantity.replace('_', ' ').capitalize()}, in {_UNITS[unit]}"
    return Field(name, _TYPES.get(first, "string"), kind, words)
