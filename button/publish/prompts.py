"""The prompts of a run: what each step asks its model, told by the steps themselves, built anew from the config.

Programs that the run was made with (see `button.programs`) are read from its folder, and told to the steps again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from button.config import JsonObject
from button.errors import UserError
from button.programs import PROGRAMS, apply, load
from button.steps import ordered
from button.targets import TARGET, build
from signatures.records import content_hash

OURS = "modules."
ASKING_NOBODY = "button."  # checks and de-duplication


@dataclass(frozen=True, slots=True)
class Prompt:
    """One signature as a step asks it: its instructions, its fields, how many demos stand before the question."""

    step: str
    role: str
    signature: str
    instructions: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    demos: int
    tuned: bool
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Prompts:
    """What is known of a run's prompts, in the order of its steps, each once, and the steps that tell nothing."""

    known: tuple[Prompt, ...]
    untold: tuple[str, ...]


def prompts_of(config: JsonObject, folder: Path) -> Prompts:
    """The prompts of the run in `folder`.

    A step of a user's own is not built, since its package may lie elsewhere by now; nor is one of ours that no longer
    takes its arguments, or its program.
    """
    found: dict[tuple[str, str], Prompt] = {}
    untold: list[str] = []
    programs: Mapping[str, str] = config.get("programs") or {}
    for name, step in ordered(config["steps"]).items():
        target = str(step.get(TARGET, ""))
        try:
            if not target.startswith((OURS, ASKING_NOBODY)):
                raise UserError(f"steps.{name} is a step of the user's own")
            told = _prompts(name, step, folder if name in programs else None) if target.startswith(OURS) else []
        except UserError:
            untold.append(name)
            continue
        for prompt in told:
            found.setdefault((prompt.signature, prompt.fingerprint), prompt)
    return Prompts(tuple(found.values()), tuple(untold))


def _prompts(name: str, step: JsonObject, tuned: Path | None) -> list[Prompt]:
    built = build(step, f"steps.{name}")
    if tuned is not None:
        apply(load(tuned / PROGRAMS / f"{name}.json"), built, f"the program of steps.{name}")
    return [_prompt(name, role, predict, tuned is not None) for role, predict in _asks(built)]


def _asks(built: Any) -> Iterator[tuple[str, Any]]:
    """The role and the predictor of each part that asks; modules/ask.py cannot be imported from here."""
    for _, part in getattr(built, "named_sub_modules", lambda: ())():
        predict = getattr(part, "predict", None)
        if predict is not None and hasattr(part, "role"):
            yield str(part.role), predict


def _prompt(step: str, role: str, predict: Any, tuned: bool) -> Prompt:
    signature = predict.signature
    instructions = "\n".join(line.strip() for line in str(signature.instructions).strip().splitlines())
    inputs, outputs = tuple(signature.input_fields), tuple(signature.output_fields)
    demos = [dict(demo) for demo in predict.demos]
    return Prompt(
        step=step,
        role=role,
        signature=str(signature.__name__),
        instructions=instructions,
        inputs=inputs,
        outputs=outputs,
        demos=len(demos),
        tuned=tuned,
        fingerprint=content_hash(instructions, inputs, outputs, str(demos))[:8],
    )
