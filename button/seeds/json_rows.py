"""JSON rows: a list of any size, or a value a line (JSON Lines), read in flat memory."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from button.errors import UserError
from button.seeds.decoding import LONGEST_LINE, PIECE, Line, read_lines, read_pieces
from button.seeds.source import Row

_SPACE = " \t\r\n"
_SHAPE = "a JSON list, or one JSON value a line"


def read_json_rows(path: Path) -> Iterator[Row]:
    """The values in order, blank lines left out. Raises UserError, with the line, for broken JSON."""
    for _, text in read_pieces(path):
        if start := text.lstrip(_SPACE):
            return _list_rows(path) if start.startswith("[") else _line_rows(path)
    raise UserError(f"{path} holds only white space; expected {_SHAPE}")


def _line_rows(path: Path) -> Iterator[Row]:
    number = 0
    for line in read_lines(path):
        if line.text.strip(_SPACE):
            number += 1
            place = f"{path}, line {line.number}"
            try:
                yield Row(number, place, json.loads(line.text))
            except (ValueError, RecursionError) as error:
                raise UserError(f"{place}: broken JSON ({_why(error)}); expected {_SHAPE}") from error


def _list_rows(path: Path) -> Iterator[Row]:
    window = _Window(path)
    window.take("[")
    number = 0
    while window.next() != "]":
        if number:
            window.take(",")
        number += 1
        window.next()
        yield Row(number, f"{path}, line {window.line}, row {number}", window.value())
    window.take("]")
    if window.next():
        raise window.broken(f"{window.next()!r} after the list's end", window.line)


class _Window:
    """A moving window over a file's text: it holds one value at a time and knows the line that it is at."""

    def __init__(self, path: Path) -> None:
        self.line = 1
        self._path = path
        self._pieces: Iterator[Line] = read_pieces(path)
        self._text = ""
        self._at = 0
        self._decoder = json.JSONDecoder()

    def next(self) -> str:
        """The next character that is no white space, not yet taken; "" at the end."""
        while True:
            at = self._at
            while at < len(self._text) and self._text[at] in _SPACE:
                at += 1
            self._move(at)
            if at < len(self._text):
                return self._text[at]
            if not self._more():
                return ""

    def take(self, char: str) -> None:
        """Step over `char`, which has to come next."""
        found = self.next()
        if found != char:
            why = f"{found!r} where {char!r} belongs" if found else "the file ends inside the list"
            raise self.broken(why, self.line)
        self._move(self._at + 1)

    def value(self) -> Any:
        """Decode the value that starts here and step over it."""
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._is_broken(error) or not self._more():
                    line = self.line + self._text.count("\n", self._at, error.pos)
                    raise self.broken(_why(error), line) from error
            except (ValueError, RecursionError) as error:
                raise self.broken(_why(error), self.line) from error
            else:
                # A number at the window's end may go on behind it.
                if end < len(self._text) or not self._more():
                    self._move(end)
                    return value

    def broken(self, why: str, line: int) -> UserError:
        return UserError(f"{self._path}, line {line}: broken JSON ({why}); expected {_SHAPE}")

    def _is_broken(self, error: json.JSONDecodeError) -> bool:
        """Whether no text to come could mend this: a cut value fails at the window's end, or in an open string."""
        return not error.msg.startswith("Unterminated string") and error.pos < len(self._text) - 32

    def _move(self, at: int) -> None:
        self.line += self._text.count("\n", self._at, at)
        self._at = at

    def _more(self) -> bool:
        """Drop what was taken and at least double the rest, so that a long value is decoded only a few times.

        At the file's end nothing changes, and the answer is False.
        """
        rest = self._text[self._at :]
        if len(rest) > LONGEST_LINE:
            raise self.broken(f"no value ends within {LONGEST_LINE:,} characters", self.line)
        parts, length = [rest], 0
        for _, text in self._pieces:
            parts.append(text)
            length += len(text)
            if length >= max(PIECE, len(rest)):
                break
        if length:
            self._text, self._at = "".join(parts), 0
        return length > 0


def _why(error: Exception) -> str:
    """The reason without the position, which is one in a window and not in the file."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)
