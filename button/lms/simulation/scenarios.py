"""Plays NameScenario and EvolveScenario: phrases such as "renting a bicycle in a foreign city"."""

import random
import re

from button.lms.simulation.choices import rarest, words_of
from button.lms.simulation.question import Question
from button.lms.simulation.world import Template, World
from signatures.records import JsonObject

# A conversation names its matter in what the person says first; after a few lines it is about details.
READ_CHARACTERS = 400
_FIRST_SAID = re.compile(
    r"\A\s*(?:user|human|person)\s*:\s*(.*?)(?=^\s*\w+\s*:|\Z)", re.DOTALL | re.IGNORECASE | re.MULTILINE
)
SETTING_SHARE = 0.7
# How often a direction is followed rather than another field of life chosen.
HEED_SHARE = 0.8
# Whoever wants to "book a flight" does not want a book.
_BOOKING = re.compile(r"\bbook (?=(?:an?|the|me|my|us|our|two|some)\b)", re.IGNORECASE)
_GENERAL_WORDS = ("getting help with", "asking about", "sorting out", "looking into")
_SPECIFICS = ("in Lisbon on 3 May", "for 250 dollars", "with Maria Lopez")


def name_scenario(question: Question) -> JsonObject:
    """The situation behind a text: of the nearest task, or from the text's own rare words."""
    rng, index = question.rng, question.index
    text = question.inputs.get("text", "")
    said = _FIRST_SAID.match(text)
    text = _BOOKING.sub("", (said[1] if said else text)[:READ_CHARACTERS])
    task = index.best(text)
    if task is None:
        words = [word for word in rarest(words_of(text), index, 3) if word.isalpha()]
        phrase = f"{rng.choice(_GENERAL_WORDS)} {' '.join(words) or 'an everyday question'}"
    else:
        phrase = scene(question.world, task, rng)
    return {"scenario": _flawed(phrase, rng, question.flaw)}


def evolve_scenario(question: Question) -> JsonObject:
    """A situation in the direction asked for, of another task than the given one."""
    world, index, rng = question.world, question.index, question.rng
    given = question.inputs.get("scenario", "")
    if question.flaw == "near_duplicate":
        return {"new_scenario": f"{given} soon" if len(given.split()) < 10 else given}
    source, aim = index.best(given), index.best(question.inputs.get("direction", ""))
    heeded = aim is not None and rng.random() < HEED_SHARE
    domain = world.domains[aim.domain] if aim and heeded else rng.choice(list(world.domains.values()))
    tasks = [task for task in domain.tasks if task is not source]
    return {"new_scenario": _flawed(scene(world, rng.choice(tasks), rng), rng, question.flaw)}


def scene(world: World, task: Template, rng: random.Random) -> str:
    """A phrase of at most ten words: what is done, to what, and often in which setting."""
    doing, what = task.scenes
    phrase = f"{rng.choice(doing)} {rng.choice(what)}"
    setting = rng.choice(world.domains[task.domain].settings)
    fits = len(f"{phrase} {setting}".split()) <= 10 and setting.split()[0] not in phrase.split()
    return f"{phrase} {setting}" if fits and rng.random() < SETTING_SHARE else phrase


def _flawed(phrase: str, rng: random.Random, flaw: str | None) -> str:
    if flaw == "long_scenario":
        return f"{phrase} while also thinking about everything else that still has to be done this week"
    if flaw == "specific_scenario":
        return f"{phrase} {rng.choice(_SPECIFICS)}"
    return phrase
