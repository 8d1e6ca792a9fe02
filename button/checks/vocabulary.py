"""The words of a text as the checks compare them: folded, tokenised, stemmed, without the words that say nothing.

English word lists; a text in another language still compares by its tokens, only less forgivingly.
"""

import re
import unicodedata
from functools import lru_cache

# A leaf of a JSON value ends here, so that no phrase is found across two leaves.
LEAF_END = "\x1f"

# Words that carry no content of their own: grammar, numbers (read elsewhere), politeness, the filler of requests.
STOP_WORDS = frozenset(
    """
    a about after again all also am an and any are as at be because been before being below between both but by can
    could did do does doing down during each either else every few for from further had has have having he her here hers
    him his how i if in into is it its itself just let like may me might mine more most much must my myself need needs
    neither no nor not now of off on once only onto or other our ours out over own per please same shall she should so
    some such than that the their theirs them then there these they this those through to together too under until up
    upon us very via want wants was we well were what when where whether which while who whom whose why will with within
    without would yes yet you your yours
    best latest top main different various several new available based specific certain given kind sort type
    one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
    nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen
    detail details information info thing things way help make use used using able thank thanks hello hi dear
    regards sincerely im ive ill id youre its lets dont
    """.split()
)

# Verbs that all ask for the same thing: two tasks or two functions that differ by one of them alone do not differ.
LOOKUP_VERBS = frozenset(
    "find get show give tell search look lookup check provide list retrieve fetch obtain query see identify".split()
)

# Their last letters are no ending.
_WHOLE = frozenset("news lens series species always during evening morning".split())

_TOKEN = re.compile(rf"\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*|{LEAF_END}")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def fold(text: str) -> str:
    """Lower case, without accents, with plain apostrophes and dashes: `text` without habits of writing."""
    if not text.isascii():
        text = text.replace("\u2019", "'").replace("\u2018", "'").replace("\u2013", "-").replace("\u2014", " - ")
        text = text.replace("\u2212", "-").replace("\u00df", "ss")
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    return text.casefold()


def tokens(text: str) -> list[str]:
    """The words and numbers of `text`, folded; "1,200" is one token, "5km" are two, "Maria's" is "maria"."""
    found = []
    for token in _TOKEN.findall(fold(text)):
        if token[0].isdigit():
            found.extend(_number_tokens(token))
        elif "'" in token:
            found.append(token.removesuffix("'s").replace("'", ""))
        else:
            found.append(token)
    return found


def _number_tokens(token: str) -> list[str]:
    if "," not in token:
        return [token]
    return [token.replace(",", "")] if _GROUPED.fullmatch(token) else token.split(",")


@lru_cache(maxsize=8192)
def phrase(text: str) -> str:
    """The tokens of `text` between single spaces, one at each end, so that `in` finds whole words only."""
    return f" {' '.join(tokens(text))} "


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """A light stem of a folded word: plural, -ing, -ed, -ly and a doubled or silent end taken off.

    Harman's S-stemmer and the three endings; it confuses less than a full Porter stemmer, and it needs to serve
    comparison only.
    """
    if len(word) < 4 or not word.isalpha() or word in _WHOLE:
        return word
    for ending, put in (("ies", "y"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            word = word[: -len(ending)] + put
            break
    else:
        if word.endswith("s") and not word.endswith(("ss", "us", "is")):
            word = word[:-1]
    for ending in ("ingly", "edly", "ing", "ed", "ly"):
        bare = word.removesuffix(ending)
        if bare != word and len(bare) >= 3 and re.search("[aeiouy]", bare):
            word = bare[:-1] if len(bare) > 3 and bare[-1] == bare[-2] and bare[-1] not in "lsz" else bare
            break
    return word.removesuffix("e") if len(word) > 3 else word


def stems(words: str) -> frozenset[str]:
    """The stems of a list of words in one text: how the word lists of the checks are written."""
    return frozenset(stem(word) for word in words.split())


@lru_cache(maxsize=4096)
def content_words(text: str) -> frozenset[str]:
    """The stems of the words of `text` that say something; numbers are not among them."""
    return frozenset(stem(t) for t in tokens(text) if len(t) > 1 and t[0].isalpha() and t not in STOP_WORDS)


@lru_cache(maxsize=4096)
def name_words(identifier: str) -> frozenset[str]:
    """The stems of the parts of a snake_case or camelCase name; `getFlightID` gives get, flight, id."""
    return frozenset(stem(t) for t in tokens(_CAMEL.sub(" ", identifier)) if t[0].isalpha())


def overlap(a: frozenset[str], b: frozenset[str]) -> float:
    """Jaccard's index of two sets in [0, 1]; 0 where both are empty."""
    union = len(a | b)
    return len(a & b) / union if union else 0.0
