"""The hand-labelled set: what steps can give, read by a person and called good or bad for a stated reason."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from button.errors import UserError
from button.validation import refusal
from signatures.records import (
    AssistantTurn,
    AtomicTask,
    Call,
    Composition,
    Function,
    JsonObject,
    Problem,
    Record,
    Result,
    Scenario,
    SubTask,
    ToolTurn,
    Trajectory,
    Turn,
    UserTurn,
)

FOLDER = Path(__file__).with_name("labels")
STEPS = ("task", "composition", "functions", "trajectory")

Item = TypeVar("Item", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One item: `given` is what a step took, `record` what it is said to have made of it."""

    id: str
    step: str
    good: bool
    reason: str
    flaw: str | None
    given: Record
    record: Record


class _Item(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    label: Literal["good", "bad"]
    reason: str = Field(min_length=10)
    flaw: str | None = None
    task: str


class _SubTask(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    needs: tuple[int, ...] = ()
    uses: tuple[str, ...] = ()


class _Function(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    does: str
    takes: dict[str, str | tuple[str, str]]
    gives: dict[str, str | tuple[str, str]]
    optional: tuple[str, ...] = ()


class _Exchange(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    takes: JsonObject
    gives: JsonObject


class _Turn(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    think: str
    calls: tuple[_Exchange, ...] = ()
    final: str | None = None


class _Composition(_Item):
    sub_tasks: tuple[_SubTask, ...]


class _Functions(_Composition):
    functions: tuple[_Function, ...]


class _Trajectory(_Functions):
    user: str | None = None
    parallel: bool = False
    turns: tuple[_Turn, ...]


_FORMS: Mapping[str, type[_Item]] = {
    "task": _Item,
    "composition": _Composition,
    "functions": _Functions,
    "trajectory": _Trajectory,
}


def read_labels(folder: Path = FOLDER, steps: Sequence[str] = STEPS) -> tuple[Labelled, ...]:
    """The items of `steps` in the order of their files, `<step>.yaml` in `folder`.

    Raises UserError for a file that is missing or malformed, an id that comes twice, and a step without a good or
    without a bad item, over which agreement cannot be told.
    """
    items = [item for step in steps for item in _read(folder / f"{step}.yaml", step)]
    twice = [id_ for id_, count in Counter(item.id for item in items).items() if count > 1]
    if twice:
        raise UserError(f"{folder}: the label '{twice[0]}' stands there twice; give each item an id of its own")
    for step in steps:
        labels = {item.good for item in items if item.step == step}
        if labels != {True, False}:
            raise UserError(f"{folder}/{step}.yaml: expected items labelled good and items labelled bad, of both some")
    return tuple(items)


def _read(path: Path, step: str) -> list[Labelled]:
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{path}: the labels cannot be read ({error}); expected a YAML list of items") from error
    if not isinstance(rows, list):
        raise UserError(f"{path}: expected a YAML list of items with id, label, reason and the content")
    return [_labelled(row, step, f"{path.name}[{number}]") for number, row in enumerate(rows)]


def _labelled(row: Any, step: str, where: str) -> Labelled:
    try:
        item = _FORMS[step].model_validate(row)
        pair = _records(item)
    except ValidationError as error:
        raise refusal(error, where) from error
    good = item.label == "good"
    return Labelled(item.id, step, good, item.reason, item.flaw, pair.given, pair.record)


class _Pair(NamedTuple):
    given: Record
    record: Record


def _records(item: _Item) -> _Pair:
    """What the item's step took and gave. Scenarios are not part of a label: no judge is shown one."""
    scenario = Scenario.derive(None, text="a labelled item")
    if not isinstance(item, _Composition):
        return _Pair(scenario, AtomicTask.derive(scenario, scenario=scenario.text, task=item.task))
    atomic = AtomicTask.derive(scenario, scenario=scenario.text, task=item.sub_tasks[0].task)
    composition = Composition.derive(
        atomic,
        scenario=scenario.text,
        task=item.task,
        strategy="sequential" if len(item.sub_tasks) < 3 else "parallel_then_sequential",
        sub_tasks=tuple(
            SubTask(task=part.task, depends_on=tuple(number - 1 for number in part.needs)) for part in item.sub_tasks
        ),
    )
    if not isinstance(item, _Functions):
        return _Pair(atomic, composition)
    problem = Problem.derive(
        composition,
        composition=composition,
        functions=tuple(_function(one) for one in item.functions),
        uses=tuple(part.uses for part in item.sub_tasks),
    )
    if not isinstance(item, _Trajectory):
        return _Pair(composition, problem)
    turns = (UserTurn(content=item.user or item.task), *(turn for one in item.turns for turn in _turns(one)))
    return _Pair(problem, Trajectory.derive(problem, problem=problem, parallel=item.parallel, turns=turns))


def _function(written: _Function) -> Function:
    return Function(
        name=written.name,
        description=written.does,
        parameters={name: _body(said) for name, said in written.takes.items()},
        required=tuple(name for name in written.takes if name not in written.optional),
        responses={name: _body(said) for name, said in written.gives.items()},
    )


def _body(said: str | tuple[str, str]) -> JsonObject:
    kind, description = ("string", said) if isinstance(said, str) else said
    body: JsonObject = {"type": kind, "description": description}
    return {**body, "items": {"type": "string"}} if kind == "array" else body


def _turns(written: _Turn) -> list[Turn]:
    calls = tuple(Call(name=one.name, arguments=one.takes) for one in written.calls)
    spoken = AssistantTurn(thought=written.think, calls=calls, final=written.final)
    if not calls:
        return [spoken]
    results = (Result(name=one.name, arguments=one.takes, results=one.gives) for one in written.calls)
    return [spoken, ToolTurn(results=tuple(results))]
