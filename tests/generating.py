"""`button generate` as a user runs it, for tests: the whole command in this process, and what it leaves."""

import io
import json
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from button.cli import main
from button.journal import Journal
from signatures.records import Example


@dataclass(frozen=True)
class Ran:
    """One command: its exit code, what it said on stderr, and the run folder."""

    code: int
    said: str
    out: Path

    @property
    def data(self) -> dict[str, bytes]:
        return data_of(self.out)

    @property
    def funnel(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = json.loads((self.out / "funnel.json").read_text())
        return found

    @property
    def calls(self) -> int:
        """LM calls, by the funnel."""
        return sum(count["lm_calls"] for count in self.funnel.values())

    @property
    def examples(self) -> list[Example]:
        with closing(Journal(self.out / "run.db")) as journal:
            return list(journal.examples())


def generate(out: Path, *words: str) -> Ran:
    """Run `button generate` with these words, untracked, on the simulated model unless they say otherwise."""
    with redirect_stderr(io.StringIO()) as said, redirect_stdout(io.StringIO()):
        code = main(["generate", "lm=simulated", "tracking=none", "show=none", f"out={out}", *words])
    return Ran(code, said.getvalue(), out)


def data_of(out: Path) -> dict[str, bytes]:
    """The files of the finished dataset, by name."""
    files = [out / "button.jsonl", out / "sharegpt.jsonl", *sorted((out / "dataset").glob("*"))]
    return {str(file.relative_to(out)): file.read_bytes() for file in files}
