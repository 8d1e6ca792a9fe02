"""The numbered sub-tasks of a prompt, each with the template that it is a wording of."""

import re
from dataclasses import dataclass

from button.lms.simulation.world import Found, Template, World
from signatures.records import JsonObject

_LINE = re.compile(
    r"^(?P<number>\d+)\. (?P<task>.*?)(?: \(needs (?P<needs>[\d, ]+)\))?(?: \[functions: (?P<functions>[\w, ]+)\])?$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A sub-task: its text, the numbers of those it needs, and what it is a wording of (None for a foreign text).

    `functions` are the names it is to use, None where the prompt does not say.
    """

    number: int
    task: str
    needs: tuple[int, ...]
    functions: tuple[str, ...] | None
    found: Found | None

    @property
    def template(self) -> Template | None:
        return self.found.template if self.found else None

    @property
    def values(self) -> JsonObject:
        return self.found.values if self.found else {}


def read_plan(world: World, text: str) -> tuple[Step, ...]:
    """The steps of a list such as "1. <task>" / "2. <task> (needs 1) [functions: a, b]"."""
    steps: dict[int, Step] = {}
    for match in _LINE.finditer(text):
        number = int(match["number"])
        needs = tuple(int(other) for other in re.findall(r"\d+", match["needs"] or ""))
        named = match["functions"]
        functions = None if named is None else () if named == "none" else tuple(named.split(", "))
        earlier = [steps[other].template for other in needs if other in steps]
        found = _recognised(world, match["task"], needs, earlier)
        steps[number] = Step(number, match["task"], needs, functions, found)
    return tuple(steps.values())


def _recognised(world: World, task: str, needs: tuple[int, ...], earlier: list[Template | None]) -> Found | None:
    if not needs:
        return world.find_task(task)
    known = [template for template in earlier if template is not None]
    if len(known) == len(needs):
        return world.find_next(task, known)
    return world.find_shared(task)
