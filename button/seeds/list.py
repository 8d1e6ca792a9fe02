"""A plain list of scenarios or queries: a line each, JSON, JSON Lines, CSV or Parquet."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import PositiveInt, validate_call

from button.seeds.decoding import check_file
from button.seeds.rows import read_rows
from button.seeds.source import Content, Form, Row, SeedSource, seeds_from, shortened, squeezed
from signatures.records import Seed

COLUMNS = ("scenario", "text", "query", "title", "task")
LONGEST_SCENARIO = 10
"""Words: the paper's bound on a scenario (section 3.1)."""
LONGEST_CONVERSATION = 1_500
"""Characters, as for Glaive's conversations; the rest is cut."""


class ListSeeds:
    """The texts of a file, one a row; columns `domain` and `license` are taken over where a row has them.

    `column` is the first of scenario, text, query, title, task that the first row has, unless given. `form` is what
    the texts are; by default a column named `query` holds queries, and of other texts those of up to 10 words are
    scenarios and the longer ones queries, which the model then names a scenario for.
    """

    @validate_call
    def __init__(
        self,
        path: Path,
        *,
        column: str | None = None,
        form: Form | None = None,
        licensed: str | None = None,
        limit: PositiveInt | None = None,
    ) -> None:
        """`licensed` is the licence of rows without one, `limit` how many seeds a pass gives. Raises UserError."""
        self.path = check_file(path)
        self.name = self.path.name
        self.skipped: Counter[str] = Counter()
        self._column = column
        self._form = form
        self._licensed = licensed
        self._limit = limit

    def __iter__(self) -> Iterator[Seed]:
        rows = read_rows(self.path)
        return list_seeds(rows, self, column=self._column, form=self._form, limit=self._limit, licensed=self._licensed)


def list_seeds(
    rows: Iterable[Row],
    source: SeedSource,
    *,
    column: str | None,
    form: Form | None,
    limit: int | None,
    licensed: str | None = None,
) -> Iterator[Seed]:
    """The seeds of any rows of texts; see ListSeeds. Raises UserError for a row that has no such column or no text."""
    rows = iter(rows)
    first = next(rows, None)
    if first is not None:
        rows = chain([first], rows)
        column = _column(first, column)
    return seeds_from(rows, partial(read_text, column=column, form=form), source, limit=limit, licensed=licensed)


def read_text(row: Row, *, column: str | None, form: Form | None) -> Content:
    """The text of a row: the row itself, where `column` is None, or that column's."""
    if column is None:
        return _content(row, row.value, form)
    if not isinstance(row.value, dict) or column not in row.value:
        raise row.refused(_seen(row.value), f"a text in '{column}', as in the rows before")
    form = form or ("query" if column == "query" else None)
    domain = row.value.get("domain")
    licence = row.value.get("license") or row.value.get("licence")
    return _content(
        row,
        row.value[column],
        form,
        domain=domain if isinstance(domain, str) else None,
        licence=licence if isinstance(licence, str) else None,
    )


def _content(
    row: Row, value: Any, form: Form | None, *, domain: str | None = None, licence: str | None = None
) -> Content:
    if value is not None and not isinstance(value, str):
        raise row.refused(f"{shortened(repr(value), 80)} is a {type(value).__name__}", "a text")
    text = squeezed(value or "")
    if form == "conversation":
        text = shortened((value or "").strip(), LONGEST_CONVERSATION)
    guessed: Form = "scenario" if len(text.split()) <= LONGEST_SCENARIO else "query"
    return Content(text=text, form=form or guessed, domain=domain or None, license=licence or None)


def _column(first: Row, column: str | None) -> str | None:
    if isinstance(first.value, dict):
        for name in (column,) if column is not None else COLUMNS:
            if name in first.value:
                return name
        wanted = f"a column '{column}'" if column is not None else f"one of the columns {', '.join(COLUMNS)}"
        raise first.refused(_seen(first.value), f"{wanted}; name one with seeds.column=...")
    if column is not None:
        raise first.refused("rows without columns", f"columns, since column='{column}' is set; leave seeds.column out")
    return None


def _seen(value: Any) -> str:
    if isinstance(value, dict):
        return f"columns {', '.join(map(str, value)) or 'none'}"
    return f"{shortened(repr(value), 80)} ({type(value).__name__})"
