"""What each seed came to in one arm: read back from the arm's journal, along the parents of its records."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from button.errors import UserError
from button.journal import Journal
from button.run_folder import JOURNAL
from signatures.records import Example


@dataclass(slots=True)
class Walk:
    """One seed in one arm: its LM calls with their tokens and US dollars, its drops, and what was accepted of it."""

    seed: str
    lm_calls: int = 0
    tokens: int = 0
    cost: float = 0.0
    drops: Counter[tuple[str, str]] = field(default_factory=Counter)
    accepted: list[Example] = field(default_factory=list)


def is_finished(out: Path) -> bool:
    """Whether the folder holds a run that is done, and asks no model any more. A damaged one is not: the run tells."""
    database = out / JOURNAL
    if not database.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as tables:
            return tables.execute("SELECT 1 FROM meta WHERE key = 'finished'").fetchone() is not None
    except sqlite3.DatabaseError:
        return False


def walks_in(out: Path) -> dict[str, Walk]:
    """The walks of a finished run by the ids of its seeds, in the order of the seeds."""
    database = out / JOURNAL
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as tables:
        parents: dict[str, str | None] = dict(tables.execute("SELECT id, parent FROM records"))
        walks = {id_: Walk(id_) for (id_,) in tables.execute("SELECT id FROM records WHERE kind = 'seed'")}
        roots = _roots(parents)
        for step, record, reason, calls, tokens, cost in tables.execute(
            "SELECT step, record, reason, calls, prompt_tokens + completion_tokens, cost FROM outcomes"
        ):
            walk = walks[roots[record]]
            walk.lm_calls += calls
            walk.tokens += tokens
            walk.cost += cost
            if reason is not None:
                walk.drops[step, reason] += 1
    with closing(Journal(database)) as journal:
        for example in journal.examples():
            walks[roots[example.id]].accepted.append(example)
    return walks


def paired(arms: Mapping[str, Mapping[str, Walk]]) -> list[str]:
    """The ids of the seeds that all arms walked. Raises UserError where one walked others."""
    first, *others = arms
    for other in others:
        if lacking := arms[first].keys() ^ arms[other].keys():
            raise UserError(
                f"the arms {first} and {other} did not walk the same seeds ({len(lacking)} differ): the seeds changed"
                " in between; compare again in another out"
            )
    return sorted(arms[first])


def _roots(parents: Mapping[str, str | None]) -> dict[str, str]:
    """The seed behind each record."""
    roots: dict[str, str] = {}
    for id_ in parents:
        path = [id_]
        while (known := roots.get(path[-1])) is None and (parent := parents[path[-1]]) is not None:
            path.append(parent)
        root = known or path[-1]
        roots.update(dict.fromkeys(path, root))
    return roots
