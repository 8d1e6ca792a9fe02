"""Whether the final answer reports what the functions returned, and nothing that nobody said."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from button.checks.amounts import Figure, figures
from button.checks.arithmetic import derivation, left_over, sum_of_few
from button.checks.details import marked_details, names
from button.checks.grounds import Grounds
from button.checks.moments import Date, moments
from button.checks.reading import Reading, Scalar, as_text, leaves, read
from button.checks.timing import day_lengths, trace_moments
from button.checks.vocabulary import phrase, stem, stems, tokens
from signatures.records import AssistantTurn, ToolTurn, Turn, UserTurn

# Capitalised in running text without naming anything that could be invented.
_PLAIN_NAMES = stems(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december english usd eur gbp am pm utc gmt mr mrs ms dr id url pdf faq celsius "
    "fahrenheit ok total subtotal note summary step option option day morning afternoon evening internet email please "
    "your you we mph kmh kcal cal kg km gps wifi tv usa us uk eta vat bmi q1 q2 q3 q4 min max avg north south east west"
)
# What a result says when it says only that all went well.
_OUTCOMES = stems(
    "success successful ok okay done complete sent confirm active booked scheduled "
    "created updated added saved set pending processed delivered received true status"
)
_SMALL = frozenset((0.0, 1.0, 2.0))
_LIST_MARK = re.compile(
    r"(?m)^\s*(?:[-*\u2022]\s*)?\**\d{1,2}[.)]\s|"
    r"\b(?:[Ss]tep|[Oo]ption|[Dd]ay|[Nn]umber|#) ?\d{1,2}\b(?=[:,.)]|\s*[-\u2013])|\s\(\d\)\s"
)
_HEADING = re.compile(r"(?m)^\s*(?:#+ .*|\**[^\n:*]{1,60}:\**)\s*$")
_EMPHASIS = re.compile(r"\*{1,3}|__|`")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def answer_problems(turns: Sequence[Turn]) -> list[str]:
    """What is wrong with the final answer as a report: invented figures and names, or nothing of the results in it."""
    final = next((turn.final for turn in reversed(turns) if isinstance(turn, AssistantTurn) and turn.final), None)
    if final is None:
        return ["there is no final answer"]
    return invented_parts(turns, final) + unreported_results(turns, final)


def invented_parts(turns: Sequence[Turn], final: str) -> list[str]:
    """The numbers, dates, times and names of the final answer that neither the user nor a result gave.

    Numbers may follow from known ones (`arithmetic.derivation`), dates by a known number of days, times by a duration.
    """
    grounds = known_before_answer(turns)
    text = _EMPHASIS.sub("", _HEADING.sub("\n", final))
    when = moments(_LIST_MARK.sub(" ", text))
    invented = [span for span in when.spans if not _moment_is_known(span, grounds)]
    known = list(dict.fromkeys(number for number, _ in grounds.numbers()))
    sizes = _countable(turns, grounds, text)
    invented += [f.surface for f in figures(when.rest) if not _figure_is_known(f, grounds, known, sizes)]
    # Fewer digits ("CO2", "COVID-19", "5-star") are words.
    codes = [code for code in marked_details(text) if sum(c.isdigit() for c in code) > 2 or "@" in code or "//" in code]
    invented += [code for code in codes if grounds.find_phrase(code) is None]
    invented += list(_unknown_names(text, grounds))
    return [
        f"the final answer says {part!r}, which neither the person nor a result said"
        for part in dict.fromkeys(invented)
    ]


def unreported_results(turns: Sequence[Turn], final: str) -> list[str]:
    """Whether the final answer holds a value or a word that only the results gave, where they gave any.

    All results count, not the last alone: after an email was sent, the answer tells the forecast that was in it.
    """
    user = read("\n".join(turn.content for turn in turns if isinstance(turn, UserTurn)))
    said = read(final)
    if said.numbers - user.numbers - _SMALL:
        return []  # a figure the person had not said: a result, or computed from one
    has_news = False
    for leaf in _result_leaves(turns):
        reading = read(as_text(leaf))
        news = _news(reading, user)
        if not news or (news.words <= _OUTCOMES and not (news.numbers or news.dates or news.times)):
            continue  # what the person said, or a bare "success"
        has_news = True
        if _shares(news, said) or (len(reading.phrase.split()) > 2 and said.says_phrase(reading.text)):
            return []
    return (
        ["the final answer reports nothing that the functions returned; tell the person the results"]
        if has_news
        else []
    )


def known_before_answer(turns: Sequence[Turn]) -> Grounds:
    """The user's words and all results of a transcript."""
    grounds = Grounds()
    for index, turn in enumerate(turns):
        if isinstance(turn, UserTurn):
            grounds.hear(turn.content)
        elif isinstance(turn, ToolTurn):
            for number, result in enumerate(turn.results):
                grounds.learn(index, number, result.results)
    return grounds


def _moment_is_known(span: str, grounds: Grounds) -> bool:
    return trace_moments(moments(span), grounds) is not None or grounds.find_phrase(span) is not None


def _figure_is_known(figure: Figure, grounds: Grounds, known: list[float], sizes: frozenset[float]) -> bool:
    """Whether a number was said, counts something, or follows from known numbers; 12.50 may also be half of 25."""
    if any(grounds.find(lambda reading, number=number: reading.says_number(number)) for number in figure.readings):  # type: ignore[misc]
        return True
    if figure.value in sizes:
        return True
    digits = str(int(abs(figure.value)))
    if len(digits) > 3 and grounds.find_phrase(digits):
        return True
    if figure.value.is_integer() and abs(figure.value) < 10:  # derivable from nearly anything
        return sum_of_few(figure.value, known) or left_over(figure.value, known) is not None
    return derivation(figure.value, known) is not None


def _countable(turns: Sequence[Turn], grounds: Grounds, text: str) -> frozenset[float]:
    """The small numbers that count: results in a list, calls made, nights of a stay, items of the answer itself."""
    calls = sum(len(turn.calls) for turn in turns if isinstance(turn, AssistantTurn))
    items = len(re.findall(r"(?m)^\s*(?:[-*\u2022]|\d{1,2}[.)])\s", text))
    sizes = {float(size) for source in grounds.sources for size in source.sizes}
    return frozenset(_SMALL | {float(calls), float(items)} | sizes | {float(days) for days in day_lengths(grounds)})


def _unknown_names(text: str, grounds: Grounds) -> Iterator[str]:
    """The names in the answer of which no word is known; names of several words need half of them."""
    known = {stem(token) for reading in grounds.readings() for token in tokens(reading.text)}
    known |= {word for source in grounds.sources for word in source.keys}
    for sentence in _SENTENCE.split(text):
        words = [word for word in sentence.split() if word[0].isalpha()]
        if sum(word[0].isupper() for word in words) > max(2, 0.6 * len(words)):
            continue  # a title: its capitals say nothing
        for name in names(sentence):
            parts = [stem(token) for token in tokens(name) if token[0].isalpha()]
            strange = [part for part in parts if part not in known and part not in _PLAIN_NAMES]
            if len(strange) > len(parts) / 2 and not _is_spelt_otherwise(name, grounds, known):
                yield name


def _is_spelt_otherwise(name: str, grounds: Grounds, known: set[str]) -> bool:
    """Whether a name is a known one written together or apart, or written out ("Body Mass Index" for "bmi")."""
    packed = phrase(name).replace(" ", "")
    initials = "".join(token[0] for token in tokens(name))
    return initials in known or any(packed in reading.phrase.replace(" ", "") for reading in grounds.readings())


def _result_leaves(turns: Sequence[Turn]) -> Iterator[Scalar]:
    for turn in turns:
        if isinstance(turn, ToolTurn):
            for result in turn.results:
                yield from (leaf for _, leaf in leaves(result.results) if not isinstance(leaf, bool | None))


@dataclass(frozen=True, slots=True)
class _News:
    """What a reading says that the user had not said."""

    words: frozenset[str]
    numbers: frozenset[float]
    dates: frozenset[Date]
    times: frozenset[int]


def _news(reading: Reading, user: Reading) -> _News | None:
    news = _News(
        reading.words - user.words,
        reading.numbers - user.numbers,
        reading.dates - user.dates,
        reading.times - user.times,
    )
    return news if news.words or news.numbers or news.dates or news.times else None


def _shares(news: _News, said: Reading) -> bool:
    """Whether the answer says a part of the news; of a number the rounded value too."""
    if news.words & said.words or news.times & said.times or any(said.says_date(day) for day in news.dates):
        return True
    return any(abs(number - told) <= 0.01 * abs(number) for number in news.numbers for told in said.numbers)
