"""Plays NameScenario and EvolveScenario: phrases such as "renting a bicycle in a foreign city"."""

import random
from collections.abc import Mapping

from button.lms.simulation.choices import Index, rarest, words_of
from button.lms.simulation.world import Template, World
from signatures.records import JsonObject

# A conversation names its matter at the beginning; what follows is mostly the answer.
READ_CHARACTERS = 600
SETTING_SHARE = 0.7
_GENERAL_WORDS = ("getting help with", "asking about", "sorting out", "looking into")
_SPECIFICS = ("in Lisbon on 3 May", "for 250 dollars", "with Maria Lopez")


def name_scenario(world: World, index: Index, inputs: Mapping[str, str], rng: random.Random, flaw: str | None) -> JsonObject:
    """The situation behind a text: of the nearest task, or from the text's own rare words."""
    text = inputs["text"][:READ_CHARACTERS]
    task = index.best(text)
    if task is None:
        words = [word for word in rarest(words_of(text), index, 3) if word.isalpha()]
        phrase = f"{rng.choice(_GENERAL_WORDS)} {' '.join(words) or 'an everyday question'}"
    else:
        phrase = scene(world, task, rng)
    return {"scenario": _flawed(phrase, rng, flaw)}


def evolve_scenario(world: World, index: Index, inputs: Mapping[str, str], rng: random.Random, flaw: str | None) -> JsonObject:
    """A situation in the direction asked for, of another task than the given one."""
    given = inputs["scenario"]
    if flaw == "near_duplicate":
        return {"new_scenario": f"{given} soon" if len(given.split()) < 10 else given}
    source, aim = index.best(given), index.best(inputs["direction"])
    domain = world.domains[aim.domain] if aim is not None and rng.random() < 0.8 else rng.choice(list(world.domains.values()))
    tasks = [task for task in domain.tasks if task is not source]
    return {"new_scenario": _flawed(scene(world, rng.choice(tasks), rng), rng, flaw)}


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
