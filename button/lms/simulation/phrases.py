"""Phrases with slots: filled with values, and recognised again with the values read back.

"Find a {trade} in {city}." filled is "Find a painter in Oslo."; matched, it gives the texts of both slots.
"""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from button.lms.simulation.kinds import show

_SLOT = re.compile(r"\{(\w+)\}")
_ARTICLE_SLOT = re.compile(r"\b(?P<article>[Aa]) \{(?P<after>\w+)\}|\{(?P<plain>\w+)\}")


class Phrase:
    """One wording. `patterns` are the regular expressions of the slots that are not free text."""

    def __init__(self, text: str, patterns: Mapping[str, str]) -> None:
        self.text = text
        self.slots = tuple(dict.fromkeys(_SLOT.findall(text)))
        self.first_word = text.split(" ", 1)[0]
        self.literals = sorted(
            _SLOT.sub("\n", text.rstrip(".")).replace(" a \n", " \n").split("\n"), key=len, reverse=True
        )
        self.weight = sum(map(len, self.literals))
        self._patterns = patterns

    def fill(self, values: Mapping[str, Any]) -> str:
        """The phrase with the values written in."""
        return written(self.text, values)

    def match(self, text: str) -> dict[str, str] | None:
        """The texts of the slots, or None where `text` is not this phrase."""
        if self.literals[0] not in text:
            return None
        found = self._regex.fullmatch(text.rstrip("."))
        return found.groupdict() if found else None

    def begins(self, text: str) -> bool:
        """Whether `text` begins with this phrase, whatever follows."""
        return self.literals[0] in text and self._regex.match(text) is not None

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        seen: set[str] = set()
        pattern = ""
        for piece in re.split(r"(\{\w+\})", self.text.rstrip(".")):
            slot = _SLOT.fullmatch(piece)
            if slot is None:
                pattern += re.sub(r"\b([Aa])\\ $", r"\1n?\\ ", re.escape(piece))
            elif slot[1] in seen:
                pattern += rf"(?P={slot[1]})"
            else:
                seen.add(slot[1])
                pattern += rf"(?P<{slot[1]}>{self._patterns.get(slot[1], '.+?')})"
        return re.compile(pattern)


def written(text: str, values: Mapping[str, Any]) -> str:
    """`text` with its slots filled, "a" turned into "an" where a value after it begins with a vowel."""

    def value_of(match: re.Match[str]) -> str:
        if match["plain"]:
            return show(values[match["plain"]])
        value = show(values[match["after"]])
        return f"{match['article']}{'n' if value[:1] in 'aeiouAEIO' else ''} {value}"

    return _ARTICLE_SLOT.sub(value_of, text)
