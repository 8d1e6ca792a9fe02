"""Conversations of glaive-function-calling-v2, the paper's first source of seeds (section 3.1)."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import PositiveInt, validate_call

from button.seeds.decoding import check_file
from button.seeds.rows import read_rows
from button.seeds.source import Content, Row, seeds_from, shortened, squeezed
from signatures.records import Seed

LONGEST_TALK = 1_500
LONGEST_TURN = 400
"""Characters: a long answer leaves room for what the person asks next."""

_SPEAKERS = {"human": "User", "user": "User", "gpt": "Assistant", "assistant": "Assistant"}
_MARKER = re.compile(r"(?:^|(?<=\s))(USER|ASSISTANT|FUNCTION RESPONSE|SYSTEM):")
_CALL = re.compile(r"<(functioncall|tool_call)>.*", re.DOTALL)
_SHAPE = (
    "a ShareGPT row {'conversations': [{'from': 'human', 'value': '...'}, ...]}"
    " or an original row {'system': '...', 'chat': 'USER: ... ASSISTANT: ...'}"
)


class Turn(NamedTuple):
    """One turn; roles are human or user, gpt or assistant, and others, which are not heard."""

    role: str
    text: str


class GlaiveSeeds:
    """The conversations of a file in either form of glaive-function-calling-v2: ShareGPT, or `system` and `chat`."""

    @validate_call
    def __init__(self, path: Path, *, licensed: str | None = "Apache-2.0", limit: PositiveInt | None = None) -> None:
        """`licensed` is the data's licence, `limit` how many seeds a pass gives. Raises UserError for a bad path."""
        self.path = check_file(path)
        self.name = self.path.name
        self.skipped: Counter[str] = Counter()
        self._licensed = licensed
        self._limit = limit

    def __iter__(self) -> Iterator[Seed]:
        rows = read_rows(self.path)
        return seeds_from(rows, read_conversation, self, limit=self._limit, licensed=self._licensed)


def read_conversation(row: Row) -> Content:
    """What person and assistant say, at most 1,500 characters, without functions, calls and results."""
    value = row.value
    if isinstance(value, dict) and "conversations" in value:
        turns = _sharegpt_turns(row, value["conversations"])
    elif isinstance(value, dict) and "chat" in value:
        turns = _chat_turns(row, value["chat"])
    else:
        seen = f"fields {', '.join(map(str, value))}" if isinstance(value, dict) else f"a {type(value).__name__}"
        raise row.refused(seen, _SHAPE)
    return Content(text=_talk(turns), form="conversation")


def _sharegpt_turns(row: Row, conversations: Any) -> Iterator[Turn]:
    if conversations is not None and not isinstance(conversations, list):
        raise row.refused(f"'conversations' is a {type(conversations).__name__}", _SHAPE)
    for index, turn in enumerate(conversations or ()):
        role, value = (turn.get("from"), turn.get("value")) if isinstance(turn, dict) else (None, None)
        if not isinstance(role, str) or not isinstance(value, str | None):
            raise row.refused(f"turn {index} is {shortened(repr(turn), 80)}", "a turn {'from': role, 'value': text}")
        yield Turn(role.lower(), value or "")


def _chat_turns(row: Row, chat: Any) -> Iterator[Turn]:
    if chat is not None and not isinstance(chat, str):
        raise row.refused(f"'chat' is a {type(chat).__name__}", _SHAPE)
    parts = _MARKER.split((chat or "").replace("<|endoftext|>", " "))
    for marker, text in zip(parts[1::2], parts[2::2], strict=True):
        yield Turn(marker.lower(), text)


def _talk(turns: Iterable[Turn]) -> str:
    """A line a turn, whole turns while they fit. Empty where the person says nothing."""
    lines: list[str] = []
    room = LONGEST_TALK
    for turn in turns:
        text = squeezed(_CALL.sub("", turn.text)) if turn.role in _SPEAKERS else ""
        if text:
            line = f"{_SPEAKERS[turn.role]}: {shortened(text, LONGEST_TURN)}"
            room -= len(line) + 1
            if room < 0:
                break
            lines.append(line)
    return "\n".join(lines) if any(line.startswith("User: ") for line in lines) else ""
