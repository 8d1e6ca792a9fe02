"""The paper's published form (BUTTONInstruct): plain messages with the calls as tagged text.

    system     how to answer, the functions between <tool></tool>, one sentence on parallel calls
    user       the question
    assistant  the thought, then <call>[{"name", "arguments"}, ...]</call> or <final>...</final>
    tool       one message a round: [{"name", "arguments", "results"}, ...] in the order of the calls

The two sentences in `RULES` are the published ones to the letter, since models trained on the data depend on them;
the rest of the system message is ours. Tags that occur in the data are escaped (see `button.export.markup`).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from button.errors import UserError
from button.export.markup import escape, json_text, unescape
from signatures.records import AssistantTurn, Call, Example, Function, JsonObject, Result, ToolTurn, Turn, UserTurn

RULES = {
    False: "You should call one function at a time, and wait for the response before calling the next function.",
    True: "If possible, you can call multiple functions in parallel, be sure the functions called parallelly are "
    "independent of each other.",
}

Part = TypeVar("Part", Function, Call, Result)
_OBJECTS = TypeAdapter(list[JsonObject])

_SYSTEM = """\
You are an expert in using functions. Solve the user's question by calling functions from this list of JSON definitions:
<tool>{functions}</tool>

In every turn, write your observation and thought first. Then give exactly one of these:
- **Function Call**: a JSON list of calls, each with "name" and "arguments", between <call></call>
- **Final Answer**: the answer to the user's question, between <final></final>
{rule}"""

_FUNCTIONS = re.compile(r"<tool>(.*?)</tool>", re.DOTALL)
_CALLS = re.compile(r"(.*?)\n?<call>(.*?)</call>\s*", re.DOTALL)
_FINAL = re.compile(r"(.*?)\n?<final>(.*?)</final>\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ButtonRow:
    """What one row of button.jsonl says."""

    parallel: bool
    functions: tuple[Function, ...]
    turns: tuple[Turn, ...]


def to_button(example: Example) -> dict[str, Any]:
    """{"messages": [{"role", "content"}, ...]} in the form above. Raises ValueError for NaN and infinities."""
    trajectory = example.trajectory
    functions = [function.model_dump(mode="json") for function in trajectory.problem.functions]
    system = _SYSTEM.format(functions=json_text(functions), rule=RULES[trajectory.parallel])
    messages = [{"role": "system", "content": system}]
    messages += [{"role": turn.role, "content": _content(turn)} for turn in trajectory.turns]
    return {"messages": messages}


def round_text(turn: ToolTurn) -> str:
    """The results of one round as a JSON list of {"name", "arguments", "results"}."""
    return json_text([result.model_dump(mode="json") for result in turn.results])


def calls_text(turn: AssistantTurn) -> str:
    """The calls of one turn as a JSON list of {"name", "arguments"}."""
    return json_text([call.model_dump(mode="json") for call in turn.calls])


def _content(turn: Turn) -> str:
    if isinstance(turn, UserTurn):
        return turn.content
    if isinstance(turn, ToolTurn):
        return round_text(turn)
    action = f"<call>{calls_text(turn)}</call>" if turn.calls else f"<final>{escape(turn.final or '')}</final>"
    return f"{escape(turn.thought)}\n{action}" if turn.thought else action


def from_button(row: Mapping[str, Any]) -> ButtonRow:
    """Reads back a row of button.jsonl, ours or a published one with the same tags.

    Raises UserError that names the message, what it holds and what was expected.
    """
    messages = row.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, Mapping) for message in messages):
        raise _refusal("the row", row, '{"messages": [{"role", "content"}, ...]}')
    if not messages or messages[0].get("role") != "system":
        raise _refusal("message 0", messages[:1], "a system message with the functions")
    parallel, functions = _read_system(messages[0].get("content"))
    turns = tuple(_read_turn(index, message) for index, message in enumerate(messages) if index)
    return ButtonRow(parallel=parallel, functions=functions, turns=turns)


def _read_system(content: Any) -> tuple[bool, tuple[Function, ...]]:
    found = _FUNCTIONS.search(content) if isinstance(content, str) else None
    if found is None:
        raise _refusal("message 0", content, "the functions between <tool> and </tool>")
    instructions = content.replace(found[0], "")
    modes = [parallel for parallel, rule in RULES.items() if rule in instructions]
    if len(modes) != 1:
        raise _refusal("message 0", instructions, f"exactly one of the sentences {list(RULES.values())}")
    return modes[0], _read_list(0, found[1], Function)


def _read_turn(index: int, message: Mapping[str, Any]) -> Turn:
    role, content = message.get("role"), message.get("content")
    if not isinstance(content, str):
        raise _refusal(f"message {index}", message, "content that is a string")
    if role == "user":
        return UserTurn(content=content)
    if role == "tool":
        return ToolTurn(results=_read_list(index, content, Result))
    if role != "assistant":
        raise _refusal(f"message {index}", role, "the role user, assistant or tool")
    if calls := _CALLS.fullmatch(content):
        return AssistantTurn(thought=unescape(calls[1]), calls=_read_list(index, calls[2], Call))
    if final := _FINAL.fullmatch(content):
        return AssistantTurn(thought=unescape(final[1]), final=unescape(final[2]))
    raise _refusal(f"message {index}", content, "a thought, then <call>[...]</call> or <final>...</final>")


def _read_list(index: int, text: str, kind: type[Part]) -> tuple[Part, ...]:
    fields = ", ".join(f'"{name}"' for name in kind.model_fields)
    try:
        return tuple(kind.model_validate(part) for part in _OBJECTS.validate_python(json.loads(text)))
    except (json.JSONDecodeError, ValidationError) as error:
        raise _refusal(f"message {index}", text, f"a JSON list of objects with {fields}") from error


def _refusal(where: str, seen: Any, expected: str) -> UserError:
    shown = repr(seen)
    shown = shown if len(shown) <= 200 else f"{shown[:200]}..."
    return UserError(f"{where} holds {shown}; expected {expected}; mend the row or leave it out")
