"""One split of the dataset as Parquet shards that `datasets.load_dataset` reads back as objects.

`Json()` columns are spelled here and handed to Arrow as text: `datasets` itself encodes floats with 10 decimals only
(3.141592653589793 becomes 3.1415926536). Its reader takes integers of at most 64 bits; larger ones are refused.
"""

from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from button.export.markup import json_text
from button.export.openai_messages import features

ROWS_A_CHUNK = 1000


class SplitWriter:
    """Writes rows of `to_openai` to shards of at most `rows_a_shard` rows; memory holds one chunk of rows.

    The number of shards is known only at the end, so `finish` gives them their names.
    """

    def __init__(self, folder: Path, split: str, rows_a_shard: int) -> None:
        self.rows = 0
        self._folder = folder
        self._split = split
        self._rows_a_shard = rows_a_shard
        self._schema = features().arrow_schema
        self._plain_schema = pa.schema([(field.name, _stored_as(field.type)) for field in self._schema])
        self._chunk: list[dict[str, Any]] = []
        self._shards: list[Path] = []
        self._writer: pq.ParquetWriter | None = None

    def add(self, row: dict[str, Any]) -> None:
        """Raises ValueError where a number in the row has no place in JSON or in 64 bits."""
        self._chunk.append(_with_text(row))
        self.rows += 1
        if self.rows % self._rows_a_shard == 0:
            self.close()
        elif len(self._chunk) == ROWS_A_CHUNK:
            self._flush()

    def close(self) -> None:
        """Writes what is left and ends the shard."""
        self._flush()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

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
            self._writer = pq.ParquetWriter(
                self._shards[-1], self._schema, write_page_index=True, use_content_defined_chunking=True
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


def _with_text(row: dict[str, Any]) -> dict[str, Any]:
    messages = [
        {**message, "tool_calls": [_call_with_text(call) for call in message["tool_calls"]]}
        if "tool_calls" in message
        else message
        for message in row["messages"]
    ]
    return {**row, "messages": messages, "tools": [_text(tool) for tool in row["tools"]], "meta": _text(row["meta"])}


def _call_with_text(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    return {**call, "function": {**function, "arguments": _text(function["arguments"])}}


def _text(value: Any) -> str:
    try:
        orjson.dumps(value)  # has the same 64-bit range as the reader
    except orjson.JSONEncodeError as error:
        raise ValueError(f"{value!r:.200} cannot stand in the dataset: {error}") from error
    return json_text(value)
