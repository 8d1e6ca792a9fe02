"""Weaknesses that a better prompt mends, for trying out what searches prompts: `lm.weakness.missing_detail=0.8`.

The answer has the flaw with the given probability unless the system message says the words that cure it, or enough
demos show how it is done. What is shipped says none of those words and shows fewer demos.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

from button.errors import UserError
from button.lms.simulation.flaws import FLAWS
from button.lms.simulation.prompt import Prompt, stable_hash

ENOUGH_DEMOS = 4


@dataclass(frozen=True, slots=True)
class Cure:
    """How a flaw is mended: a sentence for instructions, of which `words` count; how the flaw shows in feedback."""

    sentence: str
    words: str
    symptom: str


CURES: Mapping[str, Cure] = {
    "long_task": Cure("Count the words, and stop at twenty.", "count the words", r"has \d+ words"),
    "named_function": Cure("Say the wish and leave all means out.", "leave all means out", "names a means"),
    "placeholder": Cure("Write real values in place of brackets.", "real values", "placeholder"),
    "overlapping_sub_tasks": Cure(
        "The new task says nothing that the given one has said.", "nothing that the given one", "says the same as"
    ),
    "missing_detail": Cure(
        "Copy names, numbers and dates letter by letter.", "letter by letter", r"lacks|does not mention|leaves out"
    ),
    "bad_schema": Cure("Give each field a plain JSON type.", "plain json type", r"schema|type"),
    "duplicate_function": Cure("Never define two that do one thing.", "never define two", r"twice|same"),
    "inconsistent_functions": Cure("Name what is passed on alike on both sides.", "alike on both sides", "feed|takes"),
    "tailored_function": Cure(
        "Write as if for a stranger's request.", "stranger's request", r"general|tailored|repeats"
    ),
    "lost_detail": Cure("Repeat each value of the need.", "repeat each value", "leaves out"),
}
NOTHING = Cure("Work with care.", "", "")


class Weaknesses:
    """`rates` maps a flaw to the probability that an uncured answer has it. Raises UserError for one without a cure."""

    def __init__(self, rates: Mapping[str, float], persistent: float, seed: int) -> None:
        if unknown := sorted(set(rates) - set(CURES)):
            raise UserError(
                f"lm.weakness has the unknown kind '{unknown[0]}'; the kinds that a prompt mends are {', '.join(CURES)}"
            )
        self.rates = rates
        self.persistent = persistent
        self.seed = seed

    def of(self, prompt: Prompt, system: str, demos: int, request_seed: int | None) -> str | None:
        """The flaw of the answer to `prompt`, asked with this system message and so many demos; or None."""
        if demos >= ENOUGH_DEMOS:
            return None
        told = system.lower()
        for flaw in FLAWS.get(prompt.part or "", ()):
            rate = self.rates.get(flaw, 0.0) * (self.persistent if prompt.is_retry else 1.0)
            rng = random.Random(stable_hash("weak", flaw, self.seed, request_seed, prompt.is_retry, *prompt.content()))
            if rng.random() < rate and CURES[flaw].words not in told:
                return flaw
        return None


def cure_for(feedback: str, instructions: str) -> Cure:
    """The first cure whose symptom the feedback shows and which the instructions do not hold yet."""
    shown = feedback.lower()
    for cure in CURES.values():
        if re.search(cure.symptom, shown) and cure.words not in instructions.lower():
            return cure
    return NOTHING
