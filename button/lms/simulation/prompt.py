"""What a request asks for: which part is to be played, its inputs, and the dialogue so far."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dspy.lm15 import Message, Request

from signatures.records import JsonObject

# The output fields of each signature: what a system message or a schema names. A signature that holds another's
# fields stands before it.
PARTS = {
    "ComposeDirectly": ("composed_task", "sub_tasks"),
    "WriteTrajectory": ("message", "rounds", "last_thought", "final_answer"),
    "ComposeInParallel": ("parallel_task", "subsequent_task", "composed_task"),
    "ComposeSequentially": ("subsequent_task", "composed_task"),
    "PlayAssistant": ("thought", "calls", "final_answer"),
    "JudgeComposition": ("analysis", "feasible"),
    "JudgeTask": ("analysis", "reasonable", "self_contained", "one_step", "doable"),
    "JudgeFunctions": ("analysis", "fitting", "general", "granular", "consistent"),
    "JudgeTrajectory": ("analysis", "arguments", "results", "needed", "answer"),
    "EvolveScenario": ("new_scenario",),
    "DefineFunctions": ("functions",),
    "PlayUser": ("message",),
    "PlayTool": ("result",),
    "NameScenario": ("scenario",),
    "WriteAtomicTask": ("task",),
}
# The input fields that tell the parts apart whose output is one common word.
_INPUTS = {
    "EvolveScenario": {"scenario", "direction"}, "DefineFunctions": {"composed_task", "sub_tasks"},
    "PlayUser": {"need"}, "PlayTool": {"function", "call"}, "NameScenario": {"text"},
    "WriteAtomicTask": {"scenario", "details"}, "ComposeDirectly": {"scenario", "shape"},
}  # fmt: skip

_MARK = re.compile(r"\[\[ ## (\w+) ## \]\]\n?")
# How stock adapters end a user message; no part of the last field.
_CLOSING = re.compile(r"\n+Respond with (?:a JSON object|the corresponding output fields)[^\n]*\s*\Z")
RETRY_FIELDS = ("previous_output", "problems")


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """A request in terms of BUTTON. `part` is a signature's name, or None.

    `dialogue` are the inputs of the earlier turns of this conversation, oldest first, without demos; `schema` is the
    one asked for, where one is; `text` is the last message, `length` the characters of all.
    """

    part: str | None
    inputs: Mapping[str, str]
    dialogue: tuple[Mapping[str, str], ...]
    schema: JsonObject | None
    text: str
    length: int

    @property
    def is_retry(self) -> bool:
        return "problems" in self.inputs

    def content(self) -> tuple[str, ...]:
        """What identifies the question whether it is asked for the first time or again."""
        asked = (value for name, value in self.inputs.items() if name not in RETRY_FIELDS)
        return (self.part or "", *asked, *(value for turn in self.dialogue for value in turn.values()))


def read_prompt(request: Request) -> Prompt:
    """Take a request apart."""
    users = [said for message in request.messages if message.role in ("user", "developer") for said in [_text(message)]]
    name, schema = _asked_format(request.config.response_format)
    inputs = fields_of(users[-1]) if users else {}
    system = _system(request)
    part = name if name in PARTS else _part(schema, system, users[-1] if users else "", inputs)
    length = len(system) + sum(len(_text(message)) for message in request.messages)
    dialogue = tuple(_dialogue(users, inputs)) if part == "PlayAssistant" else ()
    return Prompt(part, inputs, dialogue, schema, users[-1] if users else "", length)


def fields_of(text: str) -> dict[str, str]:
    """The `[[ ## name ## ]]` blocks of a message."""
    _, *pieces = _MARK.split(_CLOSING.sub("", text))
    return {name: value.strip() for name, value in zip(pieces[::2], pieces[1::2], strict=True)}


def stable_hash(*parts: Any) -> int:
    """64 bits that depend on `parts` only, in every process."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _text(message: Message) -> str:
    return message.text or ""


def _system(request: Request) -> str:
    system = request.system
    if system is None or isinstance(system, str):
        return system or ""
    return "\n".join(str(getattr(part, "text", "")) for part in system)


def _asked_format(response_format: JsonObject | None) -> tuple[str, JsonObject | None]:
    """The name and the schema of a response format."""
    wanted = response_format or {}
    return str(wanted.get("name", "")), wanted.get("schema")


def _part(schema: JsonObject | None, system: str, user: str, inputs: Mapping[str, str]) -> str | None:
    """The signature whose output fields the schema has, or else the prompt names, and whose inputs are given."""
    properties = (schema or {}).get("properties")
    for part, outputs in PARTS.items():
        if not _INPUTS.get(part, set()) <= inputs.keys():
            continue
        if properties is not None:
            if properties.keys() >= set(outputs):
                return part
        elif all(
            re.search(rf"(?:`|^- |\"){output}(?:`|: |\")", f"{system}\n{user}", re.MULTILINE) for output in outputs
        ):
            return part
    return None


def _dialogue(users: list[str], inputs: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """The inputs of the earlier turns of the conversation that the last message belongs to."""
    if _opens(inputs):
        return
    turns = [fields_of(text) for text in users[:-1]]
    start = max((index for index, turn in enumerate(turns) if _opens(turn)), default=0)
    yield from turns[start:]


def _opens(turn: Mapping[str, str]) -> bool:
    return turn.get("sub_tasks", "None") != "None"
