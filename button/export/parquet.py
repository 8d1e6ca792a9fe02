"""One split of a dataset as Parquet shards that `datasets.load_dataset` reads back as objects.

`Json()` columns are spelled here and handed to Arrow as text: `datasets` itself encodes floats with 10 decimals only
(3.141592653589793 becomes 3.1415926536). Its reader takes integers of at most 64 bits; larger ones are refused.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from button.export.markup import json_text
from button.export.openai_messages import features

if TYPE_CHECKING:
    from datasets import Features

ROWS_A_CHUNK = 1000

Speller = Callable[[Any], Any]


class SplitWriter:
    """Writes rows of `to_openai`, or of any other `columns`, to shards; memory holds one chunk of rows, a row group.

    A shard ends after `rows_a_shard` rows, or with the chunk that brings it to `bytes_a_shard`. The number of shards is
    known only at the end, so `finish` gives them their names. Files that are not `described` leave out what `datasets`
    notes of its features: readers older than the writer stumble over it, and plain columns do without.
    """

    def __init__(
        self,
        folder: Path,
        split: str,
        rows_a_shard: int | None = None,
        *,
        columns: "Features | None" = None,
        described: bool = True,
        bytes_a_shard: int | None = None,
        rows_a_chunk: int = ROWS_A_CHUNK,
    ) -> None:
        columns = features() if columns is None else columns
        self.rows = 0
        self._folder = folder
        self._split = split
        self._rows_a_shard = rows_a_shard
        self._bytes_a_shard = bytes_a_shard
        self._rows_a_chunk = rows_a_chunk
        self._spelled = _speller(dict(columns)) or (lambda row: row)
        self._schema = columns.arrow_schema if described else columns.arrow_schema.remove_metadata()
        self._plain_schema = pa.schema([(field.name, _stored_as(field.type)) for field in self._schema])
        self._chunk: list[dict[str, Any]] = []
        self._shards: list[Path] = []
        self._sink: pa.NativeFile | None = None
        self._writer: pq.ParquetWriter | None = None

    def add(self, row: dict[str, Any]) -> None:
        """Raises ValueError where a number in the row has no place in JSON or in 64 bits."""
        self._chunk.append(self._spelled(row))
        self.rows += 1
        if self._rows_a_shard is not None and self.rows % self._rows_a_shard == 0:
            self.close()
        elif len(self._chunk) == self._rows_a_chunk:
            self._flush()
            if self._bytes_a_shard is not None and self._sink is not None and self._sink.tell() >= self._bytes_a_shard:
                self.close()

    def close(self) -> None:
        """Writes what is left and ends the shard."""
        self._flush()
        if self._writer is not None and self._sink is not None:
            self._writer.close()
            self._sink.close()
            self._writer = self._sink = None

    def finish(self) -> None:
        """Names the shards `train-00000-of-0000N.parquet`; a split without rows has none."""
        self.close()
        for number, shard in enumerate(self._shards):
            shard.rename(self._folder / f"{self._split}-{number:05d}-of-{len(self._shards):05d}.parquet")

    def _flush(self) -> None:
        if not self._chunk:
            return
        if self._writer is None:
            self._shards.append(self._folder / f"{self._split}-{len(self._shards):05d}.parquet")
            # As `datasets` writes them: chunks cut by content let the Hub store only what changed between versions.
            self._sink = pa.OSFile(str(self._shards[-1]), "wb")
            self._writer = pq.ParquetWriter(
                self._sink, self._schema, write_page_index=True, use_content_defined_chunking=True
            )
        self._writer.write_table(pa.Table.from_pylist(self._chunk, schema=self._plain_schema).cast(self._schema))
        self._chunk = []


def _stored_as(kind: pa.DataType) -> pa.DataType:
    """The type without its extensions, since Arrow builds no nested extension arrays from Python values."""
    if isinstance(kind, pa.BaseExtensionType):
        return kind.storage_type
    if pa.types.is_list(kind):
        return pa.list_(_stored_as(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _stored_as(field.type)) for field in kind])
    return kind


def _speller(feature: Any) -> Speller | None:
    """What puts JSON text in the place of every `Json()` below `feature`; None where there is none."""
    from datasets import Json, List

    if isinstance(feature, Json):
        return _text
    if isinstance(feature, List):
        item = _speller(feature.feature)
        return None if item is None else lambda values: values and [item(value) for value in values]
    if not isinstance(feature, dict):
        return None
    spellers = {name: found for name, part in feature.items() if (found := _speller(part)) is not None}

    def spelled(fields: Any) -> Any:
        found = {name: spell(fields[name]) for name, spell in spellers.items() if name in fields} if fields else {}
        return {**fields, **found} if found else fields

    return spelled if spellers else None


def _text(value: Any) -> str:
    try:
        orjson.dumps(value)  # has the same 64-bit range as the reader
    except orjson.JSONEncodeError as error:
        raise ValueError(f"{value!r:.200} cannot stand in the dataset: {error}") from error
    return json_text(value)
