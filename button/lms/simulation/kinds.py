"""Kinds of values: how one is drawn, how a person writes it, and how it is read back from a text.

A kind is a short phrase from the YAML files, "int 2..9" or "code FL9999":

    pick B          one of the bank B                       person, address, email, phone
    list B 3..5     several of the bank B                   date, time
    int 2..9 [s]    an integer, in steps of s               code AB-99@     9 a digit, @ a capital letter
    money 5..90     dollars and cents                       near B p [q]    about B[p], times the argument q
    number 1..5 d   a number with d decimals                product p q     the arguments p and q multiplied
    above p 5..90   more than the argument p                bmi w h, growth m y, payout a y: as their names say
"""

import random
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from signatures.records import JsonObject

Bank = list[Any] | dict[str, float]
Banks = Mapping[str, Bank]

FIRST_DAY = date(2026, 1, 12)
DAYS = 620
YEARLY_GROWTH = 0.04
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTHS = (
    "January February March April May June July August September October November December".split()
)  # strftime would follow the locale
_MONTH_NUMBER = {name: number for number, name in enumerate(_MONTHS, 1)}
_DAY = re.compile(r"(\d{1,2}) ([A-Z][a-z]+) (\d{4})")

# What a slot of a phrase may hold, by the first word of its kind; everything else is free text.
PATTERNS = {
    "int": r"\d+",
    "money": r"\d+(?:\.\d+)?",
    "number": r"-?\d+(?:\.\d+)?",
    "date": r"\d{1,2} [A-Z][a-z]+ \d{4}",
    "time": r"\d{2}:\d{2}",
    "email": r"\S+@\S+?",
    "code": r"[\w.-]*\w",
}


def draw(kind: str, banks: Banks, rng: random.Random, arguments: JsonObject) -> Any:
    """A value of a kind; `arguments` are those of the call that is answered, where one is."""
    name, *words = kind.split()
    return _DRAWS[name](words, banks, rng, arguments)


def show(value: Any) -> str:
    """A value as a person writes it: "14 March 2026", "12.50", "rice, eggs and flour"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else _decimals(value)
    if isinstance(value, list):
        items = [show(item) for item in value]
        return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else "".join(items)
    text = str(value)
    if _ISO.fullmatch(text):
        year, month, day = map(int, text.split("-"))
        return f"{day} {_MONTHS[month - 1]} {year}"
    return text


def read(json_type: str, text: str) -> Any:
    """The value that `text`, written by `show` or by a person alike, stands for under a JSON type."""
    if json_type in ("integer", "number"):
        return _number(text, json_type)
    if json_type == "array":
        return [item for item in re.split(r", | and ", text) if item]
    day = _DAY.fullmatch(text)
    if day and day[2] in _MONTH_NUMBER:
        return f"{day[3]}-{_MONTH_NUMBER[day[2]]:02d}-{int(day[1]):02d}"
    return text


def _number(text: str, json_type: str) -> int | float | str:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return text
    return int(value) if json_type == "integer" or value.is_integer() else value


def _decimals(value: float) -> str:
    """Cents are written in full, other fractions as they are."""
    return f"{value:.2f}" if round(value, 2) == value and value * 10 % 1 else f"{value:.10g}"


def _bounds(text: str) -> tuple[float, float]:
    low, high = text.split("..")
    return float(low), float(high)


def _pick(words: list[str], banks: Banks, rng: random.Random, _: JsonObject) -> Any:
    bank = banks[words[0]]
    return rng.choice(bank if isinstance(bank, list) else list(bank))


def _list(words: list[str], banks: Banks, rng: random.Random, _: JsonObject) -> list[Any]:
    low, high = _bounds(words[1])
    return rng.sample(list(banks[words[0]]), rng.randint(int(low), int(high)))


def _int(words: list[str], _: Banks, rng: random.Random, __: JsonObject) -> int:
    low, high = _bounds(words[0])
    return rng.randrange(int(low), int(high) + 1, int(words[1]) if len(words) > 1 else 1)


def _number_between(words: list[str], _: Banks, rng: random.Random, __: JsonObject) -> float:
    low, high = _bounds(words[0])
    return round(rng.uniform(low, high), int(words[1]))


def _money(words: list[str], _: Banks, rng: random.Random, __: JsonObject) -> float:
    low, high = _bounds(words[0])
    return rng.randint(int(low), int(high)) + rng.choice((0.0, 0.0, 0.99, 0.25, 0.75, 0.49))


def _person(_: list[str], banks: Banks, rng: random.Random, __: JsonObject) -> str:
    return f"{rng.choice(list(banks['first_name']))} {rng.choice(list(banks['last_name']))}"


def _address(_: list[str], banks: Banks, rng: random.Random, __: JsonObject) -> str:
    return f"{rng.randint(2, 189)} {rng.choice(list(banks['street']))}"


def _email(_: list[str], banks: Banks, rng: random.Random, arguments: JsonObject) -> str:
    first, last = rng.choice(list(banks["first_name"])), rng.choice(list(banks["last_name"]))
    person = next(
        (value for name, value in arguments.items() if name in ("contact", "customer_name")), f"{first} {last}"
    )
    return f"{str(person).lower().replace(' ', '.')}@{rng.choice(('example.org', 'example.net', 'example.com'))}"


def _phone(_: list[str], __: Banks, rng: random.Random, ___: JsonObject) -> str:
    return f"+1-{rng.randint(201, 989)}-555-01{rng.randint(0, 99):02d}"


def _code(words: list[str], _: Banks, rng: random.Random, __: JsonObject) -> str:
    marks = {"9": "0123456789", "@": "ABCDEFGHJKLMNPQRSTUVWXYZ"}
    return "".join(rng.choice(marks[mark]) if mark in marks else mark for mark in words[0])


def _date(_: list[str], __: Banks, rng: random.Random, arguments: JsonObject) -> str:
    """A day within three weeks after the latest day among the arguments, else any day."""
    days = [value for value in arguments.values() if isinstance(value, str) and _ISO.fullmatch(value)]
    if days:
        try:
            return (date.fromisoformat(max(days)) + timedelta(days=rng.randint(1, 21))).isoformat()
        except (ValueError, OverflowError):
            pass  # a day such as 2026-02-31, or the end of time: as if none was given
    return (FIRST_DAY + timedelta(days=rng.randrange(DAYS))).isoformat()


def _time(_: list[str], __: Banks, rng: random.Random, ___: JsonObject) -> str:
    return f"{rng.randint(8, 19):02d}:{rng.choice((0, 15, 30, 45)):02d}"


def _near(words: list[str], banks: Banks, rng: random.Random, arguments: JsonObject) -> float:
    bank = banks[words[0]]
    middle = bank.get(str(arguments.get(words[1])), 1.0) if isinstance(bank, dict) else 1.0
    scale = _factor(arguments, words[2]) if len(words) > 2 else 1.0
    value = middle * rng.uniform(0.97, 1.03) * scale
    return round(value, 4 if value < 10 else 1)


def _product(words: list[str], _: Banks, __: random.Random, arguments: JsonObject) -> float:
    return round(_factor(arguments, words[0]) * _factor(arguments, words[1]), 2)


def _above(words: list[str], banks: Banks, rng: random.Random, arguments: JsonObject) -> float:
    return round(_factor(arguments, words[0]) + _money(words[1:], banks, rng, arguments), 2)


def _bmi(words: list[str], _: Banks, __: random.Random, arguments: JsonObject) -> float:
    return round(_factor(arguments, words[0]) / (_factor(arguments, words[1]) / 100) ** 2, 1)


def _growth(words: list[str], _: Banks, __: random.Random, arguments: JsonObject) -> float:
    monthly, months = _factor(arguments, words[0]), int(_factor(arguments, words[1]) * 12)
    rate = YEARLY_GROWTH / 12
    return round(monthly * ((1 + rate) ** min(months, 1200) - 1) / rate, 2)


def _payout(words: list[str], _: Banks, __: random.Random, arguments: JsonObject) -> float:
    return round(_factor(arguments, words[0]) / (12 * _factor(arguments, words[1])), 2)


def _factor(arguments: JsonObject, name: str) -> float:
    """A numeric argument that can be divided by; 1 where a caller gave something else."""
    value = arguments.get(name)
    return float(value) if isinstance(value, int | float) and value else 1.0


_DRAWS: dict[str, Callable[[list[str], Banks, random.Random, JsonObject], Any]] = {
    "pick": _pick, "list": _list, "int": _int, "number": _number_between, "money": _money, "person": _person,
    "address": _address, "email": _email, "phone": _phone, "code": _code, "date": _date, "time": _time, "near": _near,
    "product": _product, "above": _above, "bmi": _bmi, "growth": _growth, "payout": _payout,
}  # fmt: skip
