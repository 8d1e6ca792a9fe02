"""Seeds of a user's file, whatever it holds."""

from pathlib import Path

from pydantic import PositiveInt, validate_call

from button.errors import UserError
from button.seeds.glaive import GlaiveSeeds
from button.seeds.list import ListSeeds
from button.seeds.recognize import recognize
from button.seeds.rows import read_rows
from button.seeds.source import Form, SeedSource
from button.seeds.toolbench import ToolBenchSeeds


@validate_call
def open_seeds(
    path: Path,
    *,
    column: str | None = None,
    form: Form | None = None,
    licensed: str | None = None,
    limit: PositiveInt | None = None,
) -> SeedSource:
    """The source that fits the file's first row: Glaive's conversations, ToolBench's queries, or a list of texts.

    A given `column` or `form` always means a list. `licensed` is the licence to note for rows that name none. Raises
    UserError for a file that cannot be read.
    """
    first = next(read_rows(path), None)
    if first is None:
        raise UserError(f"{path} holds no rows; expected at least one")
    kind = "list" if column is not None or form is not None else recognize(first.value)
    if kind == "glaive":
        return GlaiveSeeds(path, licensed=licensed, limit=limit)
    if kind == "toolbench":
        return ToolBenchSeeds(path, licensed=licensed, limit=limit)
    return ListSeeds(path, column=column, form=form, licensed=licensed, limit=limit)
