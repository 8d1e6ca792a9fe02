"""OpenAI messages with tools, the form that chat templates and TRL take.

    system     how to answer, with the paper's sentence on parallel calls: both modes stay apart in mixed training
    user       the question
    assistant  content = the thought, tool_calls = the calls; in the last turn content = the final answer alone
    tool       one message a call: tool_call_id, name, content = the results as JSON text

The thought before a final answer is not part of what the person should read, and templates have no common place for
it: it stands in `meta["final_thoughts"]`, one entry a final answer. `content` is always a string, since templates
concatenate it; `arguments` is always an object, since most templates encode it themselves.
"""

from typing import TYPE_CHECKING, Any

from button.checks.functions import openai_tool
from button.export.button_text import RULES
from button.export.markup import json_text
from signatures.records import AssistantTurn, Call, Example, Result, ToolTurn, Turn

if TYPE_CHECKING:
    from datasets import Features


def features() -> "Features":
    """The columns of the Parquet files. Free-form JSON is `Json()`, or Arrow would merge the keys of all rows."""
    # Imported here because `datasets` costs 1.7 s, and most commands never need it.
    from datasets import Features, Json, List, Value

    call = {"id": Value("string"), "type": Value("string"), "function": {"name": Value("string"), "arguments": Json()}}
    message = {
        "role": Value("string"),
        "content": Value("string"),
        "tool_calls": List(call),
        "tool_call_id": Value("string"),
        "name": Value("string"),
    }
    return Features({"id": Value("string"), "messages": List(message), "tools": List(Json()), "meta": Json()})


def to_openai(example: Example) -> dict[str, Any]:
    """{"id", "messages", "tools", "meta"}; `meta` holds lineage, sub-tasks, measures and argument sources.

    The `turn` of a source counts the turns of the trajectory: one tool turn a round, no system message.
    """
    trajectory = example.trajectory
    return {
        "id": example.id,
        "messages": _messages(trajectory.turns, parallel=trajectory.parallel),
        "tools": [openai_tool(function) for function in trajectory.problem.functions],
        "meta": _meta(example),
    }


def system_text(parallel: bool) -> str:
    """The system message; the rule on parallel calls is the paper's sentence."""
    return (
        "You solve requests with the functions you are given. Before each call, write your observation and thought; "
        f"when everything is done, give the final answer. {RULES[parallel]}"
    )


def _messages(turns: tuple[Turn, ...], *, parallel: bool) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": "system", "content": system_text(parallel)}]
    called = answered = 0
    for turn in turns:
        if isinstance(turn, ToolTurn):
            for result in turn.results:
                answered += 1
                messages.append(_tool_message(answered, result))
        elif isinstance(turn, AssistantTurn) and turn.calls:
            calls = [_tool_call(called + number, call) for number, call in enumerate(turn.calls, start=1)]
            called += len(calls)
            messages.append({"role": "assistant", "content": turn.thought, "tool_calls": calls})
        elif isinstance(turn, AssistantTurn):
            messages.append({"role": "assistant", "content": turn.final or ""})
        else:
            messages.append({"role": "user", "content": turn.content})
    return messages


def _tool_call(number: int, call: Call) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": f"call_{number}", "type": "function", "function": function}


def _tool_message(number: int, result: Result) -> dict[str, Any]:
    content = json_text(result.results)
    return {"role": "tool", "tool_call_id": f"call_{number}", "name": result.name, "content": content}


def _meta(example: Example) -> dict[str, Any]:
    trajectory, problem = example.trajectory, example.trajectory.problem
    composition = problem.composition
    thoughts = [turn.thought for turn in trajectory.turns if isinstance(turn, AssistantTurn) and not turn.calls]
    return {
        "trajectory": trajectory.id,
        "problem": problem.id,
        "composition": composition.id,
        "atomic_task": composition.parent,
        "scenario": composition.scenario,
        "task": composition.task,
        "strategy": composition.strategy,
        "parallel": trajectory.parallel,
        "sub_tasks": [
            {"task": part.task, "depends_on": list(part.depends_on), "functions": list(names)}
            for part, names in zip(composition.sub_tasks, problem.uses, strict=True)
        ],
        "responses": {function.name: function.responses for function in problem.functions},
        "verdict": composition.verdict.model_dump(mode="json") if composition.verdict else None,
        "final_thoughts": thoughts,
        "measures": example.measures.model_dump(mode="json"),
        "sources": [source.model_dump(mode="json", exclude_none=True) for source in example.sources],
    }
