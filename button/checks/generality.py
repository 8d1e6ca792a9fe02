"""Whether functions are general and distinct: for any such request, and no two the same (paper, section 3.1)."""

import re
from itertools import combinations

from button.checks.details import details
from button.checks.validators import shown
from button.checks.vocabulary import LOOKUP_VERBS, content_words, name_words, overlap, phrase, stem
from signatures.records import Function

# Beyond these, two functions are one under two names.
MAX_SHARED_DESCRIPTION = 0.8
MAX_SHARED_FIELDS = 0.6

_LOOKUPS = frozenset(stem(verb) for verb in LOOKUP_VERBS)
_EXAMPLES = re.compile(
    r"\(?\b(?:e\.g\.|eg|i\.e\.|such as|for example|for instance|like|example:|examples:)[^).;]*\)?", re.IGNORECASE
)
# Details that every definition may hold without being about the task: units, formats, currencies, days.
_COMMON = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december english celsius fahrenheit".split()
)


def tailored_problems(functions: tuple[Function, ...], task: str) -> list[str]:
    """Where a definition repeats a concrete detail of the task."""
    own = {
        detail.canonical: detail.surface for detail in details(task) if _is_telling(detail.canonical, detail.surface)
    }
    problems = []
    for function in functions:
        for place, text in _places(function):
            said = phrase(text)
            for canonical, surface in own.items():
                if f" {canonical} " in said:
                    problems.append(
                        f"function {function.name!r} is tailored to the task: its {place} holds {surface!r}; "
                        f"define it for any such request"
                    )
    return list(dict.fromkeys(problems))


def twin_problems(functions: tuple[Function, ...]) -> list[str]:
    """Which functions do what an earlier one of the set already does."""
    return [
        f"function {later.name!r} does the same as {earlier.name!r}; use one for both, or make them differ"
        for earlier, later in combinations(functions, 2)
        if later.name != earlier.name and _are_twins(earlier, later)
    ]


def without_examples(description: str) -> str:
    """A description without "e.g. ...", "such as ...": an example in it is no value that a call may use unasked."""
    return _EXAMPLES.sub(" ", description)


def _are_twins(a: Function, b: Function) -> bool:
    fields_a, fields_b = [frozenset((*f.parameters, *f.responses)) for f in (a, b)]
    same_fields = overlap(fields_a, fields_b)
    if _action(a.name) == _action(b.name) and same_fields >= MAX_SHARED_FIELDS / 2:
        return True
    shared = overlap(content_words(a.description) - _LOOKUPS, content_words(b.description) - _LOOKUPS)
    return shared > MAX_SHARED_DESCRIPTION and same_fields > MAX_SHARED_FIELDS and _verb(a.name) == _verb(b.name)


def _action(name: str) -> frozenset[str]:
    return frozenset("find" if word in _LOOKUPS else word for word in name_words(name))


def _verb(name: str) -> str:
    first = stem(name.partition("_")[0].casefold())
    return "find" if first in _LOOKUPS else first


def _places(function: Function) -> list[tuple[str, str]]:
    places = [("name", function.name.replace("_", " ")), ("description", function.description)]
    for name, body in (*function.parameters.items(), *function.responses.items()):
        places.append((f"field name {name!r}", name.replace("_", " ")))
        places.append((f"description of {name!r}", without_examples(str(body.get("description", "")))))
        if "default" in body:
            places.append((f"default of {name!r}", shown(body["default"])))
        options = body.get("enum")
        # One value of the task among several others is a choice; a list made of the task's values is not.
        if isinstance(options, list) and len(options) < 3:
            places.extend((f"enum of {name!r}", shown(option)) for option in options)
    return places


def _is_telling(canonical: str, surface: str) -> bool:
    """Whether a detail is the task's own. Small numbers, days, short acronyms and units stand in any definition."""
    if canonical in _COMMON or (surface.isupper() and surface.isalpha() and len(surface) <= 4):
        return False
    digits = sum(c.isdigit() for c in canonical)
    return digits > 2 or (digits == 0 and len(canonical) > 2) or any(c.isalpha() for c in canonical)
