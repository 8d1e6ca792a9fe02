"""Programs: the instructions and demos of a step's predictors, as one JSON file a step that an optimiser wrote.

A file says for which fields it was made (a fingerprint of names, types and descriptions; not of instructions, which
are what it is there to change) and carries a hash of its own content. Nothing pickled is ever read.
"""

import functools
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import dspy
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from button.config import TrackingSettings
from button.errors import UserError
from signatures.records import JsonObject, content_hash

log = logging.getLogger(__name__)
FORMAT = 1
PROGRAMS = "programs"  # the folder of programs in a run folder
PROGRAM = "program"  # the key of a step's config that names a file
BEST = "best"
# What asking again adds to a prompt, and what a demo has no place for.
_NO_DEMO_FIELDS = ("previous_output", "problems", "augmented")


@runtime_checkable
class WithPredictors(Protocol):
    """What is known of a step here."""

    def named_predictors(self) -> Sequence[tuple[str, dspy.Predict]]: ...


class PredictorState(BaseModel):
    """What one predictor is told: instructions, and demos as mappings of field names to JSON values.

    `fields` are the fields that it was made for, a line each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[str, ...]
    instructions: str
    demos: tuple[JsonObject, ...] = ()


class Program(BaseModel):
    """The state of a step's predictors, by their names inside the step."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    predictors: dict[str, PredictorState]

    @functools.cached_property
    def hash(self) -> str:
        """16 hex digits over all of it."""
        return content_hash(self.model_dump(mode="json"))

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hex digits over the names of the predictors and their fields."""
        return content_hash({name: state.fields for name, state in self.predictors.items()})


def program_of(name: str, step: WithPredictors) -> Program:
    """What the predictors of `step` are told now; `name` is the step's name in the config."""
    states = {
        where: PredictorState(
            fields=fields_of(predictor.signature),
            instructions=predictor.signature.instructions,
            demos=tuple(_demo(demo, predictor.signature) for demo in predictor.demos),
        )
        for where, predictor in step.named_predictors()
    }
    return Program(step=name, predictors=states)


def apply(program: Program, step: object, where: str) -> None:
    """Tell the predictors of `step` what `program` says. `where` names the program in messages.

    Raises UserError, with both fingerprints, where it was made for other predictors or fields.
    """
    if not isinstance(step, WithPredictors):
        raise UserError(f"{where}: {type(step).__name__} asks no model, so it can be told nothing")
    current = program_of(program.step, step)
    if current.fingerprint != program.fingerprint:
        raise UserError(
            f"{where} was made for a step with the fingerprint {program.fingerprint}, steps.{program.step} has"
            f" {current.fingerprint}: {_difference(program, current)}; optimise the step as it is now, or run with the"
            " version and the options that the program was made with"
        )
    for name, predictor in step.named_predictors():
        told = program.predictors[name]
        if told.instructions != predictor.signature.instructions:
            predictor.signature = instructed(predictor.signature, told.instructions)
        inputs = predictor.signature.input_fields.keys()
        predictor.demos = [dspy.Example(**demo).with_inputs(*(inputs & demo.keys())) for demo in told.demos]


def instructed(signature: type[dspy.Signature], instructions: str) -> type[dspy.Signature]:
    """The signature with other instructions, under its own name, which DSPy would drop."""
    found: type[dspy.Signature] = signature.with_instructions(instructions)
    found.__name__ = signature.__name__
    return found


def save(program: Program, path: Path) -> None:
    """Write a program; the same program gives the same bytes."""
    body = program.model_dump(mode="json")
    content = {"format": FORMAT, "fingerprint": program.fingerprint, "hash": program.hash, **body}
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.new")
    aside.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    aside.replace(path)


def load(path: Path) -> Program:
    """Read a program. Raises UserError where it is not there, not whole, or not as it was written."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"the program {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no program: it is no text in UTF-8, and nothing pickled is read") from error
    return parsed(text, str(path))


def parsed(text: str, where: str) -> Program:
    """The program in the text of a file. Raises UserError where it is not whole, or not as it was written."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise UserError(f"{where} is no whole program: {error}; write it anew with button optimize") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else None
        raise UserError(f"{where} is no program of format {FORMAT}, which this version reads (format: {found})")
    body = {key: value for key, value in content.items() if key not in ("format", "fingerprint", "hash")}
    try:
        program = Program.model_validate(body)
    except ValidationError as error:
        raise UserError(f"{where} is no whole program: {error.errors()[0]['msg']}") from error
    for name in ("fingerprint", "hash"):
        if content.get(name) != getattr(program, name):
            raise UserError(
                f"{where} was changed after it was written: its content has the {name} {getattr(program, name)}, it"
                f" says {content.get(name)}; take the file as button optimize wrote it"
            )
    return program


class WithPrograms(Protocol):
    """The settings of a verb whose steps may be told something else than what is shipped."""

    @property
    def programs(self) -> str | None: ...

    @property
    def steps(self) -> Mapping[str, JsonObject]: ...

    @property
    def tracking(self) -> TrackingSettings | None: ...


def chosen(settings: WithPrograms) -> dict[str, Program]:
    """The programs that the settings name, by step: `steps.NAME.program`, else what `programs` has for the step.

    Raises UserError for a file that cannot be read, a folder without any program, or a store without a best one.
    """
    named = {step: load(Path(str(config[PROGRAM]))) for step, config in settings.steps.items() if config.get(PROGRAM)}
    others = [step for step in settings.steps if step not in named]
    if settings.programs == BEST:
        from button.registry import best  # which imports MLflow: seconds, and nobody else needs them

        return {**best(others, settings.tracking.uri if settings.tracking else None), **named}
    return {**(_in_folder(Path(settings.programs), settings.steps) if settings.programs else {}), **named}


def pinned(config: JsonObject, programs: Mapping[str, Program]) -> JsonObject:
    """A config as a run is known by: programs by their content, wherever they come from."""
    steps = {
        name: {key: value for key, value in step.items() if key != PROGRAM} for name, step in config["steps"].items()
    }
    return {**config, "steps": steps, "programs": {name: program.hash for name, program in programs.items()} or None}


def _in_folder(folder: Path, steps: Mapping[str, JsonObject]) -> dict[str, Program]:
    files = sorted(folder.glob("*.json"))
    within = [path for depth in ("", "*/") for path in sorted(folder.glob(f"{depth}{PROGRAMS}")) if path.is_dir()]
    if not files or within:
        meant = f"; there are some in {', '.join(map(str, within[:5]))}" if within else ""
        raise UserError(
            f"programs={folder}: there is no program in it{meant}; give a folder that button optimize wrote, such as"
            f" outputs/optimize/{PROGRAMS}, or {BEST}"
        )
    found = {file.stem: load(file) for file in files}
    if unknown := [name for name in found if name not in steps]:
        log.warning("programs=%s: this run has no step %s; its program is not used", folder, ", ".join(unknown))
    return {name: program for name, program in found.items() if name in steps}


def fields_of(signature: type[dspy.Signature]) -> tuple[str, ...]:
    """One line a field: its part, its name, its type and its description."""
    return tuple(
        f"{part} {name} ({_type_of(field.annotation)}): {field.json_schema_extra['desc']}"
        for part, fields in (("input", signature.input_fields), ("output", signature.output_fields))
        for name, field in fields.items()
    )


@functools.cache
def _type_of(annotation: Any) -> str:
    """A type in words; one that is made of others by the hash of its JSON Schema too."""
    name = getattr(annotation, "__name__", None) if isinstance(annotation, type) else None
    if annotation in (str, int, float, bool):
        return str(name)
    schema = TypeAdapter(annotation).json_schema()
    return f"{name or str(annotation).replace('typing.', '')} {content_hash(schema)[:8]}"


def _demo(demo: Mapping[str, Any], signature: type[dspy.Signature]) -> JsonObject:
    """A demo as JSON: the fields that the signature has and JSON can say, without a dialogue's history."""
    kept = {
        name: value
        for name, value in dict(demo).items()
        if name not in _NO_DEMO_FIELDS and name in signature.fields and not isinstance(value, dspy.History)
    }
    found: JsonObject = to_jsonable_python(kept)
    return found


def _difference(there: Program, here: Program) -> str:
    """What sets two fingerprints apart, in words."""
    if there.predictors.keys() != here.predictors.keys():
        return f"it has the predictors {', '.join(there.predictors)}, the step {', '.join(here.predictors)}"
    for name, state in there.predictors.items():
        now = here.predictors[name].fields
        if state.fields != now:
            lost, new = (
                [line for line in one if line not in other] for one, other in ((state.fields, now), (now, state.fields))
            )
            return f"the fields of {name} differ: {lost or 'no field'} there, {new or 'no field'} here"
    return "the order of the predictors differs"
