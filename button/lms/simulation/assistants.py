"""Plays PlayAssistant: plans from the sub-tasks, calls what is ready, and reports when everything is done."""

import random
import re

from button.lms.simulation.answers import final_answer
from button.lms.simulation.question import Question
from button.lms.simulation.situations import Situation, read_situation
from button.lms.simulation.thoughts import think
from signatures.records import JsonObject

_INVENTED = ("Zephyr", "Quillon", "Brindle")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def play_assistant(question: Question) -> JsonObject:
    """One turn: a thought, and calls or the final answer."""
    rng, flaw = question.rng, question.flaw
    situation = read_situation(question.world, question.prompt)
    ready = situation.ready()
    allowed = ready if situation.parallel else ready[:1]
    if not ready or (flaw == "no_final" and situation.last and not any(map(situation.left, situation.steps))):
        return _ending(question, situation)
    thought = think(situation, allowed, rng)
    calls = _flawed([call for _, call in allowed], situation, [call for _, call in ready], rng, flaw)
    return {"thought": thought, "calls": calls, "final_answer": ""}


def _ending(question: Question, situation: Situation) -> JsonObject:
    """The final answer; under the flaw `no_final`, the last call once more."""
    rng, flaw = question.rng, question.flaw
    thought = think(situation, [], rng)
    done = [one for step in situation.steps for one in situation.done.get(step.number, ())]
    if flaw == "no_final" and done:
        return {
            "thought": "I had better make sure and check that once more.",
            "calls": [{"name": done[-1].name, "arguments": done[-1].arguments}],
            "final_answer": "",
        }
    answer = final_answer(question.world, situation, rng)
    if flaw == "invented_answer":
        answer = _NUMBER.sub(lambda match: str(rng.randint(1000, 9999)) if len(match[0]) > 1 else match[0], answer)
    return {"thought": thought, "calls": [], "final_answer": answer}


def _flawed(
    calls: list[JsonObject], situation: Situation, ready: list[JsonObject], rng: random.Random, flaw: str | None
) -> list[JsonObject]:
    first, *others = calls
    arguments = dict(first["arguments"])
    name = rng.choice(list(arguments)) if arguments else ""
    match flaw:
        case "bad_call" if name:
            wrong = {"value": arguments[name]} if not isinstance(arguments[name], dict) else "wrong"
            return [{**first, "arguments": {**arguments, name: wrong}}, *others]
        case "missing_argument" if name:
            return [{**first, "arguments": {key: value for key, value in arguments.items() if key != name}}, *others]
        case "unknown_function":
            return [{**first, "name": f"{first['name']}_v2"}, *others]
        case "ungrounded_argument":
            return [_ungrounded(first, rng), *others]
        case "calls_in_serial_mode" if not situation.parallel:
            return [*calls, *(ready[1:] or calls)]
        case _:
            return calls


def _ungrounded(call: JsonObject, rng: random.Random) -> JsonObject:
    """The call with one value that nobody said."""
    arguments = dict(call["arguments"])
    invented = {str: f"{rng.choice(_INVENTED)} {rng.randint(100, 999)}", int: 7000 + rng.randint(1, 997)}
    for name, value in arguments.items():
        if type(value) in invented:
            return {**call, "arguments": {**arguments, name: invented[type(value)]}}
    return call
