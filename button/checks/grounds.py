"""What is known at a point of a transcript, the user's words and the results so far, to be searched for a value."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from button.checks.amounts import tidy
from button.checks.reading import Reading, as_text, leaves, read, read_value
from button.checks.vocabulary import name_words, phrase, stem
from signatures.records import Function, Origin

_IN_DAYS = frozenset(("night", "day", "stay"))
_LENGTHS = _IN_DAYS | {stem(word) for word in ("hour", "minute", "minutes", "min", "duration")}
_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Found:
    """Where a value comes from; `turn` and `call` name the tool turn and the result in it, for origin "result" only."""

    origin: Origin
    turn: int | None = None
    call: int | None = None


FROM_USER = Found("user")
FROM_SCHEMA = Found("schema")
NOWHERE = Found("ungrounded")


def topic_words(functions: Sequence[Function]) -> frozenset[str]:
    """The stems in the names of functions, of their parameters and of their response fields."""
    names = [name for one in functions for name in (one.name, *one.parameters, *one.responses)]
    return frozenset[str]().union(*(name_words(name) for name in names))


def latest(found: Sequence[Found]) -> Found:
    """Of several origins the one that became known last; the user and the schema come before all results."""
    return max(found, key=lambda one: (one.turn or 0, one.call or 0))


@dataclass(frozen=True, slots=True)
class Source:
    """One result: its place, its reading, its single values, and the numbers they give together.

    `sums` are the totals and means of numbers that stand under one key of a list, `sizes` the lengths of its lists,
    `days` and `minutes` the lengths of time it names, `flags` its truth values by key, `keys` the words of its keys.
    """

    found: Found
    reading: Reading
    values: frozenset[str]
    sums: frozenset[float]
    sizes: frozenset[int]
    days: frozenset[float]
    minutes: frozenset[float]
    flags: dict[str, bool]
    keys: frozenset[str]


@dataclass(slots=True)
class Grounds:
    """The user's words and the results up to now, the earliest first.

    `topic` are the words of the functions' names and fields, which a written text may use around what is known.
    """

    topic: frozenset[str] = frozenset()
    user: Reading = field(default_factory=lambda: read(""))
    sources: list[Source] = field(default_factory=list)

    def hear(self, message: str) -> None:
        """Add a message of the user."""
        self.user = read(f"{self.user.text}\n{message}" if self.user.text else message)

    def learn(self, turn: int, call: int, results: Any) -> None:
        """Add the answer of call number `call` in tool turn `turn`."""
        self.sources.append(_source(Found("result", turn, call), results))

    def find(self, says: Callable[[Reading], bool]) -> Found | None:
        """Who says it: the user before any result, among results the earliest, where it first became known."""
        if says(self.user):
            return FROM_USER
        return next((source.found for source in self.sources if says(source.reading)), None)

    def find_phrase(self, value: str) -> Found | None:
        """Like `find`, for words; a result that holds exactly this value wins over one that holds it inside a text."""
        if self.user.says_phrase(value):
            return FROM_USER
        exact = phrase(value)
        for source in self.sources:
            if exact in source.values:
                return source.found
        return next((source.found for source in self.sources if source.reading.says_phrase(value)), None)

    def numbers(self) -> Iterator[tuple[float, Found]]:
        """Every number that is known, with where it comes from; the user's first."""
        for number in sorted(self.user.numbers):
            yield number, FROM_USER
        for source in self.sources:
            for number in sorted(source.reading.numbers | source.sums):
                yield number, source.found

    def all_words(self) -> frozenset[str]:
        """The stems of every content word that is known, the names of result fields among them."""
        return self.user.words.union(*(source.reading.words | source.keys for source in self.sources))

    def readings(self) -> Iterator[Reading]:
        """The reading of the user's words, then those of the results."""
        yield self.user
        for source in self.sources:
            yield source.reading

    def days(self) -> frozenset[float]:
        """Every length of time in days that is known."""
        return self.user.days.union(*(source.days for source in self.sources))

    def minutes(self) -> frozenset[float]:
        """Every length of time in minutes that is known."""
        return self.user.minutes.union(*(source.minutes for source in self.sources))


def _source(found: Found, results: Any) -> Source:
    columns: dict[str, list[float]] = defaultdict(list)
    values: set[str] = set()
    flags: dict[str, bool] = {}
    lengths: dict[bool, set[float]] = {True: set(), False: set()}
    keys: set[str] = set()
    for path, leaf in leaves(results):
        values.add(phrase(as_text(leaf)))
        key = path.rsplit(".", maxsplit=1)[-1]
        parts = name_words(key)
        keys |= parts
        if isinstance(leaf, bool):
            flags[key] = leaf
        elif isinstance(leaf, int | float):
            columns[_INDEX.sub("[]", path)].append(float(leaf))
            if parts & _LENGTHS:
                lengths[bool(parts & _IN_DAYS)].add(float(leaf) * (60 if "hour" in parts else 1))
    several = [column for column in columns.values() if len(column) > 1]
    reading = read_value(results)
    return Source(
        found=found,
        reading=reading,
        values=frozenset(values),
        sums=frozenset(tidy(s) for column in several for s in (sum(column), sum(column) / len(column))),
        sizes=frozenset(_sizes(results)),
        days=reading.days | lengths[True],
        minutes=reading.minutes | lengths[False],
        flags=flags,
        keys=frozenset(keys),
    )


def _sizes(value: Any) -> Iterator[int]:
    if isinstance(value, list):
        yield len(value)
    if isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _sizes(inner)
