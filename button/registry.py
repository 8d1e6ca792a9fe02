"""Programs in MLflow's prompt registry: one prompt a step, a version a program, the alias `best` on the one to use.

A version shows what its predictors are told. The program itself, demos and all, is an artifact of the run that found
it; the version's tags name that run and the program's hash.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from button.errors import UserError
from button.programs import BEST, PROGRAMS, Program, parsed
from button.tracking import tracking_uri

log = logging.getLogger(__name__)
LONGEST = 90_000  # of 100,000 characters that the registry takes
STORE_VARIABLE = "MLFLOW_TRACKING_URI"
RUN, HASH = "button.run", "button.hash"


def prompt_name(step: str) -> str:
    """The name of a step's prompt."""
    return f"button-{step}"


def artifact_path(step: str) -> str:
    """Where a run keeps the program of a step."""
    return f"{PROGRAMS}/{step}.json"


def register(program: Program, run: str, *, message: str, is_best: bool) -> None:
    """Make a new version of the step's prompt, found in the MLflow run with this id, and `best` if it is."""
    import mlflow

    name = prompt_name(program.step)
    tags = {RUN: run, HASH: program.hash, "button.fingerprint": program.fingerprint}
    version = mlflow.genai.register_prompt(
        name=name, template=readable(program)[:LONGEST], commit_message=message, tags=tags
    )
    if is_best:
        mlflow.genai.set_prompt_alias(name, BEST, version.version)


def readable(program: Program) -> str:
    """What the predictors are told, for people: instructions, then demos as the fields they show."""
    parts = []
    for name, state in program.predictors.items():
        parts.append(f"## {name}\n\n{state.instructions}")
        for number, demo in enumerate(state.demos, 1):
            fields = "\n".join(f"{field}: {value}" for field, value in demo.items())
            parts.append(f"### demo {number}\n\n{fields}")
    return "\n\n".join(parts)


def best(steps: Iterable[str], uri: str | None) -> dict[str, Program]:
    """The programs with the alias `best`, by step, of those `steps` that have one.

    Raises UserError where there is none at all, where the store cannot be read, or an artifact is not what its version
    says.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    import mlflow
    from mlflow.exceptions import MlflowException

    store = tracking_uri(uri)
    try:
        with _reading(mlflow, store):
            found = {step: _best(mlflow, step, store) for step in steps}
    except MlflowException as error:
        raise UserError(f"programs={BEST}: the MLflow store {store} cannot be read: {error.message}") from error
    programs = {step: program for step, program in found.items() if program is not None}
    if not programs:
        raise UserError(
            f"programs={BEST}: no step of this run has a program with the alias {BEST} in the MLflow store {store};"
            " make one with button optimize, or name another store with tracking.uri=..."
        )
    return programs


@contextmanager
def _reading(mlflow: Any, store: str) -> Iterator[None]:
    """Lets MLflow's functions read from `store`. They write the store into the environment, where this run's own
    tracking would then look for it: so that is put back too.
    """
    before, told = mlflow.get_tracking_uri(), os.environ.get(STORE_VARIABLE)
    mlflow.set_tracking_uri(store)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)
        os.environ.pop(STORE_VARIABLE, None)
        if told is not None:
            os.environ[STORE_VARIABLE] = told


def _best(mlflow: Any, step: str, store: str) -> Program | None:
    version = mlflow.genai.load_prompt(
        f"prompts:/{prompt_name(step)}@{BEST}", allow_missing=True, link_to_model=False, cache_ttl_seconds=0
    )
    if version is None:
        return None
    if unmarked := [tag for tag in (RUN, HASH) if tag not in version.tags]:
        raise UserError(
            f"{prompt_name(step)}, version {version.version} in {store}, has the alias {BEST} and no tag"
            f" {', '.join(unmarked)}: button optimize did not make it; set the alias to a version that it made"
        )
    log.info("programs=%s: %s is version %s (%s)", BEST, step, version.version, version.commit_message)
    where = f"the program of the run {version.tags[RUN]} in {store} ({prompt_name(step)}, version {version.version})"
    program = parsed(mlflow.artifacts.load_text(f"runs:/{version.tags[RUN]}/{artifact_path(step)}"), where)
    if program.hash != version.tags[HASH]:
        raise UserError(
            f"{where} has the hash {program.hash}, its version says {version.tags[HASH]}; set the alias {BEST} to"
            " another version, or optimise again"
        )
    return program
