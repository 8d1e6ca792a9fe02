"""The dates and times that a text says, in the notations people and programs write."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from button.checks.vocabulary import fold

Date = tuple[int | None, int, int | None]
"""Year, month, day; a year or a day that was not said is None."""

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
            "september sept sep", "october oct", "november nov", "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_LAST = r"(?:\s*(?:-|to|through|until|till)\s*(?:the\s+)?(?P<last>\d{1,2})(?:st|nd|rd|th)?(?![\d:]))?"
_YEAR = r"(?:,?\s+(?:of\s+)?(?P<year>\d{4})\b)?"

_DATES = [
    re.compile(pattern)
    for pattern in (
        r"(?<!\d)(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?!\d)t?",
        r"(?<![\d/.-])(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4}|(?<![.])\d{2})(?![\d/-])",
        rf"\b{_MONTH}\s*(?:the\s+)?{_DAY}(?![\d:]|\s*[ap]m\b){_LAST}{_YEAR}",
        rf"(?<![\d.:/-]){_DAY}{_LAST}\s+(?:of\s+)?{_MONTH}{_YEAR}",
        rf"\b{_MONTH},?\s+(?:of\s+)?(?P<year>\d{{4}})\b",
        r"(?<![\d-])(?P<year>(?:19|20)\d\d)-(?P<month>0[1-9]|1[0-2])(?![\d-])",
    )
]
_TIMES = [
    re.compile(pattern)
    for pattern in (
        r"(?<![\d:.])(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::\d{2})?)?\s*(?P<half>[ap])\.?\s?m\b\.?",
        r"(?<![\d:.])(?P<hour>\d{1,2}):(?P<minute>[0-5]\d)(?::[0-5]\d(?:\.\d+)?)?(?:z\b|[+-]\d\d:\d\d)?(?!:?\d)",
        r"(?<![\d:.])(?P<hour>\d{1,2}) ?o'clock",
        r"\bat (?P<hour>\d{1,2})(?=\s*(?:$|[,.;?!](?!\d)|(?:on|in the|tomorrow|tonight|this|for)\b))",
        r"\b(?P<name>noon|midday|midnight)\b",
    )
]
_MAYBE = re.compile(r"\d|noon|midday|midnight")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Moments:
    """The dates and the times (minutes of the day) of a text, and `rest`: the folded text without them.

    Each mention holds its possible readings, the literal one first: "03/04/2026" has two, "7:30" too.
    `spans` are the pieces of the folded text that said them, dates before times.
    """

    dates: tuple[tuple[Date, ...], ...]
    times: tuple[tuple[int, ...], ...]
    rest: str
    spans: tuple[str, ...]


@lru_cache(maxsize=4096)
def moments(text: str) -> Moments:
    """The dates and times of `text`."""
    folded = fold(text)
    if not _MAYBE.search(folded):
        return Moments((), (), folded, ())
    spans: list[str] = []
    dates: list[tuple[Date, ...]] = []
    times: list[tuple[int, ...]] = []
    for pattern in _DATES:
        folded = _take(pattern, _dates_of, folded, dates, spans)
    for pattern in _TIMES:
        folded = _take(pattern, _times_of, folded, times, spans)
    return Moments(tuple(dates), tuple(times), folded, tuple(spans))


def _take(
    pattern: re.Pattern[str],
    readings: Callable[[re.Match[str]], Iterator[tuple[_T, ...]]],
    folded: str,
    found: list[tuple[_T, ...]],
    spans: list[str],
) -> str:
    """Append what `pattern` finds, and give `folded` without it; what cannot be a moment (month 13) stays."""

    def replace(match: re.Match[str]) -> str:
        mentions = [mention for mention in readings(match) if mention]
        if not mentions:
            return match[0]
        found.extend(mentions)
        spans.append(match[0].strip(" ."))
        return " "

    return pattern.sub(replace, folded)


def _dates_of(match: re.Match[str]) -> Iterator[tuple[Date, ...]]:
    parts = match.groupdict()
    year = int(parts["year"]) if parts["year"] else None
    if year is not None and year < 100:
        year += 2000
    if parts.get("one"):
        pairs = ((parts["one"], parts["two"]), (parts["two"], parts["one"]))
        yield tuple(dict.fromkeys((year, int(m), int(d)) for m, d in pairs if _is_day(int(m), int(d))))
        return
    name = parts["month"]
    month = int(name) if name.isdigit() else _MONTHS[name]
    days = [parts.get("day"), parts.get("last")]
    if days == [None, None]:
        yield ((year, month, None),)
    for day in days:
        if day and _is_day(month, int(day)):
            yield ((year, month, int(day)),)


def _is_day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= 31


def _times_of(match: re.Match[str]) -> Iterator[tuple[int, ...]]:
    parts = match.groupdict()
    if parts.get("name"):
        yield (0,) if parts["name"] == "midnight" else (720,)
        return
    hour, minute = int(parts["hour"]), int(parts.get("minute") or 0)
    if half := parts.get("half"):
        if 1 <= hour <= 12:
            yield (hour % 12 * 60 + minute + (720 if half == "p" else 0),)
        return
    if hour > 24 or minute > 59:
        return
    literal = hour % 24 * 60 + minute
    said_in_words = 1 <= hour <= 12 and not parts["hour"].startswith("0")
    yield (literal, (literal + 720) % 1440) if said_in_words else (literal,)


def same_day(a: Date, b: Date) -> bool:
    """Whether two dates can be one: what only one of them says (the year, the day) is no contradiction."""
    return a[1] == b[1] and all(x is None or y is None or x == y for x, y in ((a[0], b[0]), (a[2], b[2])))
