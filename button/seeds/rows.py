"""The rows of a file in whichever format it has."""

import re
from collections.abc import Iterator
from pathlib import Path

from button.errors import UserError
from button.seeds.csv_rows import read_csv_rows
from button.seeds.decoding import check_file, read_lines, read_pieces
from button.seeds.json_rows import read_json_rows
from button.seeds.parquet_rows import read_parquet_rows
from button.seeds.source import Row

_JSON_START = re.compile(r'\s*(\{\s*("|$)|\[\s*([\[{"]|$))')


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of a Parquet, JSON, JSON Lines, CSV or TSV file; of any other text each line, as a string.

    CSV is told by the file's ending (`.csv`, `.tsv`), the others by the content too. Raises UserError for a file that
    is missing, empty, binary or broken.
    """
    path = check_file(path)
    ending = path.suffix.lower()
    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    if is_parquet:
        return read_parquet_rows(path)
    if ending == ".parquet":
        raise UserError(f"{path} is no Parquet file: it does not start with PAR1; write it anew or rename it")
    if ending in {".csv", ".tsv"}:
        return read_csv_rows(path)
    first = next(read_pieces(path), None)
    if ending in {".json", ".jsonl", ".ndjson"} or (first and _JSON_START.match(first.text)):
        return read_json_rows(path)
    return (Row(line.number, f"{path}, line {line.number}", line.text) for line in read_lines(path))
