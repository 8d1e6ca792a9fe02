"""Seeds of any data set on the Hugging Face Hub, or in a local folder, streamed."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import PositiveInt, validate_call

from button.errors import UserError
from button.seeds.glaive import read_conversation
from button.seeds.list import list_seeds
from button.seeds.recognize import recognize
from button.seeds.source import Row, seeds_from
from button.seeds.toolbench import read_query
from signatures.records import Seed


class HubSeeds:
    """The rows of a data set by its name (`owner/name`) or its folder, read as Glaive's, ToolBench's or a list's.

    With `column` it is read as a list (see ListSeeds). Nothing is fetched before the first row is asked for.
    """

    @validate_call
    def __init__(
        self,
        name: str,
        *,
        split: str = "train",
        config: str | None = None,
        column: str | None = None,
        revision: str | None = None,
        limit: PositiveInt | None = None,
    ) -> None:
        """`revision` is a branch, tag or commit (pin one, so that a rerun sees the same rows). Raises UserError."""
        self._where = str(Path(name).expanduser()) if Path(name).expanduser().exists() else name
        if Path(self._where).is_file():
            raise UserError(
                f"{name} is a file, a name or folder was expected; for files use seeds=file seeds.path={name}"
            )
        self.name = Path(self._where).resolve().name if Path(self._where).is_dir() else name
        self.skipped: Counter[str] = Counter()
        self._split = split
        self._config = config
        self._column = column
        self._revision = revision
        self._limit = limit

    def __iter__(self) -> Iterator[Seed]:
        rows = self._rows()
        first = next(rows, None)
        kind = recognize(first.value) if first is not None and self._column is None else "list"
        rows = chain([first] if first is not None else [], rows)
        if kind == "list":
            return list_seeds(rows, self, column=self._column, form=None, limit=self._limit)
        return seeds_from(rows, read_conversation if kind == "glaive" else read_query, self, limit=self._limit)

    def _rows(self) -> Iterator[Row]:
        from datasets import load_dataset
        from datasets.exceptions import DatasetsError

        number = 0
        try:
            rows: Any = load_dataset(
                self._where, self._config, split=self._split, revision=self._revision, streaming=True
            )
            for number, value in enumerate(rows, start=1):
                yield Row(number, f"{self._where} ({self._split}), row {number}", value)
        # RuntimeError is how `datasets` refuses a data set that is a script.
        except (DatasetsError, OSError, ValueError, RuntimeError) as error:
            raise UserError(
                f"data set '{self._where}' (config {self._config or 'default'}, split {self._split}, revision"
                f" {self._revision or 'default'}) cannot be read after row {number}: {_first_line(error)}; check the"
                " name, the network and, for a private one, HF_TOKEN, or download it and use seeds=file seeds.path=..."
            ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
