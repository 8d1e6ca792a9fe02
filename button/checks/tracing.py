"""How one argument value is traced: a truth value, a number, a text. The walk over a transcript: provenance.py."""

import re
from dataclasses import dataclass

from button.checks.amounts import as_number, figures
from button.checks.arithmetic import derivation, sum_of_few
from button.checks.details import marked_details
from button.checks.generality import without_examples
from button.checks.grounds import FROM_SCHEMA, FROM_USER, NOWHERE, Found, Grounds, latest
from button.checks.moments import moments
from button.checks.notations import says_otherwise
from button.checks.reading import Scalar
from button.checks.timing import day_lengths, trace_moments
from button.checks.vocabulary import content_words, name_words, phrase, stem, stems, tokens
from signatures.records import JsonObject

# A text of more words is written, not copied: this share of its content words must be known.
FREE_TEXT_WORDS = 6
FREE_TEXT_SHARE = 0.7
# A text depends on the results when this share of its content words is known from them only.
RESULT_SHARE = 0.25


# Parameters whose value is computed now and then; an id, an age or a page number never is.
_QUANTITIES = stems(
    "amount total sum cost price budget difference remaining balance average mean tip fee payment distance duration "
    "minutes hours days nights weeks months people guests quantity count weight area volume calories score percent "
    "percentage rate saving savings discount value expense income target size serving servings ratio principal "
    "interest deposit salary revenue profit loss tax subtotal points share dose speed length width height"
)
_COUNTED = stems(
    "quantity count num amount people guests passengers adults travelers tickets rooms nights days seats copies "
    "party size servings items units players persons hours weeks months"
)
_DATE_PARTS = stems("day month year hour date time")
_NUMBER_OF = re.compile(r"(?:num|no|number)s?_of_|num_|n_|max_|min_")
_STAYS = stems("nights days duration length stay")
_FLAG_WORDS = stems("is has have include included with need needs allow enable enabled only required use should want")
_DAY_WORDS = stems("monday tuesday wednesday thursday friday saturday sunday date time day t z utc gmt from start end")
# What every message and note says around its facts.
_GLUE = stems(
    "cost total person depart arrive confirm confirmation book booked schedule include attach summary update reminder "
    "enjoy wish look forward question contact request received follow note plan sure inform send"
)
_SEPARATORS = re.compile(r"\s*[,;/|&+*\n]\s*|\s+-\s+|:\s+|\s+(?:and|to|in|at|on|from|for|by)\s+")
_ADDRESSED = re.compile(
    r"\b(?:Dear|Hi|Hello|Hey|[Rr]egards|[Ss]incerely|[Ww]ishes|[Tt]hanks),?\s+(?:(?:Mr|Mrs|Ms|Dr)\.? )?([A-Z][a-z]+)"
)
_ADDRESSED_AT_LARGE = stems(
    "team all everyone there sir madam customer friend friends colleagues guests hiring you folks"
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """What the definition says of a value's place: its name, its JSON-Schema body, and the function's name."""

    name: str
    body: JsonObject
    function: str

    @property
    def description(self) -> str:
        """The description in the body, or an empty text."""
        return str(self.body.get("description", ""))

    def allows(self, value: Scalar) -> bool:
        """Whether the schema itself gives `value`: its default, its constant, one of its allowed values."""
        given = [*self.body.get("enum", ()), *(self.body[key] for key in ("default", "const") if key in self.body)]
        return value in given or (isinstance(value, str) and value.casefold() in [str(one).casefold() for one in given])

    def vocabulary(self) -> frozenset[str]:
        """The words of the definition, which a text may use though nobody said them."""
        return name_words(self.name) | name_words(self.function) | content_words(without_examples(self.description))


def trace_truth(value: bool, parameter: Parameter, grounds: Grounds) -> Found:
    """True needs the user, a result or the default to speak of it; false for what nobody spoke of is neutral."""
    topic = name_words(parameter.name) - _FLAG_WORDS
    if topic & grounds.user.words:
        return FROM_USER
    for source in grounds.sources:
        if any(flag == value and name_words(key) & topic for key, flag in source.flags.items()):
            return source.found
    return FROM_SCHEMA if not value or parameter.allows(value) else NOWHERE


def trace_number(value: float, parameter: Parameter, grounds: Grounds) -> Found:
    """A number that is said, or counted in a result, or computed from known ones where the parameter is a quantity."""
    name = name_words(parameter.name)
    if _NUMBER_OF.match(parameter.name):
        name |= {"count"}
    if found := grounds.find(lambda reading: reading.says_number(value, parts=bool(name & _DATE_PARTS))):
        return found
    if value == 1 and name & _COUNTED and re.search(r" (?:an?|my) ", grounds.user.phrase):
        return FROM_USER
    if parameter.allows(value):
        return FROM_SCHEMA
    if name & _STAYS and value in day_lengths(grounds):
        return FROM_USER if any(grounds.user.dates) else grounds.sources[-1].found
    for source in grounds.sources:
        if name & _COUNTED and value in source.sizes:
            return source.found
    return trace_computed(value, grounds) or NOWHERE if name & _QUANTITIES else NOWHERE


def trace_computed(value: float, grounds: Grounds) -> Found | None:
    """A computed number comes from the latest result that gave an operand, else from the user.

    Small whole numbers are derivable from nearly anything, so only sums of what the user said count for them.
    """
    if value.is_integer() and abs(value) < 10:
        return FROM_USER if sum_of_few(value, sorted(grounds.user.numbers)) else None
    origins: dict[float, Found] = {}
    for number, found in grounds.numbers():
        origins.setdefault(number, found)
    operands = derivation(value, list(origins))
    return latest([origins[number] for number in operands]) if operands else None


def trace_text(value: str, parameter: Parameter, grounds: Grounds) -> Found:
    """A text: a number or a moment by its meaning, a phrase as it is said, else by its pieces and its words."""
    when = moments(value)
    if (number := as_number(value)) is not None:
        found = trace_number(number, parameter, grounds)
        is_code = sum(c.isdigit() for c in value) > 4
        return found if found is not NOWHERE or not is_code else grounds.find_phrase(value) or NOWHERE
    if when.spans and not content_words(when.rest) - _DAY_WORDS:
        said = trace_moments(when, grounds) or grounds.find_phrase(value)
        return said or (FROM_SCHEMA if parameter.allows(value) else NOWHERE)
    if said := _trace_phrase(value, grounds):
        return said
    if parameter.allows(value) or _is_listed(value, parameter):
        return FROM_SCHEMA
    return _trace_pieces(value, grounds) or _trace_words(value, parameter, grounds) or NOWHERE


def _trace_phrase(value: str, grounds: Grounds) -> Found | None:
    bare = value.strip()
    if len(bare) == 1:  # "a" is an article nearly everywhere; as a value it must stand there as it is written
        alone = re.compile(rf"(?<!\w){re.escape(bare)}(?!\w)")
        return grounds.find(lambda r: alone.search(r.text) is not None or says_otherwise(r.text, bare))
    return grounds.find_phrase(value) or grounds.find(lambda reading: says_otherwise(reading.text, value))


def _trace_pieces(value: str, grounds: Grounds) -> Found | None:
    """A value put together from known ones: "Paris, France", "4 May at Rosa's", "290 / 5"."""
    pieces = [piece for piece in _SEPARATORS.split(value) if piece and phrase(piece).strip()]
    found = [_trace_piece(piece, grounds) for piece in pieces]
    known = [one for one in found if one is not None]
    return latest(known) if len(pieces) > 1 and len(known) == len(found) else None


def _trace_piece(piece: str, grounds: Grounds) -> Found | None:
    when = moments(piece)
    if (number := as_number(piece)) is not None:
        return grounds.find(lambda reading: reading.says_number(number, parts=True))
    return trace_moments(when, grounds) if when.spans else _trace_phrase(piece, grounds)


def _trace_words(value: str, parameter: Parameter, grounds: Grounds) -> Found | None:
    """A text by its words: all known where it is short, most where it is long; and every number, date, code in it."""
    when = moments(value)
    facts = [_trace_fact(figure.value, grounds) for figure in figures(when.rest)]
    facts += [grounds.find_phrase(code) for code in marked_details(value)]
    facts += [
        grounds.find_phrase(name)
        for name in _ADDRESSED.findall(value)
        if stem(name.casefold()) not in _ADDRESSED_AT_LARGE
    ]
    if when.spans:
        facts.append(trace_moments(when, grounds))
    if any(fact is None for fact in facts):
        return None
    words = content_words(when.rest) - parameter.vocabulary() - _GLUE
    unknown = words - grounds.all_words() - grounds.topic
    allowed = len(words) * (1 - FREE_TEXT_SHARE) if len(tokens(value)) > FREE_TEXT_WORDS else 0
    if len(unknown) > allowed:
        return None
    return _dominating(words, [fact for fact in facts if fact], grounds)


def _trace_fact(number: float, grounds: Grounds) -> Found | None:
    return grounds.find(lambda reading: reading.says_number(number, parts=True)) or trace_computed(number, grounds)


def _dominating(words: frozenset[str], facts: list[Found], grounds: Grounds) -> Found | None:
    """A result, where the text holds a fact or a good share of words that only results know; else the user."""
    if facts and (last := latest(facts)).origin == "result":
        return last
    news = words - grounds.user.words
    said = words & grounds.user.words
    if grounds.sources and news and (len(news) >= RESULT_SHARE * len(words) or not said):
        best = max(grounds.sources, key=lambda source: len(news & source.reading.words))
        if news & best.reading.words:
            return best.found
    return FROM_USER if said or facts else None


def _is_listed(value: str, parameter: Parameter) -> bool:
    """Whether the description offers `value` among others ("celsius or fahrenheit"); its examples do not count."""
    said = value.strip().casefold()
    text = without_examples(parameter.description).casefold()
    if len(said) < 2 or said not in text or content_words(value) <= name_words(parameter.name):
        return False
    one = re.escape(said)
    return bool(re.search(rf"['\"`]{one}['\"`]|(?:,| or|/|\(|:)\s?{one}\b|\b{one}(?: or\b|/|,| ?\))", text))
