"""The seam to seeds, and the one way from a row of any input to `Seed` records."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from button.errors import UserError
from signatures.records import Seed

Form = Literal["conversation", "query", "scenario"]

LONGEST_TEXT = 4_000
"""Characters. A longer query or scenario is passed over as `too_long`: as a seed it would only fill prompts."""


class SeedSource(Protocol):
    """Seeds in a fixed order, one at a time; every pass starts anew and gives the same seeds.

    `skipped` counts the rows that the latest pass went over and could not use, by reason: `empty` (no text, or
    nothing that a person says), `too_long`, `not_unicode` (half a surrogate pair). Bad input raises UserError with the
    file and the line.
    """

    name: str
    skipped: Counter[str]

    def __iter__(self) -> Iterator[Seed]: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an input: `number` counts from 1, `place` says where it is, for messages ("a.csv, line 3")."""

    number: int
    place: str
    value: Any

    def refused(self, seen: str, expected: str) -> UserError:
        """The error for a row of the wrong shape."""
        return UserError(f"{self.place}: {seen}; expected {expected}")


@dataclass(frozen=True, slots=True)
class Content:
    """What a row says: an empty `text` means that it says nothing usable."""

    text: str
    form: Form
    domain: str | None = None
    license: str | None = None


def seeds_from(
    rows: Iterable[Row],
    read: Callable[[Row], Content],
    source: SeedSource,
    *,
    limit: int | None = None,
    licensed: str | None = None,
) -> Iterator[Seed]:
    """The first `limit` usable rows as seeds, from "name#row"; the unusable ones are counted in `source.skipped`.

    `licensed` stands where a row names no licence of its own. Raises UserError where no row at all is usable.
    """
    source.skipped.clear()
    given = seen = 0
    for row in rows:
        seen += 1
        content = read(row)
        if reason := unusable(content):
            source.skipped[reason] += 1
            continue
        yield Seed.derive(
            None,
            source=f"{source.name}#{row.number}",
            text=content.text,
            form=content.form,
            domain=content.domain,
            license=content.license or licensed,
        )
        given += 1
        if given == limit:
            return
    if not given:
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(source.skipped.items())) or "there are none"
        raise UserError(f"{source.name}: none of its {seen} rows gives a seed ({reasons}); name another file or column")


def unusable(content: Content) -> str | None:
    """Why a row cannot be a seed, or None."""
    if not content.text:
        return "empty"
    if len(content.text) > LONGEST_TEXT:
        return "too_long"
    return None if all(map(is_unicode, (content.text, content.domain, content.license))) else "not_unicode"


def is_unicode(text: str | None) -> bool:
    """False for a text with half a surrogate pair (JSON can spell one), which no file could hold as UTF-8."""
    return text is None or not any("\ud800" <= char <= "\udfff" for char in text)


def squeezed(text: str) -> str:
    """The text on one line, with single spaces."""
    return " ".join(text.split())


def shortened(text: str, limit: int) -> str:
    """At most `limit` (> 4) characters: cut at a space where one is near, and marked by " ..."."""
    if len(text) <= limit:
        return text
    head = text[: limit - 4]
    space = head.rfind(" ", len(head) * 3 // 4)
    return (head[:space] if space > 0 else head).rstrip() + " ..."
