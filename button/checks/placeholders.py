"""Blanks that a model left for somebody else to fill, in a text or as a value."""

import re

from button.checks.vocabulary import fold

# What marks a blank inside a text. Square brackets count only around words ("[Your Name]"), not around list values.
_IN_TEXT = tuple(
    re.compile(pattern)
    for pattern in (
        r"\[(?:[A-Za-z][\w'/ -]*)\](?!\()",
        r"<[A-Za-z][\w' -]*>",
        r"\{[A-Za-z_][\w' -]*\}",
        r"_{3,}",
        r"\$\{|\$[A-Z]+_[A-Z_]+\b",
        r"\b(?:X{3,}|XYZ|ABCXYZ|YYYY(?:-MM-DD)?|MM/DD/YYYY|DD/MM/YYYY|HH:MM|TBD|TBA|TODO|FIXME)\b",
        r"(?i:\blorem ipsum\b|\bfoo ?bar\b|\bplaceholder\b)",
        r"(?i:\b(?:insert|enter|add) your \w+)",
        r"(?i:\byour[_-](?:name|email|address|city|id|key|company|phone)\b)",
        r"(?i:(?<![\w/])e\.g\.)",
        r"\b(?:city|company|product|person|restaurant|hotel|user|item|book|movie|team|customer|event) [XYZABC]\b",
        r"(?:\.{3}|\u2026)",
    )
)

# What no field of a call or a result may be, folded and without punctuation around it.
_VALUES = frozenset(
    " ".join(value.split())
    for value in """
    string|str|text|integer|int|number|float|boolean|bool|array|list|object|dict|null|undefined|nan|n/a|na|unknown|
    not available|not specified|not provided|unspecified|tbd|todo|example|sample|test|placeholder|value|some value|
    some text|some string|dummy|foo|bar|foobar|abc|xyz|xxx|xxxx|insert here|user input|your name|your email|lorem ipsum|
    john doe|jane doe|default value|string value|example value|sample text|sample value|name here|value here
    """.split("|")
)
_EDGES = " \t\n\"'`.,;:!?()[]{}<>_-*#"


def placeholders_in(text: str) -> list[str]:
    """The pieces of `text` that are blanks to fill: "[name]", "<city>", "XXX", "e.g.", "..."."""
    return [match[0] for pattern in _IN_TEXT for match in pattern.finditer(text)]


def is_placeholder(value: str, *, name: str = "", description: str = "") -> bool:
    """Whether a field's value is none: empty, a type's name, "N/A", a blank, or its own name or description."""
    bare = fold(value).strip(_EDGES)
    if not bare or bare in _VALUES:
        return True
    own = {name.replace("_", " "), name, description}
    return bare in {fold(text).strip(_EDGES) for text in own if text} or _is_blank(value)


def _is_blank(value: str) -> bool:
    return any(match == value.strip() or match[0] in "[<{" for match in placeholders_in(value))
