"""A text read once: its phrases, words, numbers, dates and times, ready to be asked what it says."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from button.checks.amounts import numbers_in, tidy
from button.checks.moments import Date, moments, same_day
from button.checks.vocabulary import LEAF_END, content_words, phrase

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says.

    `phrase` holds its tokens between single spaces, `words` the stems of its content words; `parts` are the years,
    months, days and hours of its dates and times, `numbers` all other numbers, and among these `days` and `minutes`
    are lengths of time.
    """

    text: str
    phrase: str
    words: frozenset[str]
    numbers: frozenset[float]
    days: frozenset[float]
    minutes: frozenset[float]
    parts: frozenset[float]
    dates: frozenset[Date]
    times: frozenset[int]

    def says_phrase(self, text: str) -> bool:
        """Whether the words of `text` occur here, whole and in order; spelling of codes ("AB-12", "AB12") aside."""
        wanted = phrase(text)
        if not wanted.strip():
            return False
        if wanted in self.phrase:
            return True
        packed = wanted.replace(" ", "")
        return len(packed) >= 6 and any(c.isdigit() for c in packed) and packed in self.phrase.replace(" ", "")

    def says_number(self, number: float, *, parts: bool = False) -> bool:
        """Whether `number` is said, also as a longer code of digits; with `parts`, also as a part of a date or time."""
        number = tidy(number)
        if number in self.numbers or (parts and number in self.parts):
            return True
        return number >= 1000 and number.is_integer() and f" {int(number)} " in self.phrase

    def says_date(self, day: Date) -> bool:
        """Whether a date said here can be `day`: a year left open fits any, a whole month its first and last day."""
        return any(same_day(day, said) and (said[2] or not day[2] or _is_edge(day)) for said in self.dates)


@lru_cache(maxsize=4096)
def read(text: str) -> Reading:
    """Read `text`; cached, since each text of a trajectory is asked several times."""
    when = moments(text)
    numbers = numbers_in(when.rest)
    dates = frozenset(day for mention in when.dates for day in mention)
    times = frozenset(minute for mention in when.times for minute in mention)
    return Reading(
        text=text,
        phrase=phrase(text),
        words=content_words(text),
        numbers=numbers.values,
        days=numbers.days,
        minutes=numbers.minutes,
        parts=frozenset({tidy(p) for day in dates for p in day if p is not None} | {tidy(t // 60) for t in times}),
        dates=dates,
        times=times,
    )


def read_value(value: Any) -> Reading:
    """Read all the scalar values of a JSON value; no phrase is found across two of them."""
    return read(f" {LEAF_END} ".join(as_text(leaf) for _, leaf in leaves(value)))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Scalar]]:
    """The scalar values of a JSON value with their paths: `stops[0].city`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{index}]")
    else:
        yield path, value


def as_text(leaf: Scalar) -> str:
    """A scalar as a person would write it: 5.0 is "5", true is "true"."""
    if isinstance(leaf, bool):
        return "true" if leaf else "false"
    if isinstance(leaf, float):
        return f"{leaf:.10g}" if not leaf.is_integer() else str(int(leaf))
    return "" if leaf is None else str(leaf)


def _is_edge(day: Date) -> bool:
    return day[2] in (1, monthrange(day[0] or 2024, day[1])[1])
