"""Composition by filling in forms, for small models: the program chooses the actions, the model says what with.

A small model asked for a whole composition repeats the given task or copies the examples. A form leaves it one slot,
and the decoder holds it to the form; the composed task is the sub-tasks said in one go, which the user agent rewords.
"""

import random
import re
from collections.abc import Sequence
from string import Formatter

from modules.details import FIRST_NAMES, LAST_NAMES
from signatures.records import JsonObject

FOUND = "..."
FOUND_WAS = "that was found"
_WORDS = r"[a-z]{2,14}(?:[ -][a-z]{2,14}){0,3}"
_NAMED = r"[A-Za-z0-9][A-Za-z0-9'-]*(?: [A-Za-z0-9'-]+){0,5}"
_WITH = (
    "Send {person} a message with {what}.",
    "Save {what} in the notes of {person}.",
    "Share a summary of {what} with {person}.",
    "Write a short report for {person} about {what}.",
)
_WITH_ONE = (
    "Book {what} for {person}.",
    "Set a reminder for {person} about {what}.",
    "Add {what} to the calendar of {person}.",
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
    ("Check the calendar of {person} on {date}.", "free times"),
)


def next_forms(rng: random.Random, *, beside: str | None = None) -> list[str]:
    """Four forms of a task that needs what was found; with `beside`, also that other thing."""
    person = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    what = f"the {FOUND} and the {beside} that were found" if beside else f"the {FOUND} {FOUND_WAS}"
    forms = _WITH if beside else rng.sample((*_WITH, *_WITH_ONE), 4)
    return [form.format(person=person, what=what) for form in forms]


def side_forms(rng: random.Random, task: str, details: Sequence[str]) -> list[tuple[str, str]]:
    """Forms of a task beside `task`, each with what it finds, filled with the details that `task` has, if it has any.

    A side task with an open slot is where a small model goes astray, so these have none.
    """
    said = {kind: value for kind, _, value in (detail.partition(" ") for detail in details) if value in task}
    forms = [(form.format(**said), finds) for form, finds in _BESIDE_WITH if said.keys() >= _slots(form)]
    return rng.sample(forms, min(2, len(forms)))


def open_side_forms(rng: random.Random) -> list[tuple[str, str]]:
    """Three forms of a task beside another one with a slot, for a task without details."""
    return rng.sample(_BESIDE, 3)


def _slots(form: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(form) if name}


def form_schema(forms: Sequence[str], *, found: bool) -> JsonObject:
    """The schema of a sentence in one of the forms; with `found` the slot is a plain thing, else it may be named."""
    slot = _WORDS if found else _NAMED
    pattern = "|".join(slot.join(map(re.escape, form.split(FOUND))) for form in forms)
    pattern = pattern.replace(re.escape(FOUND_WAS), "that (?:was|were) found")
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def said_in_one_go(tasks: Sequence[str]) -> str:
    """The composed task: the independent tasks in one sentence, the one that needs them in the next."""
    *independent, last = [task.strip().rstrip(".") for task in tasks]
    first = ", and ".join([independent[0], *map(_lowered, independent[1:])])
    return f"{first}. Then {_lowered(last)}."


def said_twice(sentence: str) -> str | None:
    """The thing that a sentence names as both of two findings, if it does."""
    found = re.search(r"the ([a-z -]+) and the \1 that", sentence)
    return found[1] if found else None


def _lowered(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
