"""Rows of a CSV or TSV file with a header, read in flat memory."""

import csv
from collections.abc import Iterator
from pathlib import Path

from button.errors import UserError
from button.seeds.decoding import LONGEST_LINE, read_lines
from button.seeds.source import Row


def read_csv_rows(path: Path) -> Iterator[Row]:
    """Each row as a mapping from the header's names; the delimiter is the header's commonest of comma, semicolon, tab.

    Raises UserError, with the line, for broken quoting and for a row that has not as many fields as the header.
    """
    first = next(read_lines(path), None)
    delimiter = max(",;\t", key=first.text.count) if first else ","
    csv.field_size_limit(LONGEST_LINE)  # the module's own limit, 128 Ki characters, is short for a conversation
    reader = csv.reader((line.text for line in read_lines(path)), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    number = start = 0
    while True:
        start = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(f"{path}, line {start}: broken CSV ({error}); expected quotes in pairs") from error
        if not fields:  # a blank line
            continue
        if header is None:
            header = [name.strip() for name in fields]
            continue
        number += 1
        row = Row(number, f"{path}, line {start}", dict(zip(header, fields, strict=False)))
        if len(fields) != len(header):
            expected = f"{len(header)} as in the header; put a text that has {delimiter!r} in it in double quotes"
            raise row.refused(f"{len(fields)} fields", expected)
        yield row
