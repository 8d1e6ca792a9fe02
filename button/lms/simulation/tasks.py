"""Plays WriteAtomicTask: a wording of the task that a scenario is about, with values drawn from banks and hints."""

import random
import re

from button.lms.simulation.kinds import read
from button.lms.simulation.phrases import Phrase
from button.lms.simulation.question import Question
from button.lms.simulation.world import Template, draw_slots
from signatures.records import JsonObject

_HINT = re.compile(r"\b(person|city) ([A-Z][\w'-]*(?: [A-Z][\w'-]*){0,2})")
_DATE_HINT = re.compile(r"\b(\d{1,2} [A-Z][a-z]+ \d{4})\b")
_BEGINNING = re.compile(r"begin with '([\w ]+)'")


def write_task(question: Question) -> JsonObject:
    """One imperative sentence. A scenario of no known kind draws a task by its hash."""
    rng, index = question.rng, question.index
    template = index.best(question.inputs.get("scenario", "")) or rng.choice(index.tasks)
    details = question.inputs.get("details", "")
    values = draw_slots(template, question.world.domains[template.domain].banks, rng, hints(template, details))
    task = choose(template, details, rng).fill(values)
    return {"task": _flawed(task, template, rng, question.flaw)}


def hints(template: Template, details: str) -> JsonObject:
    """The values among `details` that fit slots of the template: a person, a city, a date."""
    found: JsonObject = {}
    said = dict(_HINT.findall(details))
    day = _DATE_HINT.search(details)
    for name, slot in template.slots.items():
        if slot.kind == "person" and "person" in said and "person" not in found.values():
            found[name] = said.pop("person")
        elif name in ("city", "origin") and "city" in said:
            found[name] = said.pop("city")
        elif name == "date" and day:
            found[name] = read("string", day[1])
    return found


def choose(template: Template, details: str, rng: random.Random) -> Phrase:
    """A wording, one that begins as the details ask where there is one."""
    wanted = _BEGINNING.search(details)
    fitting = [phrase for phrase in template.phrases if wanted and phrase.text.startswith(f"{wanted[1]} ")]
    return rng.choice(fitting or list(template.phrases))


def _flawed(task: str, template: Template, rng: random.Random, flaw: str | None) -> str:
    bare = task.rstrip(".")
    match flaw:
        case "long_task":
            return (
                f"{bare}, and please take your time to consider everything that could matter to me, since I would like"
                " to be quite sure that nothing at all has been forgotten in the end."
            )
        case "named_function":
            names = [name for function in template.functions for name in function.names]
            return f"{bare}, using the {rng.choice(names)} function."
        case "placeholder":
            return f"{bare} for [Your Name]."
        case _:
            return task
