"""A run as publishing needs it: what it was asked, how it went, and its examples with the way that each came."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

from button.config import JsonObject
from button.errors import UserError
from button.funnel import Funnel
from button.journal import EMBEDDED, FORMAT, Journal
from button.run_folder import FUNNEL, JOURNAL
from signatures.records import Example, Record, Seed


@dataclass(frozen=True, slots=True)
class TracedExample:
    """An accepted example, its place in the run (from 0), and the records it was made from, from the seed to itself."""

    position: int
    example: Example
    lineage: tuple[Record, ...]

    @property
    def seed(self) -> Seed | None:
        """The seed, where the lineage begins with one (a chain of a user's own may not)."""
        first = self.lineage[0]
        return first if isinstance(first, Seed) else None


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """The run of one folder; `config` is as `button.config.as_config` gave it, with secrets masked already."""

    folder: Path
    config: JsonObject
    funnel: Funnel
    journal: Journal

    def examples(self) -> Iterator[TracedExample]:
        """The accepted examples in order, read one by one; every pass gives the same."""
        for position, example in enumerate(self.journal.examples()):
            yield TracedExample(position, example, lineage_of(example, self.journal))


@contextmanager
def opened_run(folder: Path, *, unfinished: bool = False) -> Iterator[FinishedRun]:
    """The finished run in `folder`; with `unfinished` also one that stopped short of `n`.

    Raises UserError for a folder that holds no run, or an empty, damaged or unfinished one.
    """
    if not (folder / JOURNAL).is_file():
        what = "is no run folder: it has no run.db" if folder.is_dir() else "is not there"
        raise UserError(f"run={folder} {what}; give the folder that `button generate` filled, its out=...")
    journal = Journal(folder / JOURNAL)
    try:
        config = _config(folder, journal)
        accepted, asked = journal.accepted(), config.get("n")
        if not accepted:
            raise UserError(f"run={folder} holds no accepted trajectory; run the same `button generate` command again")
        if journal.meta("finished") is None and not unfinished:
            raise UserError(
                f"run={folder} is not finished: {accepted} of {asked or 'all'} trajectories are accepted; run the same"
                " `button generate` command again, or publish what is there with unfinished=true"
            )
        yield FinishedRun(folder, config, _funnel(folder), journal)
    finally:
        journal.close()


def lineage_of(example: Example, journal: Journal) -> tuple[Record, ...]:
    """Every record that `example` was made from, the seed first, itself last."""
    chain: list[Record] = [example]
    while (parent := chain[-1].parent) is not None:
        embedded = getattr(chain[-1], EMBEDDED.get(chain[-1].kind, ""), None)
        chain.append(embedded if isinstance(embedded, Record) and embedded.id == parent else journal.record(parent))
    return tuple(reversed(chain))


def _config(folder: Path, journal: Journal) -> JsonObject:
    known, format_ = journal.meta("config"), journal.meta("format")
    if known is None:
        raise UserError(f"run={folder} holds no run yet; run `button generate` with out={folder} first")
    if format_ != FORMAT:
        raise UserError(f"{journal.path} has format {format_}, this version reads {FORMAT}; make the run anew")
    config: JsonObject = orjson.loads(known)
    return config


def _funnel(folder: Path) -> Funnel:
    path = folder / FUNNEL
    try:
        return Funnel.from_dict(orjson.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} cannot be read ({error}): the card shows the funnel; restore the file, or make the run anew"
        ) from error
