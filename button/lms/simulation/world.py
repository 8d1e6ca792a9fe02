"""The worlds a simulated player knows: functions, the tasks that need them, and what can follow what."""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from button.lms.simulation.fields import Field
from button.lms.simulation.kinds import Banks, draw, read
from button.lms.simulation.phrases import Phrase
from signatures.records import JsonObject

COMMON = "common"


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """A function under its first name and its aliases. `says` are wordings of its result for a final answer."""

    names: tuple[str, ...]
    does: str
    takes: tuple[Field, ...]
    gives: tuple[Field, ...]
    says: tuple[str, ...]
    banks: Banks = field(repr=False)

    @property
    def name(self) -> str:
        return self.names[0]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A kind of task: its wordings, the functions it needs in their order, or the arithmetic it is.

    `consumes` are the fields that it needs from earlier tasks: empty for an atomic task. `work` is the arithmetic,
    ("times", "price", "people"). `scenes` are the halves of the scenarios that lead to it.

    A task `welcomes` and `refuses` shared ones by name: one that is `asked_for` follows only where it is welcome
    (nobody splits a dividend among friends). One that stands `alone` follows a single task, never two. Slots that are
    `fresh` differ from those of the same name before.
    """

    key: str
    topic: str
    phrases: tuple[Phrase, ...]
    functions: tuple[FunctionSpec, ...]
    slots: Mapping[str, Field]
    consumes: frozenset[str]
    gives: frozenset[str]
    work: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    fresh: frozenset[str] = frozenset()
    welcomes: frozenset[str] = frozenset()
    refuses: frozenset[str] = frozenset()
    asked_for: bool = False
    alone: bool = False
    scenes: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())

    @property
    def domain(self) -> str:
        return self.key.partition(".")[0]

    def match(self, text: str) -> JsonObject | None:
        """The typed values of the slots of `text`, or None where it is no wording of this task."""
        for phrase in self.phrases:
            found = phrase.match(text)
            if found is not None:
                return {name: read(self.slots[name].json_type, said) for name, said in found.items()}
        return None

    @property
    def function_names(self) -> frozenset[str]:
        return frozenset(function.name for function in self.functions)


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """A field of life: its words, the settings of its scenarios, and what people say before they ask."""

    name: str
    keywords: frozenset[str]
    settings: tuple[str, ...]
    openings: tuple[str, ...]
    tasks: tuple[Template, ...]
    next: tuple[Template, ...]
    banks: Banks


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A template recognised in a text, and the values of its slots."""

    template: Template
    values: JsonObject


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """All domains, and the indices to recognise texts and names in them."""

    domains: Mapping[str, Domain]
    functions: Mapping[str, FunctionSpec]
    by_first_word: Mapping[str, tuple[tuple[Phrase, Template], ...]]

    def find_task(self, text: str) -> Found | None:
        """The atomic task that `text` is a wording of."""
        for phrase, template in self.by_first_word.get(text.split(" ", 1)[0], ()):
            values = phrase.match(text)
            if values is not None:
                return Found(
                    template, {name: read(template.slots[name].json_type, said) for name, said in values.items()}
                )
        return None

    def find_beginning(self, text: str) -> Template | None:
        """The atomic task that `text` begins with."""
        candidates = self.by_first_word.get(text.split(" ", 1)[0], ())
        return next((template for phrase, template in candidates if phrase.begins(text)), None)

    def find_next(self, text: str, earlier: Iterable[Template]) -> Found | None:
        """The task that `text` words, among those that can follow the `earlier` ones."""
        earlier = tuple(earlier)
        for template in self.followers(earlier):
            values = template.match(text)
            if values is not None:
                return Found(template, values)
        return None

    def find_shared(self, text: str) -> Found | None:
        """The shared task that `text` words, whatever came before it."""
        for template in next(iter(self.domains.values())).next:
            values = template.match(text) if template.domain == COMMON else None
            if values is not None:
                return Found(template, values)
        return None

    def followers(self, earlier: tuple[Template, ...]) -> list[Template]:
        """What can follow one task, or two that are done in parallel: it needs a result of each of them."""
        if not earlier:
            return []
        used = frozenset().union(*(template.function_names for template in earlier))
        candidates = {template.key: template for one in earlier for template in self.domains[one.domain].next}
        return [
            template
            for template in candidates.values()
            if not used & template.function_names and _is_welcome(template, earlier) and fits(template, earlier)
        ]


# The arithmetic that takes the same field from two tasks.
BOTH = frozenset({"add", "add_within", "lower"})


def fits(template: Template, earlier: tuple[Template, ...]) -> bool:
    """Whether each of the `earlier` tasks yields something `template` needs, and no need has two sources."""
    if template.work and template.work[0] in BOTH:
        twins = len(earlier) == 2 and earlier[0] is earlier[1]
        return (
            len(earlier) == 2
            and twins == (template.work[0] == "lower")
            and all(template.consumes <= one.gives for one in earlier)
        )
    shares = [template.consumes & one.gives for one in earlier]
    covered = frozenset().union(*shares) == template.consumes
    return covered and all(shares) and sum(map(len, shares)) == len(template.consumes)


def _is_welcome(template: Template, earlier: tuple[Template, ...]) -> bool:
    name = template.key.partition(".")[2]
    if (template.alone and len(earlier) > 1) or any(name in one.refuses for one in earlier):
        return False
    return not template.asked_for or any(name in one.welcomes for one in earlier)


def draw_slots(template: Template, banks: Banks, rng: random.Random, known: JsonObject) -> JsonObject:
    """Values for the slots, from `known` where it has them and the template does not want fresh ones; no two alike."""
    values: JsonObject = {}
    for name, slot in template.slots.items():
        if name in known and name not in template.fresh:
            values[name] = known[name]
        else:
            values[name] = draw_unlike(slot, banks, rng, [known.get(name), *values.values()])
    return values


def draw_unlike(slot: Field, banks: Banks, rng: random.Random, taken: list[Any]) -> Any:
    """A value that is not `taken`, as far as a small bank allows."""
    value = draw(slot.kind, banks, rng, {})
    for _ in range(20):
        if value not in taken:
            break
        value = draw(slot.kind, banks, rng, {})
    return value
