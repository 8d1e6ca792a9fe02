"""Seeds of any data set on the Hugging Face Hub, or in a local folder, streamed.

A set that `button publish` made is known by its configs: its scenarios are the seeds, each once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import PositiveInt, validate_call

from button.errors import UserError
from button.publish.forms import PROVENANCE
from button.publish.taken_back import HUB, Reference, is_published, licence_of, reference
from button.seeds.glaive import read_conversation
from button.seeds.list import list_seeds
from button.seeds.recognize import recognize
from button.seeds.source import Content, Row, seeds_from, squeezed
from button.seeds.toolbench import read_query
from signatures.records import Seed


class HubSeeds:
    """The rows of a data set by its name (`owner/name`, `hub:owner/name@v1.0`) or its folder.

    They are read as those of a published BUTTON set, of Glaive, of ToolBench or of a list; with `column` as a list (see
    ListSeeds). Nothing is fetched before the first row is asked for.
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
        told = name.removeprefix(HUB)
        name, revision = _named(name, revision)
        self._where = str(Path(name).expanduser()) if Path(name).expanduser().exists() else name
        if Path(self._where).is_file():
            raise UserError(
                f"{name} is a file, a name or folder was expected; for files use seeds=file seeds.path={name}"
            )
        self.name = Path(self._where).resolve().name if Path(self._where).is_dir() else told
        self.skipped: Counter[str] = Counter()
        self._split = split
        self._config = config
        self._column = column
        self._revision = revision
        self._limit = limit
        self._licence: str | None = None  # of a published set, read with its first row

    def __iter__(self) -> Iterator[Seed]:
        rows = self._rows()
        first = next(rows, None)
        kind = recognize(first.value) if first is not None and self._column is None else "list"
        rows = chain([first] if first is not None else [], rows)
        if kind == "list":
            return list_seeds(rows, self, column=self._column, form=None, limit=self._limit)
        if kind == "published":
            read = partial(read_scenario, licence=self._licence)
            return seeds_from(self._each_once(rows), read, self, limit=self._limit)
        return seeds_from(rows, read_conversation if kind == "glaive" else read_query, self, limit=self._limit)

    def _each_once(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows with a scenario that none before them had: a run draws on each more than once."""
        seen = set()
        for row in rows:
            if row.value["scenario"] in seen:
                self.skipped["repeated"] += 1
                continue
            seen.add(row.value["scenario"])
            yield row

    def _rows(self) -> Iterator[Row]:
        from datasets import get_dataset_config_names, load_dataset
        from datasets.exceptions import DatasetsError

        number, config = 0, self._config
        told = config is not None or self._column is not None
        try:
            if not told and is_published(get_dataset_config_names(self._where, revision=self._revision)):
                config = PROVENANCE
                self._licence = licence_of(Reference(self._where, self._revision))
            rows: Any = load_dataset(self._where, config, split=self._split, revision=self._revision, streaming=True)
            for number, value in enumerate(rows, start=1):
                yield Row(number, f"{self._where} ({self._split}), row {number}", value)
        # RuntimeError is how `datasets` refuses a data set that is a script.
        except (DatasetsError, OSError, ValueError, RuntimeError) as error:
            raise UserError(
                f"data set '{self._where}' (config {config or 'default'}, split {self._split}, revision"
                f" {self._revision or 'default'}) cannot be read after row {number}: {_first_line(error)}; check the"
                " name, the network and, for a private one, HF_TOKEN, or download it and use seeds=file seeds.path=..."
            ) from error


def read_scenario(row: Row, *, licence: str | None) -> Content:
    """The scenario of a row of a published set, under that set's licence, else that of the seed behind the row."""
    scenario, seed = row.value["scenario"], row.value["seed"] or {}
    if not isinstance(scenario, str):
        raise row.refused(f"'scenario' is a {type(scenario).__name__}", "a text")
    domain = row.value.get("domain")
    return Content(text=squeezed(scenario), form="scenario", domain=domain, license=licence or seed.get("license"))


def _named(name: str, revision: str | None) -> tuple[str, str | None]:
    """The name and the revision, which may stand in it (`hub:owner/name@v1.0`)."""
    if not name.startswith(HUB):
        return name, revision
    found = reference(name)
    if None not in (found.revision, revision):
        raise UserError(f"seeds.name={name} names a revision, and seeds.revision={revision} another; give one of them")
    return found.where, found.revision or revision


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
