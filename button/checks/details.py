"""The concrete details of a text: what a solver would have to be told, and what must not get lost on the way."""

import re
from dataclasses import dataclass
from functools import lru_cache

from button.checks.amounts import LONG_NUMBER, figures
from button.checks.moments import moments
from button.checks.reading import read
from button.checks.vocabulary import phrase

_EMAIL = re.compile(r"[\w.+-]+@\w[\w-]*(?:\.[\w-]+)+")
_LINK = re.compile(r"(?:https?://|www\.)[^\s,;\"']*[\w/]")
_CODE = re.compile(
    r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])(?!\d+(?:[a-z]{1,4}|-[a-z]+)\b)[A-Za-z0-9][\w-]{2,}(?![\w-])"
)
_QUOTED = re.compile(
    r"[\"\u201c]([^\"\u201c\u201d]{1,120})[\"\u201d]|(?<!\w)['\u2018]([^'\u2018\u2019]{2,120})['\u2019](?!\w)"
)

_WORD = r"(?:St|Mt|Ft|Dr|Prof)\.|[A-Z][\w&'\u2019.-]*[\w]|[A-Z]"
_NAME = re.compile(
    rf"(?<![\w'\u2019])(?:{_WORD})(?:(?:\s+(?:of|the|de|da|di|del|la|le|van|von|der|al|y)){{0,2}}\s+(?:{_WORD}))*"
)
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Prof|Jr|Sr|No|Mt|Ave|Rd|vs|Inc|Ltd)|\b[A-Z])\.$")
_SENTENCE_START = re.compile(r"(?:^|[.!?:]|\n|[-*\u2022>#|]|\d[.)]|\*\*|[\"\u201c(])\s*$")
_MONTH_NAME = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?"
)
# Capitalised by habit, no names.
_NO_NAMES = frozenset("I I'm I'd I'll I've AM PM OK Mr Mrs Ms Dr Please Hi Hello Dear".split())


@dataclass(frozen=True, slots=True)
class Detail:
    """A detail as written, and its canonical spelling (folded; a number or date in one notation)."""

    surface: str
    canonical: str


@lru_cache(maxsize=4096)
def details(text: str) -> tuple[Detail, ...]:
    """The details of `text`: links, emails, quoted strings, codes, dates, times, numbers and names, each once."""
    found: dict[str, Detail] = {}

    def keep(surface: str, canonical: str) -> None:
        if canonical.strip():
            found.setdefault(canonical, Detail(surface.strip(), canonical))

    rest = text
    for pattern in (_LINK, _EMAIL, _QUOTED, LONG_NUMBER, _CODE):
        for match in pattern.finditer(rest):
            said = next((group for group in match.groups() if group), match[0])
            keep(said, phrase(said).strip())
        rest = pattern.sub(lambda match: f"\x1f{' ' * (len(match[0]) - 1)}", rest)
    when = moments(rest)
    for span in when.spans:
        keep(span, _moment_key(span))
    for figure in figures(when.rest):
        keep(figure.surface, f"{figure.value:.10g}")
    for name in names(_MONTH_NAME.sub("\x1f", rest) if when.dates else rest):
        keep(name, phrase(name).strip())
    return tuple(found.values())


def details_of(text: str) -> frozenset[str]:
    """The canonical details of `text`: "4", "1200", "2026-03-03", "--07-04", "19:30", "maria lopez", "ab 123"."""
    return frozenset(detail.canonical for detail in details(text))


def missing_details(source: str, target: str) -> list[str]:
    """The details of `source`, as written there, that `target` does not say in any notation."""
    reading = read(target)
    missing = []
    for detail in details(source):
        when, wanted = moments(detail.surface), read(detail.surface)
        if when.spans:
            said = all(any(reading.says_date(day) for day in mention) for mention in when.dates) and all(
                any(minute in reading.times for minute in mention) for mention in when.times
            )
        else:
            said = reading.says_phrase(detail.surface) or bool(
                wanted.numbers and not wanted.words and any(number in reading.numbers for number in wanted.numbers)
            )
        if not said:
            missing.append(detail.surface)
    return missing


def marked_details(text: str) -> list[str]:
    """The links, emails and codes of `text`: what can only be copied."""
    return [match[0] for pattern in (_LINK, _EMAIL, LONG_NUMBER, _CODE) for match in pattern.finditer(text)]


def names(text: str) -> list[str]:
    """The runs of capitalised words of `text` that stand inside a sentence, where a capital means a name.

    At the start of a sentence, a line, a list item or a quotation the first word counts only by what follows it.
    """
    found = []
    for match in _NAME.finditer(text):
        name, before = match[0], text[: match.start()].rstrip(" ")
        if _SENTENCE_START.search(before) and not _ABBREVIATION.search(before):
            _, _, name = name.partition(" ")
            name = re.sub(r"^(?:(?:of|the|de|da|di|del|la|le|van|von|der|al|y)\s+)+", "", name)
        words = [word for word in name.removeprefix("The ").split() if word.rstrip(".") not in _NO_NAMES]
        if words:
            found.append(" ".join(words).rstrip(".").removesuffix("'s").removesuffix("\u2019s"))
    return found


def _moment_key(text: str) -> str:
    when = moments(text)
    days = ["/".join(f"{y or '-'}-{m:02d}-{d or 0:02d}" for y, m, d in mention) for mention in when.dates]
    times = [f"{mention[0] // 60:02d}:{mention[0] % 60:02d}" for mention in when.times]
    return " ".join([*days, *times])
