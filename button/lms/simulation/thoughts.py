"""What an assistant thinks before it acts: the plan at first, then what came back and what that is good for."""

import random
import re

from button.lms.simulation.kinds import show
from button.lms.simulation.plans import Step
from button.lms.simulation.situations import Done, Situation
from signatures.records import JsonObject

_PLANS_TWO = (
    "The person wants me to {a}, and to {b}. The second part needs the result of the first.",
    "There are two things to do: {a}, and {b}. I need the outcome of the first before the second.",
    "I have to {a}. What comes out of it is needed to {b}.",
    "First I {a}. With that I can {b}.",
)
_PLANS_THREE = (
    "There are three things to do: {a}, {b}, and {c}. The first two are independent; the last one needs both.",
    "I have to {a} and {b}. Only with both results can I {c}.",
    "The plan: {a}; {b}; then {c}. The first two are independent of each other.",
)
_BEGIN = ("I start with {names}.", "So I begin with {names}.", "First comes {names}.", "I call {names} now.")
_TOGETHER = (
    "I call {names} at once, since they are independent.",
    "Both can run at the same time: {names}.",
    "I call {names} together.",
)
_NEXT = ("Next I call {names}.", "Now I can call {names}.", "With this I call {names}.", "That is what {names} needs.")
_GOT = ("I now have {fields}.", "The result gives me {fields}.", "I got {fields}.", "The answer says {fields}.")
_ALONE = (
    "The rest is arithmetic, which I do myself.",
    "What remains needs no function.",
    "The last part I can work out from these results.",
)
_FINISH = (
    "Everything that was asked for is done, so I can answer.",
    "All parts are complete; I give the results.",
    "Nothing is left to call; I can report back.",
)

_PRONOUNS = {"me": "them", "us": "them", "my": "their", "our": "their", "I": "they", "we": "they"}
_PRONOUN = re.compile(r"(?<!\")\b(?:me|us|my|our|I|we)\b(?!\.)")
_UNITS = {
    "km": "km", "cm": "cm", "mm": "mm", "m": "m", "kg": "kg", "g": "g", "mg": "mg", "kwh": "kilowatt hours",
    "gb": "gigabytes", "mbit": "megabits a second", "tons": "tons", "liters": "liters", "celsius": "degrees Celsius",
    "minutes": "minutes", "days": "days", "weeks": "weeks", "years": "years", "percentage": "percent", "usd": "dollars",
}  # fmt: skip


def think(situation: Situation, calls: list[tuple[Step, JsonObject]], rng: random.Random) -> str:
    """One to four sentences before the calls, or before the answer where there are none."""
    names = _listed(_counted([str(call["name"]) for _, call in calls]))
    if situation.begins:
        how = _TOGETHER if len(calls) > 1 else _BEGIN
        return f"{_plan(situation.steps, rng)} {rng.choice(how).format(names=names)}"
    got = rng.choice(_GOT).format(fields=_fields(situation, calls))
    if calls:
        how = _TOGETHER if len(calls) > 1 else _NEXT
        return f"{got} {rng.choice(how).format(names=names)}"
    alone = any(step.template is not None and step.template.work for step in situation.steps)
    return f"{got} {rng.choice(_ALONE)} {rng.choice(_FINISH)}" if alone else f"{got} {rng.choice(_FINISH)}"


def _plan(steps: tuple[Step, ...], rng: random.Random) -> str:
    tasks = [_inner(step.task) for step in steps]
    if len(tasks) == 2:
        return rng.choice(_PLANS_TWO).format(a=tasks[0], b=tasks[1])
    if len(tasks) == 3:
        return rng.choice(_PLANS_THREE).format(a=tasks[0], b=tasks[1], c=tasks[2])
    return f"What is to be done: {'; '.join(tasks)}."


def _fields(situation: Situation, calls: list[tuple[Step, JsonObject]]) -> str:
    """The results that matter now: those that the next calls take, else the first of the last round."""
    taken = {name for _, call in calls for name in call["arguments"]}
    last = [
        done for step in situation.steps for done in situation.done.get(step.number, ()) if done.name in situation.last
    ]
    found = [(name, value) for done in last for name, value in _short(done)]
    used = [(name, value) for name, value in found if name in taken]
    return _listed([_labelled(name, value) for name, value in (used or found)[:3]]) or "what I asked for"


def _labelled(name: str, value: object) -> str:
    """A field and its value in words: "the distance of 4.2 km", "the hotel id HI12345"."""
    quantity, _, unit = name.rpartition("_")
    if quantity and unit in _UNITS:
        return f"the {quantity.replace('_', ' ')} of {show(value)} {_UNITS[unit]}"
    return f"the {name.replace('_', ' ')} {show(value)}"


def _counted(names: list[str]) -> list[str]:
    """Each name once, with how often it comes."""
    times = {1: "", 2: " twice", 3: " three times"}
    return [f"{name}{times.get(names.count(name), ' several times')}" for name in dict.fromkeys(names)]


def _short(done: Done) -> list[tuple[str, object]]:
    return [
        (name, value) for name, value in done.results.items() if not isinstance(value, dict) and len(str(value)) < 60
    ]


def _inner(task: str) -> str:
    """A sub-task inside a sentence of the assistant's, who speaks of the person as "them"."""
    bare = _PRONOUN.sub(lambda match: _PRONOUNS[match[0]], task.rstrip(".!? "))
    return bare[:1].lower() + bare[1:]


def _listed(items: list[str]) -> str:
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else "".join(items)
