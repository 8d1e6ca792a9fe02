"""Where an assistant stands in its plan: what is done, what can be done next, and with which arguments."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from button.lms.simulation.extraction import extract
from button.lms.simulation.plans import Step, read_plan
from button.lms.simulation.prompt import Prompt
from button.lms.simulation.world import World
from signatures.records import JsonObject


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """A call of a step, with its answer."""

    name: str
    arguments: JsonObject
    results: JsonObject


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """The plan, the definitions of its functions by name, what was said, and the calls done for each step."""

    steps: tuple[Step, ...]
    definitions: Mapping[str, JsonObject]
    parallel: bool
    message: str
    done: Mapping[int, tuple[Done, ...]]
    last: tuple[str, ...]

    @property
    def begins(self) -> bool:
        return not self.last

    def names(self, step: Step) -> tuple[str, ...]:
        """The functions that a step uses, in their order."""
        if step.functions is not None:
            return tuple(name for name in step.functions if name in self.definitions)
        aliases = [spec.names for spec in step.template.functions] if step.template else []
        return tuple(name for names in aliases for name in names if name in self.definitions)

    def left(self, step: Step) -> tuple[str, ...]:
        """The functions of a step that are still to be called."""
        called = {done.name for done in self.done.get(step.number, ())}
        return tuple(name for name in self.names(step) if name not in called)

    def is_complete(self, step: Step) -> bool:
        return not self.left(step)

    def ready(self) -> list[tuple[Step, JsonObject]]:
        """The calls that can be made now, each with its step."""
        by_number = {step.number: step for step in self.steps}
        found: list[tuple[Step, JsonObject]] = []
        for step in self.steps:
            if not all(self.is_complete(by_number[number]) for number in step.needs if number in by_number):
                continue
            for name in self.left(step):
                arguments = self.arguments(step, name)
                if arguments is not None:
                    found.append((step, {"name": name, "arguments": arguments}))
        return found

    def arguments(self, step: Step, name: str) -> JsonObject | None:
        """The arguments of a call, or None while one of them must come from a function that is not called yet."""
        definition = self.definitions[name]
        parameters = definition.get("parameters") or {}
        known = self.known(step)
        coming = {
            field
            for other in self.left(step)
            if other != name
            for field in self.definitions[other].get("responses") or {}
        }
        arguments: JsonObject = {}
        taken: set[str] = set()
        for parameter, body in parameters.items():
            if parameter in known:
                arguments[parameter] = known[parameter]
            elif parameter not in (definition.get("required") or ()):
                continue
            elif parameter in coming:
                return None
            else:
                arguments[parameter] = extract(self.message, parameter, body, taken)
        return arguments

    def known(self, step: Step) -> JsonObject:
        """What a step can draw on by name: its own values and results first, then those of the steps it needs."""
        found: JsonObject = {}
        for other in (*self._ancestors(step), step):
            found.update(other.values)
        for other in (*self._ancestors(step), step):
            for done in self.done.get(other.number, ()):
                found.update(done.results)
        return {**found, **step.values}

    def _ancestors(self, step: Step) -> Iterator[Step]:
        for other in self.steps:
            if other.number in step.needs:
                yield from self._ancestors(other)
                yield other


def read_situation(world: World, prompt: Prompt) -> Situation:
    """The situation that a dialogue has come to."""
    first, *later = (*prompt.dialogue, prompt.inputs)
    definitions = definitions_in(first.get("functions", ""))
    rounds = [_json_list(turn.get("observation", "")) for turn in later]
    steps = read_plan(world, first.get("sub_tasks", ""))
    opening = Situation(
        steps, definitions, "multiple functions" in first.get("rule", ""), first.get("observation", ""), {}, ()
    )
    pool = [_done(result) for results in rounds for result in results]
    last = tuple(str(result.get("name")) for result in rounds[-1]) if rounds else ()
    return _with_results(opening, pool, last)


def definitions_in(text: str) -> dict[str, JsonObject]:
    """The definitions in a JSON list of functions, by name."""
    return {function["name"]: function for function in _json_list(text)}


def _with_results(opening: Situation, pool: list[Done], last: tuple[str, ...]) -> Situation:
    """Gives each result to the step that asked for it; of two steps with one function, by the arguments."""
    done: dict[int, tuple[Done, ...]] = {}
    situation = Situation(opening.steps, opening.definitions, opening.parallel, opening.message, done, last)
    for step in opening.steps:
        for name in situation.names(step):
            results = [result for result in pool if result.name == name]
            expected = situation.arguments(step, name)
            match = next(
                (result for result in results if result.arguments == expected), results[0] if results else None
            )
            if match is not None:
                pool.remove(match)
                done[step.number] = (*done.get(step.number, ()), match)
    return situation


def _done(result: JsonObject) -> Done:
    results: Any = result.get("results")
    return Done(
        str(result.get("name")),
        result.get("arguments") or {},
        results if isinstance(results, dict) else {"result": results},
    )


def _json_list(text: str) -> list[JsonObject]:
    try:
        value = json.loads(text)
    except ValueError:
        return []
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
