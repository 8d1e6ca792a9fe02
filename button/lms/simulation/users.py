"""Plays PlayUser: the need in the first person, politely, with everything in it."""

import re

from button.lms.simulation.question import Question
from signatures.records import JsonObject

_ASKS = (
    "Could you {need}?",
    "Can you {need}?",
    "Please {need}.",
    "I'd like you to {need}.",
    "I need you to {need}.",
    "Would you {need} for me?",
    "It would be great if you could {need}.",
)
_GREETINGS = ("", "", "Hi! ", "Hello, ", "Hi there, ", "Good morning. ")
_CLOSINGS = ("", "", "", " Thanks!", " Thank you.", " That would help me a lot.", " Thanks a lot in advance.")
OPENING_SHARE = 0.5
_FIRST_SENTENCE = re.compile(r"\A(.+?)(?:\. (?=[A-Z])(.*))?\Z", re.DOTALL)
_DETAIL = re.compile(
    r"\b(?:\d{1,2} [A-Z][a-z]+ \d{4}|[A-Z]{2}[\w-]*\d[\w-]*|\d[\d.]*)\b|(?<=[a-z,] )[A-Z][a-z]+(?: [A-Z][a-z]+)*"
)


def play_user(question: Question) -> JsonObject:
    """The message of a person: perhaps a greeting and what it is about, then the whole need."""
    world, rng, need = question.world, question.rng, question.inputs.get("need", "")
    match = _FIRST_SENTENCE.match(need)
    first, rest = (match[1], match[2]) if match else (need, None)
    asked = rng.choice(_ASKS).format(need=_inner(first.rstrip(".?! ")))
    message = f"{asked} {rest}" if rest else asked
    task = world.find_beginning(need)
    greeting = rng.choice(_GREETINGS)
    opening = (
        rng.choice(world.domains[task.domain].openings) if task is not None and rng.random() < OPENING_SHARE else ""
    )
    if opening:
        message = f"{greeting}{_cased(opening, greeting)} {message}"
    else:
        message = f"{greeting}{_cased(message, greeting)}"
    message += rng.choice(_CLOSINGS)
    return {"message": _lossy(message) if question.flaw == "lost_detail" else message}


def _inner(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _cased(text: str, greeting: str) -> str:
    """After "Hello, " a sentence goes on in lower case, unless it begins with I."""
    if greeting.endswith(", ") and not re.match(r"I\b", text):
        return _inner(text)
    return text


def _lossy(message: str) -> str:
    """The message without one of its details."""
    found = _DETAIL.findall(message)
    return message.replace(found[-1], "the one I told you", 1) if found else message
