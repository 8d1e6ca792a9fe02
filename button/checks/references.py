"""Where a task leans on what only the speaker knows: "this list", "the given file", "my usual", "near me"."""

import re

from button.checks.details import names
from button.checks.vocabulary import fold, stem, tokens

_NOUN = (
    r"(?:list|file|document|text|article|image|photo|picture|data|dataset|table|email|message|link|url|website|page|"
    r"information|details?|items?|address|location|place|number|name|results?|output|task|scenario|situation|request|"
    r"query|products?|book|movie|song|recipe|city|country|report|paper|video|audio|code|sentence|paragraph|order|"
    r"appointment|event|meeting|person|user|customer|company|options?|ingredients|input|example|values?|parameters?)\b"
)
# "that" points only after a preposition; elsewhere it begins a clause ("policies that address noise").
_POINTING = re.compile(
    rf"\b(?:this|these|those|(?:for|of|to|in|from|with|about|on|at|using|by) that) (?P<noun>{_NOUN})(?! of\b)"
)
# What sums up a whole sentence may follow one.
_SUMMARIES = frozenset(("information", "data", "details", "results"))
_POINTED_OUT = "the (?:given|provided|specified|attached|mentioned|aforementioned|above|previous|selected|chosen)"
_VAGUE = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_POINTED_OUT} (?:{_NOUN}|dates?\b|times?\b)",
        rf"\b(?:a|an|the|some) (?:specific|certain|particular|given|specified) (?:\w+ )?{_NOUN}",
        r"\b(?:attached|enclosed|uploaded) (?:file|document|photo|image|picture|list|spreadsheet|report|pdf)\b",
        r"\bi(?:'ve| have)? (?:attached|uploaded|pasted)\b",
        r"\b(?:listed|mentioned|described|shown|given|stated|provided) (?:above|below|earlier|before)\b",
        rf"\b(?:above|below) {_NOUN}|\b(?:see|as) above\b",
        r"\bmy (?:usual|regular|favou?rite|preferred|saved|current|existing|previous|default)\b|\bmy preferences?\b",
        r"\byour (?!own\b)\w+",  # a task speaks to an assistant, who has nothing of its own
        r"\bas usual\b|\b(?:like|same as) (?:last time|before)\b",
        r"\b(?:as|like) (?:you know|we discussed|discussed|i said|i told you)\b|\bthe one (?:we|i|you) \w+",
    )
)
_FOLLOWING = re.compile(r"\b(?:the following (?!day|morning|evening|night|week|weekend|month|year)|as follows\b)")
_GIVEN_IN_PLACE = re.compile(r":|\"|(?<!\w)'")
# Places known to the speaker alone, unless the task names one.
_HERE = re.compile(
    r"\bnear(?:by)? me\b|\baround (?:me|here)\b|\bnear here\b|\bclose to (?:me|home|here)\b|\bin (?:the|this) area\b|"
    r"\bmy (?:current )?(?:location|area|city|town|neighbou?rhood|region|zip code|address)\b|"
    r"\blocal(?:ly)?\b(?= (?:area|restaurants?|shops?|stores?|weather|events?))|\byour (?:location|area|city)\b"
)


def open_references(text: str) -> list[str]:
    """The references of `text` without an antecedent in it. Relative dates ("this weekend") are none."""
    folded = fold(text)
    found = [match[0] for pattern in _VAGUE for match in [pattern.search(folded)] if match]
    for match in _POINTING.finditer(folded):
        before = [stem(token) for token in tokens(folded[: match.start()])]
        summed_up = match["noun"] in _SUMMARIES and len(before) > 6
        if not (summed_up or stem(match["noun"]) in before or _GIVEN_IN_PLACE.search(folded, match.end())):
            found.append(match[0])
    if (following := _FOLLOWING.search(folded)) and ":" not in folded[following.end() :]:
        found.append(following[0])
    if (here := _HERE.search(folded)) and not names(text):
        found.append(here[0])
    return found
