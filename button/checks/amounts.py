"""The numbers that a text says: in digits or words, with magnitude, and in the units they may be asked in."""

import re
from dataclasses import dataclass

from button.checks.vocabulary import fold

_ONES = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: value * 10
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_SMALL = _ONES | _TENS
_SCALES = {"hundred": 100, "dozen": 12, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
# Said, but seldom a detail that has to be carried on: found only where numbers are looked up, never demanded.
_LOOSE = {
    "once": 1, "single": 1, "twice": 2, "double": 2, "both": 2, "couple": 2, "pair": 2, "triple": 3, "half": 0.5,
    "quarter": 0.25, "fortnight": 14, "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6,
    "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "one": 1,
}  # fmt: skip
_MAGNITUDES = {"k": 1e3, "mn": 1e6, "bn": 1e9} | {word: float(value) for word, value in _SCALES.items()}

# The factors into the units that a parameter may ask for ("two hours" answers `minutes`), by the unit that was said.
_UNITS = {
    "hour": (60, 3600), "hr": (60, 3600), "h": (60, 3600), "minute": (60, 1 / 60), "min": (60, 1 / 60),
    "day": (24, 1440), "week": (7,), "month": (30, 1 / 12), "year": (12, 365), "decade": (10,), "km": (1000,),
    "kilometer": (1000,), "kilometre": (1000,), "kg": (1000,), "kilogram": (1000,), "kilo": (1000,), "g": (0.001,),
    "gram": (0.001,), "m": (1e6, 0.001, 100), "meter": (0.001, 100), "metre": (0.001, 100), "cm": (0.01, 10),
    "liter": (1000,), "litre": (1000,), "ml": (0.001,), "ton": (1000,), "gb": (1000, 1024), "tb": (1000, 1024),
    "cent": (0.01,), "%": (0.01,), "percent": (0.01,), "foot": (12,), "feet": (12,),
}  # fmt: skip

# "nine hundred and ninety-nine thousand nine hundred ..." is nobody's argument.
_LONGEST_NUMBER = 40

_DAYS = {"day": 1, "night": 1, "week": 7}
_MINUTES = {"minute": 1, "min": 1, "hour": 60, "hr": 60, "h": 60}

_WORD = "|".join(sorted([*_ONES, *_TENS, *_SCALES], key=len, reverse=True))
# A magnitude after digits ("1.5 million") is left to _DIGITS.
_SPELT = re.compile(rf"(?<!\d )\b(?:{_WORD})(?:(?:[\s-]+|\s+and\s+)(?:{_WORD}))*\b")
_LOOSE_WORD = re.compile(rf"\b(?:{'|'.join(_LOOSE)})\b")
_AND_A_HALF = re.compile(r"\b(\d+)( [a-z]+)? and a half\b")
_FRACTION = re.compile(r"(?<![\d/.])(\d{1,2})[/\u2044](\d{1,2})(?![\d/.])")
_A_UNIT = re.compile(rf"(?<!0\.5 )\ban? (?=(?:{'|'.join(unit for unit in _UNITS if unit.isalpha())})s?\b)")
# Telephone numbers, ISBNs and their like are codes: they are copied, not counted with.
LONG_NUMBER = re.compile(
    r"(?<![\w.])(?:(?:\+\d{1,3}[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}|"
    r"\+\d[\d .-]{6,}\d|\d+(?:-\d+){3,})(?![\w-])"
)
_DIGITS = re.compile(
    r"(?<![\w.,])(?P<sign>-(?=\d))?(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?![.,]?\d)"
    r"(?:(?:\s|-)?(?:an?\s)?(?P<unit>%|[a-z]+)(?![^\W_]))?"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a text: as written, its value, and every value it may stand for (in other units too).

    `start` is where it begins in the folded text, `unit` the word or sign right after it.
    """

    surface: str
    value: float
    readings: tuple[float, ...]
    start: int
    unit: str


def tidy(value: float) -> float:
    """`value` to nine digits after the point, so that 0.1 + 0.2 meets 0.3 in a set."""
    return round(float(value), 9) + 0.0


def figures(text: str, *, loose: bool = False) -> list[Figure]:
    """The numbers of `text`, in order: digits and spelt cardinals from two on; `loose` adds one, half, first, both, ...

    Digits inside a code ("AB123") are no number; digits of a date or a time are (take those out before).
    """
    folded = _with_digits(LONG_NUMBER.sub(" ", fold(text)), loose=loose)
    found = []
    for match in _DIGITS.finditer(folded):
        if len(match["number"]) > _LONGEST_NUMBER:
            continue  # a model in a loop
        unit = match["unit"] or ""
        bare = float(match["number"].replace(",", "")) * (-1 if match["sign"] else 1)
        value = tidy(bare * _MAGNITUDES.get(unit, 1))
        factors = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"), ())
        surface = match[0].removesuffix(unit).rstrip(" -") if unit not in _MAGNITUDES and unit != "%" else match[0]
        found.append(Figure(surface.strip(), value, (value, *(tidy(value * f) for f in factors)), match.start(), unit))
    return found


@dataclass(frozen=True, slots=True)
class Numbers:
    """Every number that a text can be said to hold, however written, and the lengths among them in days and minutes."""

    values: frozenset[float]
    days: frozenset[float]
    minutes: frozenset[float]


def numbers_in(text: str) -> Numbers:
    """The numbers of `text`, loose ones and other units included."""
    found = figures(text, loose=True)
    values = {reading for figure in found for reading in figure.readings}
    values.update(tidy(int(top) / int(bottom)) for top, bottom in _FRACTION.findall(fold(text)) if int(bottom))
    return Numbers(frozenset(values), _lengths(found, _DAYS), _lengths(found, _MINUTES))


def _lengths(found: list[Figure], units: dict[str, int]) -> frozenset[float]:
    return frozenset(f.value * units[unit] for f in found if (unit := f.unit.removesuffix("s")) in units)


def as_number(text: str) -> float | None:
    """The number that the whole of `text` is ("12", "$1,200.50", "five"), or None."""
    if len(text) > _LONGEST_NUMBER:
        return None
    found = figures(text.strip().lstrip("$\u20ac\u00a3\u00a5 "))
    if len(found) != 1 or found[0].start > 0:
        return None
    rest = fold(text).strip().lstrip("$\u20ac\u00a3\u00a5 ")
    return found[0].value if _with_digits(rest, loose=False) == found[0].surface else None


def _with_digits(folded: str, *, loose: bool) -> str:
    """`folded` with spelt numbers in digits, so that one pattern reads them all, with their units."""
    if loose:
        folded = folded.replace("half a dozen", "6")
    folded = _SPELT.sub(lambda match: _spelt_value(match[0], loose=loose), folded)
    if loose:
        folded = _AND_A_HALF.sub(r"\1.5\2", folded)
        folded = _LOOSE_WORD.sub(lambda match: f"{_LOOSE[match[0]]:g}", folded)
        folded = _A_UNIT.sub("1 ", folded)
    return folded


def _spelt_value(words: str, *, loose: bool) -> str:
    """ "two hundred and five" as "205"; a list ("two, three" without its comma) as "2 3"."""
    groups: list[list[str]] = [[]]
    for word in re.split(r"[\s-]+", words):
        last = groups[-1][-1] if groups[-1] else ""
        if (word in _TENS and last in _SMALL) or (word in _ONES and last in _ONES):
            groups.append([])
        if word != "and":
            groups[-1].append(word)
    if groups in ([["one"]], [["zero"]]) and not loose:
        return words
    return " ".join(str(_cardinal(group)) for group in groups)


def _cardinal(words: list[str]) -> int:
    total, current = 0, 0
    for word in words:
        if word in ("hundred", "dozen"):
            current = max(current, 1) * _SCALES[word]
        elif word in _SCALES:
            total, current = total + max(current, 1) * _SCALES[word], 0
        else:
            current += _SMALL[word]
    return total + current
