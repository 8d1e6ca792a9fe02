"""Writes the finished dataset: Parquet splits for `datasets` and trainers, button.jsonl, sharegpt.jsonl.

    dataset/train-00000-of-00002.parquet ...   OpenAI messages, see `button.export.openai_messages`
    dataset/validation-00000-of-00001.parquet, dataset/test-00000-of-00001.parquet
    button.jsonl, sharegpt.jsonl               every example of all splits, in the given order

A split without examples has no file: `datasets.load_dataset` fails on an empty one. The same examples give the same
bytes. All is written aside and then moved into place, so a reader meets no half of an export; the folder `dataset` is
replaced as a whole, so shards of two exports never mix.
"""

import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pydantic import PositiveInt, validate_call

from button.errors import UserError
from button.export.button_text import to_button
from button.export.markup import json_line
from button.export.openai_messages import to_openai
from button.export.sharegpt import to_sharegpt
from signatures.records import SPLITS, Example

TEXT_FORMS = {"button.jsonl": to_button, "sharegpt.jsonl": to_sharegpt}


@dataclass(frozen=True, slots=True)
class ExportCounts:
    """Examples written, per split."""

    train: int
    validation: int
    test: int


class FileExport:
    """What `write_exports` writes, with settings that are checked before a run starts."""

    @validate_call
    def __init__(self, *, rows_a_shard: PositiveInt = 50_000) -> None:
        self.rows_a_shard = rows_a_shard

    def __call__(self, out: Path, examples: Iterable[Example]) -> ExportCounts:
        return write_exports(out, examples, rows_a_shard=self.rows_a_shard)


def write_exports(out: Path, examples: Iterable[Example], *, rows_a_shard: int = 50_000) -> ExportCounts:
    """Writes all exports into the run folder `out`, streaming: memory holds one chunk of rows a split.

    Raises UserError for `rows_a_shard` below 1, and ValueError for an example that has no place in the formats (NaN,
    integers beyond 64 bits, turns that do not alternate); the earlier export then stays as it was.
    """
    if rows_a_shard < 1:
        raise UserError(f"rows_a_shard is {rows_a_shard}; expected at least 1; leave it out for 50000")
    aside = out / ".export"
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "dataset").mkdir(parents=True)
    try:
        counts = _write(aside, examples, rows_a_shard)
        for name in (*TEXT_FORMS, "dataset"):
            _move(aside / name, out / name)
    finally:
        shutil.rmtree(aside)
    return counts


def _write(folder: Path, examples: Iterable[Example], rows_a_shard: int) -> ExportCounts:
    # Imported here because it brings pyarrow and `datasets`, 1.7 s that other commands need not spend.
    from button.export.parquet import SplitWriter

    with ExitStack() as stack:
        texts = {name: stack.enter_context((folder / name).open("w", encoding="utf-8")) for name in TEXT_FORMS}
        splits = {split: SplitWriter(folder / "dataset", split, rows_a_shard) for split in SPLITS}
        for split in splits.values():
            stack.callback(split.close)
        for example in examples:
            try:
                splits[example.split].add(to_openai(example))
                for name, form in TEXT_FORMS.items():
                    texts[name].write(json_line(form(example)))
            except ValueError as error:
                raise ValueError(f"example {example.id} cannot be exported: {error}") from error
    for split in splits.values():
        split.finish()
    return ExportCounts(**{split: writer.rows for split, writer in splits.items()})


def _move(new: Path, place: Path) -> None:
    if place.is_dir():
        place.rename(new.with_name("replaced"))
    new.replace(place)
