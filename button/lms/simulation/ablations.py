"""Plays ComposeDirectly and WriteTrajectory: in one answer what the method asks several questions for.

Each is put together from the parts that it replaces, so that what differs between the arms of a comparison is planted:
one answer is spoilt more easily than the many it stands for.
"""

from collections.abc import Mapping
from dataclasses import replace

from button.lms.simulation.assistants import play_assistant
from button.lms.simulation.compositions import compose_in_parallel, compose_sequentially
from button.lms.simulation.question import Question
from button.lms.simulation.situations import definitions_in
from button.lms.simulation.tasks import write_task
from button.lms.simulation.tools import play_tool
from button.lms.simulation.users import play_user
from signatures.records import JsonObject, canonical_json

MOST_ROUNDS = 7
_OF_ASSISTANT = ("missing_argument", "unknown_function", "ungrounded_argument", "calls_in_serial_mode", "no_final")


def compose_directly(question: Question) -> JsonObject:
    """A request and its sub-tasks; under the flaw `unrelated_sub_task` the last one needs nothing of the others."""
    rng, flaw = question.rng, question.flaw
    task = write_task(question)["task"]
    found = _asked(question, {"task": task}, flaw)
    parallel = question.inputs.get("shape", "").startswith("3")
    composed = (compose_in_parallel if parallel else compose_sequentially)(found)
    sub_tasks = [task, composed["parallel_task"]] if parallel else [task]
    request, last = composed["composed_task"], composed["subsequent_task"]
    if flaw == "unrelated_sub_task":
        other = write_task(_asked(question, {"scenario": rng.choice(question.index.tasks).topic}, None))["task"]
        request, last = f"{' '.join(sub_tasks)} {other}", other
    return {"composed_task": request, "sub_tasks": [*sub_tasks, last]}


def write_trajectory(question: Question) -> JsonObject:
    """A dialogue of all parts; the flaws are theirs, in the message, the first round, a result, or the answer."""
    inputs, flaw = question.inputs, question.flaw
    message = play_user(_asked(question, {"need": inputs.get("need", "")}, flaw))["message"]
    plan = {name: inputs.get(name, "") for name in ("sub_tasks", "functions", "rule")}
    definitions = definitions_in(plan["functions"])
    turns: list[Mapping[str, str]] = [{**plan, "observation": message}]
    rounds: list[JsonObject] = []
    while True:
        spoilt = flaw if flaw not in _OF_ASSISTANT or not rounds else None
        spoken = play_assistant(_asked(question, turns[-1], spoilt, tuple(turns[:-1])))
        if not spoken["calls"] or len(rounds) == MOST_ROUNDS:
            break
        calls = [_answered(question, call, definitions, flaw) for call in spoken["calls"]]
        rounds.append({"thought": spoken["thought"], "calls": calls})
        turns.append({"observation": canonical_json(calls)})
    return {
        "message": message,
        "rounds": rounds,
        "last_thought": spoken["thought"],
        "final_answer": spoken["final_answer"],
    }


def _answered(
    question: Question, call: JsonObject, definitions: Mapping[str, JsonObject], flaw: str | None
) -> JsonObject:
    """A call and its result; a function that is not defined gives nothing."""
    definition = definitions.get(call["name"], {})
    inputs = {"function": canonical_json(definition), "call": canonical_json(call)}
    return {**call, "results": play_tool(_asked(question, inputs, flaw))["result"]}


def _asked(
    question: Question,
    inputs: Mapping[str, str],
    flaw: str | None,
    dialogue: tuple[Mapping[str, str], ...] = (),
) -> Question:
    """Another question of the same randomness."""
    prompt = replace(question.prompt, inputs={**question.inputs, **inputs}, dialogue=dialogue)
    return replace(question, prompt=prompt, flaw=flaw)
