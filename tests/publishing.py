"""`button publish` as a user runs it, for tests: in this process, what it said, and what there is to publish."""

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from button.cli import main
from button.programs import PredictorState, Program, save


@dataclass(frozen=True)
class Said:
    """One command: its exit code, and what it said on stderr."""

    code: int
    said: str


def publish(*words: object, tracking: str = "none") -> Said:
    """Run `button publish` with these words, untracked unless they say otherwise."""
    with redirect_stderr(io.StringIO()) as said, redirect_stdout(io.StringIO()):
        code = main(["publish", f"tracking={tracking}", *map(str, words)])
    return Said(code, said.getvalue())


def write_program(folder: Path, step: str, instructions: str) -> None:
    """A program with one predictor and one demo."""
    state = PredictorState(
        fields=("input text (str): a text", "output answer (str): an answer"),
        instructions=instructions,
        demos=({"text": "a", "answer": "b"},),
    )
    save(Program(step=step, predictors={"ask": state}), folder / f"{step}.json")
