"""Tasks and compositions by filling in forms, for small models: the program chooses the actions, the model what with.

A small model asked for a whole task takes a person for a destination and leans on things nobody has named; asked for
a composition it repeats the given task or copies the examples. A form leaves it one slot, and the decoder holds it to
the form; the composed task is the sub-tasks said in one go, which the user agent rewords.
"""

import random
import re
from collections.abc import Sequence
from string import Formatter

from button.checks.vocabulary import name_words, stem, stems
from modules.details import FIRST_NAMES, LAST_NAMES, Detail, details_of_kinds
from modules.wording import is_plural
from signatures.records import JsonObject

FOUND = "..."
_OPENINGS = ("Find", "Look up", "Check", "Search for")
_TAILS = (
    "in {city} on {date}",
    "in {city} on {date} at {time}",
    "in {city} on {date} for {people}",
    "in {city} for less than {amount}",
    "in {city}",
)
_THING = "(?:[a-z]{4,20}|[a-z]{1,20}(?:[ -][a-z]{1,20}){1,9})"
_NAMED = r"[A-Za-z0-9][A-Za-z0-9'-]*(?: [A-Za-z0-9'-]+){0,5}"
_BROKEN_OFF = re.compile(
    r"\b(?:a|an|the|of|to|and|or|with|in|at|on|for|from|by|is|are|be|if|that|which|can|will|than|per|as)"
    r" (?:in [A-Z]|that (?:was|were) found)"
)
_BETWEEN_NOUNS = (
    r"\b(?:a|an|the|any|some|all|each|every|if|whether|how|much|many|what|which|who|that|there|where|when|is|are|be|can"
    r"|could|do|does|has|have|of|to|and|or|with|without|in|at|on|for|from|by|near|within|between|about|as|than|less"
    r"|more|most|best|cheapest|nearest|latest|current|available|open|suitable|list|number|details|information|out|up)\b"
)
_WORDINGS = (
    "Could you {first}? Then please {last}.",
    "Please {first}, and then {last}.",
    "Hi, I need some help: please {first}. After that, {last}.",
    "Can you {first} for me? Once you have that, {last}.",
    "I would like you to {first}. Then {last}.",
    "Hello! Would you please {first}? Afterwards, please {last}.",
    "I need you to {first}. When that is done, please {last}.",
    "Would you mind helping me? First {first}, then {last}. Thanks!",
)
_FOUND_BY = ("that you find", "you have found", "that you found", "you find")
_FINDINGS = re.compile(r"the (?:details of the )?([a-z -]+?)(?: and the ([a-z -]+?))? that (?:was|were) found")
_UNSAID = re.compile(
    r"\b(?:before|after|during|since|until|while|his|her|their|our|my|your|this|these|those) [a-z]"
    r"|\b(?:the|a) (?:city|town|area) (?:of|in)"
)
_WITH = (
    "Send {person} a message with {what}.",
    "Forward {what} to {person}.",
    "Share {what} with {person}.",
    "Email {what} to {person}.",
)
_WITH_FACT = ("Set a reminder for {person} with {what}.",)
_WITH_THING = (
    "Book {thing} for {person}.",
    "Reserve {thing} for {person}.",
    "Set a reminder for {person} about {thing}.",
    "Add {thing} to the calendar of {person}.",
)
# What is found out about things rather than a thing that can be booked.
_FACTS = stems(
    "availability price cost fare fee rate level schedule timetable forecast hour time rule requirement regulation "
    "status connection result rating policy option condition procedure date list guideline tip documentation value "
    "estimate information standard law tariff premium balance deadline step recipe law document record history"
)
# What can be done beside another task, and what that finds; a slot is filled in by the model.
_BESIDE = (
    (f"Look up the opening hours of {FOUND}.", "opening hours"),
    (f"Find out what {FOUND} costs.", "price"),
    (f"Find the phone number of {FOUND}.", "phone number"),
    (f"Find the address of {FOUND}.", "address"),
    (f"Get the ratings of {FOUND}.", "ratings"),
)
_BESIDE_WITH = (
    ("Get the weather forecast for {city} on {date}.", "weather forecast"),
    ("Look up the train connections to {city} on {date}.", "train connections"),
    ("Find the price of a hotel room in {city} on {date}.", "hotel price"),
    ("Look up the parking fee in {city} on {date}.", "parking fee"),
    ("Find a taxi service in {city} for {date}.", "taxi service"),
    ("Check the calendar of {person} on {date}.", "free times"),
)


_SLOT_WORDS = 9
# What cannot be looked up without knowing whose it is.
_PERSONAL = stems(
    "validity account prescription refill balance order claim membership subscription passport license licence permit "
    "appointment booking reservation check checkup result record history resume profile status diagnosis symptom "
    "medication application score grade"
)


def task_forms(rng: random.Random) -> tuple[list[str], tuple[Detail, ...]]:
    """Three forms of a task that share a place, each with a slot for what is looked up, and the details in them."""
    drawn = {detail.kind: detail for detail in details_of_kinds(rng)}
    opening = rng.choice(_OPENINGS)
    tails = [_TAILS[0], *rng.sample(_TAILS[1:], 2)]
    said = {name: detail.value for name, detail in drawn.items()}
    forms = [f"{opening} {FOUND} {tail.format(**said)}." for tail in tails]
    return forms, tuple(detail for name, detail in drawn.items() if any(name in _slots(tail) for tail in tails))


def task_schema(forms: Sequence[str]) -> JsonObject:
    """The schema of a task in one of the forms; the slot takes plain words, no names and no figures."""
    return _schema(forms, _THING)


def slot_problems(sentence: str) -> list[str]:
    """What is wrong with a slot as it was filled in: it runs on or breaks off, or points at something unsaid."""
    problems = []
    if len(_slot(sentence).split()) > _SLOT_WORDS:
        problems.append(f"'{_slot(sentence)}' is too long; name one thing in at most {_SLOT_WORDS} words")
    if (thing := thing_sought(sentence)) and stem(thing.split()[-1]) in _PERSONAL:
        problems.append(f"'{thing}' is somebody's own; ask for something that anybody can look up")
    if broken := _BROKEN_OFF.search(sentence):
        problems.append(f"the sentence breaks off before '{broken[0]}'")
    if unsaid := _UNSAID.search(sentence):
        problems.append(f"'{unsaid[0]}...' points at something that nobody has named")
    return problems


def thing_sought(task: str) -> str | None:
    """What a task in one of the forms looks for, in a few words: its first words that are nouns by their place.

    "Check the forecast water level of the river in Coimbra." gives "forecast water level".
    """
    runs = (run.split() for run in re.split(_BETWEEN_NOUNS, _slot(task)))
    return next((" ".join(words[:4]) for words in runs if words), None)


def _slot(task: str) -> str:
    """What was filled into a form of a task, with nothing for a sentence that is in none."""
    opening = next((opening for opening in _OPENINGS if task.startswith(f"{opening} ")), None)
    return "" if opening is None else re.split(r" in (?=[A-Z])", task.removeprefix(opening), maxsplit=1)[0]


def next_forms(rng: random.Random, thing: str, *, beside: str | None = None) -> list[str]:
    """Four forms of a task that needs `thing`, which was found; with `beside`, also that other thing."""
    person = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    is_fact = not _FACTS.isdisjoint(name_words(thing))
    was = "were found" if is_plural(thing) else "was found"
    forms: tuple[str, ...]
    if beside is not None:
        what, forms = f"the {thing} and the {beside} that were found", _WITH
    elif is_fact:
        what, forms = f"the {thing} that {was}", (*_WITH, *_WITH_FACT)
    else:
        what, forms = f"the details of the {thing} that {was}", (*_WITH, *_WITH_THING)
    return [form.format(person=person, what=what, thing=f"the {thing} that {was}") for form in rng.sample(forms, 4)]


def side_forms(rng: random.Random, task: str, details: Sequence[str]) -> list[tuple[str, str]]:
    """Forms of a task beside `task`, each with what it finds, filled with the details that `task` has, if it has any.

    A side task with an open slot is where a small model goes astray, so these have none.
    """
    said = {kind: value for kind, _, value in (detail.partition(" ") for detail in details) if value in task}
    forms = [
        (form.format(**said), finds)
        for form, finds in _BESIDE_WITH
        if said.keys() >= _slots(form) and finds.partition(" ")[0] not in task
    ]
    return rng.sample(forms, min(2, len(forms)))


def open_side_forms(rng: random.Random) -> list[tuple[str, str]]:
    """Three forms of a task beside another one with a slot, for a task without details."""
    return rng.sample(_BESIDE, 3)


def _slots(form: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(form) if name}


def form_schema(forms: Sequence[str]) -> JsonObject:
    """The schema of a sentence in one of the forms, whose slot may hold names."""
    return _schema(forms, _NAMED)


def _schema(forms: Sequence[str], slot: str) -> JsonObject:
    tails: dict[str, list[str]] = {}
    for form in forms:
        head, mark, tail = form.partition(FOUND)
        tails.setdefault(re.escape(head) + (slot if mark else ""), []).append(re.escape(tail))
    # Forms that begin alike share their slot: each on its own would cost the decoder seconds.
    pattern = "|".join(f"{opening}(?:{'|'.join(ends)})" for opening, ends in tails.items())
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def findings(sentence: str) -> list[str]:
    """The things that a sentence in one of the next forms says were found, in its order."""
    found = _FINDINGS.search(sentence)
    return [thing for thing in found.groups() if thing] if found else []


def said_in_one_go(tasks: Sequence[str]) -> str:
    """The composed task: the independent tasks in one sentence, the one that needs them in the next."""
    *independent, last = [task.strip().rstrip(".") for task in tasks]
    first = ", and ".join([independent[0], *map(_lowered, independent[1:])])
    return f"{first}. Then {_lowered(last)}."


def wordings(task: str, rng: random.Random) -> list[str]:
    """Four ways to ask for a task of `said_in_one_go`; none where it is no such task."""
    first, then, last = task.rstrip(".").partition(". Then ")
    if not then:
        return []
    found = rng.choice(_FOUND_BY)
    parts = {"first": _lowered(first), "last": re.sub(r"that (?:was|were) found", found, last)}
    return [wording.format(**parts) for wording in rng.sample(_WORDINGS, 4)]


def _lowered(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
