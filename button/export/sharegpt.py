"""LLaMA-Factory's ShareGPT form: strings only, strict alternation, an even number of messages.

    {"conversations": [{"from", "value"}, ...], "system", "tools"}

    human, observation        the question; the results of one round, as in button.jsonl
    function_call, gpt        the calls as JSON (a list, where LLaMA-Factory sees parallel calls); the final answer

LLaMA-Factory takes a thought in front of calls as `<think>\\n...\\n</think>\\n\\n`, the default `thought_words` of its
templates, and parses what follows as JSON (data/formatter.py, FunctionFormatter). So every thought stands there, before
calls and before the final answer; an empty one leaves no tags. `tools` is a list of {"name", "description",
"parameters"}. Its `<tool_call>` and the other tags are escaped where they occur in the data (`button.export.markup`).

A dataset_info.json entry for it: {"file_name": "sharegpt.jsonl", "formatting": "sharegpt",
"columns": {"messages": "conversations", "system": "system", "tools": "tools"}}.
"""

from typing import Any

from button.checks.functions import openai_tool
from button.export.button_text import calls_text, round_text
from button.export.markup import escape, json_text
from button.export.openai_messages import system_text
from signatures.records import AssistantTurn, Example, ToolTurn, Turn


def to_sharegpt(example: Example) -> dict[str, Any]:
    """One row in the form above.

    Raises ValueError where the turns do not alternate: LLaMA-Factory would skip the row with a warning.
    """
    trajectory = example.trajectory
    speaks = [isinstance(turn, AssistantTurn) for turn in trajectory.turns]
    if speaks != [False, True] * (len(speaks) // 2) or not speaks:
        roles = [turn.role for turn in trajectory.turns]
        raise ValueError(f"example {example.id} has the turns {roles}; every second one must be the assistant's")
    tools = [openai_tool(function)["function"] for function in trajectory.problem.functions]
    return {
        "conversations": [_message(turn) for turn in trajectory.turns],
        "system": system_text(trajectory.parallel),
        "tools": json_text(tools),
    }


def _message(turn: Turn) -> dict[str, str]:
    if isinstance(turn, ToolTurn):
        return {"from": "observation", "value": round_text(turn)}
    if not isinstance(turn, AssistantTurn):
        return {"from": "human", "value": turn.content}
    thought = f"<think>\n{escape(turn.thought)}\n</think>\n\n" if turn.thought else ""
    if turn.calls:
        return {"from": "function_call", "value": thought + calls_text(turn)}
    return {"from": "gpt", "value": thought + escape(turn.final or "")}
