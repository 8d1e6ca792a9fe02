"""Rows of a Parquet file, read a small batch at a time."""

from collections.abc import Iterator
from pathlib import Path

from button.errors import UserError
from button.seeds.source import Row

BATCH = 256


def read_parquet_rows(path: Path) -> Iterator[Row]:
    """Each row as a mapping from column to value. Raises UserError for a file that is no whole Parquet file."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    number = 0
    try:
        # Buffering ahead would hold whole row groups.
        with ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(BATCH):
                for value in batch.to_pylist():
                    number += 1
                    yield Row(number, f"{path}, row {number}", value)
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}, after row {number}: broken Parquet ({error}); write the file anew") from error
