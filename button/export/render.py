"""Shows one accepted trajectory in a terminal, or as plain text for logs and the README."""

import io
import json
from collections.abc import Iterator
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from signatures.records import AssistantTurn, Call, Example, Function, Measures, ToolTurn, Turn

RESULT_LIMIT = 600
# A model's text must not steer the terminal: controls and changes of writing direction are shown, not sent.
_STEERING = (*range(32), *range(127, 160), *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_CONTROLS = {code: f"\\u{code:04x}" for code in _STEERING if chr(code) not in "\t\n"}


def render(example: Example) -> RenderableType:
    """One trajectory for a `rich` console: scenario, functions, turns, measures."""
    trajectory = example.trajectory
    composition = trajectory.problem.composition
    mode = "parallel calls" if trajectory.parallel else "one call at a time"
    kind = f"  {composition.strategy}, {mode}, {example.id}"
    title = Text.assemble((_shown(composition.scenario), "bold"), (kind, "dim"))
    functions = Text("\n").join(_signature(function) for function in trajectory.problem.functions)
    turns = [part for turn in trajectory.turns for part in _turn(turn)]
    return Group(title, _indented(functions), *turns, _measures(example.measures))


def render_text(example: Example, width: int = 100) -> str:
    """The same without colours, at most `width` columns wide, each line ending in a newline."""
    sink = io.StringIO()
    Console(file=sink, width=width, color_system=None, legacy_windows=False).print(render(example))
    return "".join(f"{line.rstrip()}\n" for line in sink.getvalue().split("\n")[:-1])


def _signature(function: Function) -> Text:
    names = (name if name in function.required else f"{name}?" for name in function.parameters)
    description = _shown(function.description)
    return Text.assemble((f"{function.name}({', '.join(names)})", "cyan"), (f"  {description}", "dim"))


def _turn(turn: Turn) -> Iterator[RenderableType]:
    if isinstance(turn, ToolTurn):
        for result in turn.results:
            yield _indented(Text.assemble((f"← {result.name} ", "magenta"), _cut(_json(result.results))))
    elif not isinstance(turn, AssistantTurn):
        yield Text("user", style="bold blue")
        yield _indented(Text(_shown(turn.content)))
    else:
        yield Text("assistant", style="bold green")
        if turn.thought:
            yield _indented(Text(_shown(turn.thought), style="dim italic"))
        for call in turn.calls:
            yield _indented(_call(call))
        if turn.final is not None:
            yield _indented(Text(_shown(turn.final), style="green"))


def _call(call: Call) -> Text:
    arguments = ", ".join(f"{_shown(name)}={_json(value)}" for name, value in call.arguments.items())
    return Text.assemble((f"→ {call.name}", "bold yellow"), f"({arguments})")


def _measures(measures: Measures) -> Text:
    parts = (
        _count(measures.calls, "call"),
        f"{_count(measures.rounds, 'round')} ({measures.parallel_rounds} parallel)",
        f"longest chain {measures.longest_chain}",
        f"{measures.grounded_share:.0%} of the arguments grounded",
    )
    return Text(", ".join(parts), style="dim")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, 2))


def _json(value: Any) -> str:
    return _shown(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= RESULT_LIMIT else f"{text[:RESULT_LIMIT]}... ({len(text)} characters)"


def _shown(text: str) -> str:
    return text.translate(_CONTROLS)
