"""`button compare` as a user runs it, and walks made up for tests of the figures."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from journeys import journey

from button.cli import main
from experiments.comparing.walks import Walk
from signatures.records import Composition, Example, Measures, Problem, Trajectory

LEAN = ("lm=simulated", "tracking=none", "resamples=1000")


@dataclass(frozen=True)
class Compared:
    """One command: its exit code, what it showed and what it said on stderr."""

    code: int
    shown: str
    said: str
    out: Path

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / "comparison.json").read_text())
        return found

    def difference(self, arm: str, measure: str) -> dict[str, Any]:
        rows = [row for row in self.body["differences"] if (row["arm"], row["measure"]) == (arm, measure)]
        found: dict[str, Any] = rows[0]
        return found


def compare(out: Path, *words: str) -> Compared:
    """Run `button compare` with these words, untracked, on the simulated model unless they say otherwise."""
    with redirect_stderr(io.StringIO()) as said, redirect_stdout(io.StringIO()) as shown:
        code = main(["compare", *LEAN, f"out={out}", *words])
    return Compared(code, shown.getvalue(), said.getvalue(), out)


def example(task: str, **measures: float) -> Example:
    """An accepted example of a task, with these measures and else ones."""
    trajectory = journey()
    composition = trajectory.problem.composition
    renamed = Composition.derive(None, **{**composition.model_dump(exclude={"id", "parent"}), "task": task})
    problem = Problem.derive(
        renamed, composition=renamed, functions=trajectory.problem.functions, uses=trajectory.problem.uses
    )
    played = Trajectory.derive(problem, problem=problem, parallel=True, turns=trajectory.turns)
    counted = Measures.model_validate({**dict.fromkeys(Measures.model_fields, 1), **measures})
    return Example.derive(played, trajectory=played, split="train", measures=counted, sources=())


def walk(seed: str, *accepted: Example, calls: int = 10, cost: float = 0.0) -> Walk:
    """A walk with these accepted examples."""
    return Walk(seed, lm_calls=calls, tokens=100 * calls, cost=cost, accepted=list(accepted))
