"""UTF-8 files as text with line numbers, in bounded pieces."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from button.errors import UserError

PIECE = 64 * 1024
LONGEST_LINE = 16 * 1024 * 1024
"""Characters; a longer line is taken for a file of another kind."""

_EXPECTED = "UTF-8 text, or a Parquet file; unpack a compressed file, save other encodings as UTF-8"


class Line(NamedTuple):
    """A line, or a piece of one, with its end if it has one; `number` counts from 1."""

    number: int
    text: str


def check_file(path: Path) -> Path:
    """The path with `~` expanded. Raises UserError where it is no readable, non-empty file."""
    path = path.expanduser()
    if path.is_dir():
        raise UserError(
            f"{path} is a folder, a file was expected; for a data set's folder use seeds=hub seeds.name={path}"
        )
    if not path.exists():
        raise UserError(f"{path} does not exist (looked from {Path.cwd()}); give the path of a file of seeds")
    if not path.is_file():
        raise UserError(f"{path} is a pipe or a device; expected a file, which can be read more than once")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if empty:
        raise UserError(f"{path} is empty; expected a file of seeds")
    return path


def read_pieces(path: Path) -> Iterator[Line]:
    """The text in pieces of at most 64 KiB, none reaching past its line; a byte-order mark is dropped.

    Raises UserError, with the line, for bytes that are no UTF-8 text.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    number = 1
    with path.open("rb") as file:
        while True:
            raw = file.readline(PIECE)
            if b"\0" in raw:
                raise UserError(f"{path}, line {number}: a zero byte, so this is no UTF-8 text; expected {_EXPECTED}")
            try:
                text = decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                seen = error.object[error.start : error.start + 1].hex()
                raise UserError(
                    f"{path}, line {number}: byte 0x{seen} is not UTF-8 ({error.reason}); expected {_EXPECTED}"
                ) from error
            if text:
                yield Line(number, text)
            if not raw:
                return
            number += raw.endswith(b"\n")


def read_lines(path: Path) -> Iterator[Line]:
    """The whole lines, with their ends.

    Raises UserError as `read_pieces` does, and for a line of over 16 Mi characters.
    """
    parts: list[str] = []
    length = 0
    number = 1
    for number, text in read_pieces(path):
        parts.append(text)
        length += len(text)
        if text.endswith("\n"):
            yield Line(number, "".join(parts))
            parts, length = [], 0
        elif length > LONGEST_LINE:
            raise UserError(f"{path}, line {number}: longer than {LONGEST_LINE:,} characters; expected a row a line")
    if parts:
        yield Line(number, "".join(parts))
