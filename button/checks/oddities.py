"""What is odd rather than wrong: signs of a model that has not understood, too weak to refuse a row for."""

import re
from collections.abc import Sequence

from button.checks.reading import leaves
from button.checks.validators import shown
from button.checks.vocabulary import fold, name_words, stems
from signatures.records import Call, Function, SubTask

_ACTIONS = (
    "add|arrange|book|buy|calculate|cancel|check|compare|convert|create|draft|email|find|get|hire|list|look up|make"
    "|message|notify|order|pay|plan|print|purchase|recommend|register|remind|rent|reserve|save|schedule|search|send"
    "|set|share|show|sign|suggest|summarize|summarise|tell|text|translate|update|work out|write"
)
_NEXT_ACTION = re.compile(
    rf"(?:\band(?: then| also| afterwards)?|\bthen|[;.] (?:then|after that|next),?|\bafter(?:wards| that),?) "
    rf"(?:{_ACTIONS})\b"
)
_TWO_ACTIONS = re.compile(rf"_(?:and|then)_(?:{_ACTIONS.replace(' ', '_')})(?:_|$)")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
LEAST_WORDS = 4  # of a sentence that counts as said twice
# Parameters that take one thing: more than that in a value is a request that was not taken apart.
_ONE_THING = stems(
    "place location city town country region destination origin venue person recipient guest patient customer date day"
    " time code id number"
)
_FREE_TEXT = stems("message note notes text body content description summary query request report subject address")
_JOINING = re.compile(r"\b(?:in|after|before|for|on|at|with|from|by)\b")
PACKED_WORDS = 5
_STATES = frozenset(
    "ok done yes success successful sent pending confirmed booked completed complete scheduled saved created reserved"
    " failed unknown submitted approved processed active".split()
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|them|their|they|that|those|these|this|there|then|both|found|returned|given|chosen|selected|resulting"
    r"|results?|\w{3,}est|best|most|least|first|outcome|offer|one|two|according|based|if|whichever|recommended|same"
    r"|so (?:many|much))\b"
)
# An action takes what was found without a word ("have 7 pieces sent to Ann"); a search has to say what it starts from.
_SEARCHES = re.compile(r"(?:find|look up|check|search|list|compare)\b")


def further_steps(task: str) -> list[str]:
    """Where a task that should be one step asks for another: "and book", ". Then send"."""
    return [match[0] for match in _NEXT_ACTION.finditer(fold(task))]


def acts_twice(function: str) -> bool:
    """Whether a function's name tells of two actions, as `find_and_book_room` does."""
    return _TWO_ACTIONS.search(function) is not None


def sentences_said_twice(text: str) -> list[str]:
    """The sentences of `text`, of four words or more, that stand in it before, give or take case and marks."""
    seen: set[str] = set()
    twice = []
    for sentence in _SENTENCE.split(text.strip()):
        form = " ".join(re.findall(r"\w+", fold(sentence)))
        if len(form.split()) >= LEAST_WORDS and form in seen:
            twice.append(sentence)
        seen.add(form)
    return twice


def odd_arguments(call: Call, function: Function) -> list[str]:
    """Values that hold more than the one thing that a parameter takes, and bare states ("pending") given as one."""
    found = []
    for path, value in leaves(call.arguments):
        words = name_words(path)
        if not isinstance(value, str) or "enum" in function.parameters.get(path, {}):
            continue
        said = fold(value)
        if words & _ONE_THING and not words & _FREE_TEXT and len(said.split()) >= PACKED_WORDS:
            if _JOINING.search(said):
                found.append(
                    f"'{call.name}': '{path}' is {shown(value)}, packing several things into one; give the one thing"
                    " that the parameter means"
                )
        elif said.strip(" .!") in _STATES:
            found.append(
                f"'{call.name}': '{path}' is {shown(value)}, a state rather than a thing; pass what was found, such as"
                " an offer or a code"
            )
    return found


def unlinked(sub_tasks: Sequence[SubTask]) -> list[str]:
    """Dependent sub-tasks that search for something and point back at nothing: they can be done without the others."""
    return [
        f"sub-task {number} ({sub_task.task!r}) is said to need an earlier result, and names none; say what it uses"
        for number, sub_task in enumerate(sub_tasks, start=1)
        if sub_task.depends_on and _SEARCHES.match(fold(sub_task.task)) and not _POINTS_BACK.search(fold(sub_task.task))
    ]
