"""Plays the judges with a rubric: each criterion by rules of its own over what the prompt shows."""

import json
import re
from collections.abc import Mapping
from typing import Any

from button.checks.calls import call_problems
from button.checks.details import details
from button.checks.functions import function_problems, set_problems
from button.checks.instruments import means_in
from button.checks.oddities import acts_twice, further_steps, odd_arguments, sentences_said_twice
from button.checks.reading import leaves
from button.checks.references import open_references
from button.checks.vocabulary import content_words, name_words, stem, stems
from button.lms.simulation.plans import read_plan
from button.lms.simulation.question import Question
from signatures.records import Call, Function, JsonObject, SubTask

_TRAVELS = re.compile(r"\b(?:flight|train|bus|ferry|trip|ride|drive)s?\b.* to ((?:[A-Z][\w'-]+ ?)+)")
_SPOKEN_TO = re.compile(r"\b(?:explain|discuss|describe|chat|talk|tell (?:me )?why|why)\b", re.IGNORECASE)
_TOLD = re.compile(r"\b(?:find out|check|confirm) that\b", re.IGNORECASE)
_UNCOUNTABLE = re.compile(
    r"\b(?:order|buy|book)\b.*\b(?:levels?|status|forecast|ratings?|weather|hours)\b", re.IGNORECASE
)
_OCCASION = re.compile(r"\b(?:after|before|during) the [a-z]+\b")
_FLIGHT_CODE = re.compile(r"\bflight code\b.*\b(?:dinner|table|class|hotel|appointment)\b", re.IGNORECASE)
_LINE = re.compile(r"^(person|thought|call|result|final answer): (.*)$", re.MULTILINE)
_STATES = stems("status state success found message_status")
_PHONE = re.compile(r"\+\d[\d ]{6,}")


def judge_task(question: Question) -> JsonObject:
    """Plays JudgeTask."""
    task = question.inputs.get("task", "")
    faults = {
        "reasonable": _unreasonable(task),
        "self_contained": _unsaid(task),
        "one_step": next((f"{said!r} begins a second step" for said in further_steps(task)), None),
        "doable": _undoable(task),
    }
    return _opinion(question, faults, "the task says what is wanted, and everything needed for it")


def judge_functions(question: Question) -> JsonObject:
    """Plays JudgeFunctions."""
    steps = read_plan(question.world, question.inputs.get("sub_tasks", ""))
    functions = _functions(question.inputs.get("functions", ""))
    uses = tuple(step.functions or () for step in steps)
    plan = tuple(SubTask(task=step.task, depends_on=tuple(n - 1 for n in step.needs)) for step in steps)
    request = " ".join(step.task for step in steps)
    problems = set_problems(tuple(functions.values()), uses, plan, request)
    faults = {
        "fitting": _unfitting(functions, uses, plan),
        "general": next((one for one in problems if "tailored" in one), None),
        "granular": _not_granular(functions, problems),
        "consistent": _inconsistent(functions, uses, plan, problems),
    }
    return _opinion(question, faults, "each function does what its sub-task asks, and hands on what the next one needs")


def judge_trajectory(question: Question) -> JsonObject:
    """Plays JudgeTrajectory."""
    functions = _functions(question.inputs.get("functions", ""))
    said = _LINE.findall(question.inputs.get("transcript", ""))
    final = next((text for who, text in said if who == "final answer"), "")
    calls = [call for who, text in said if who == "call" if (call := _call(text)) is not None]
    results = [(name, body) for who, text in said if who == "result" for name, _, body in [text.partition(" ")]]
    faults = {
        "arguments": _bad_argument(calls, functions),
        "results": _bad_result(calls, results),
        "needed": _bad_choice(calls, functions, results, final),
        "answer": _bad_answer(final, results),
    }
    return _opinion(question, faults, "every call serves the request, and the answer reports what was found")


def _opinion(question: Question, faults: Mapping[str, str | None], praise: str) -> JsonObject:
    """The answer to a rubric. A flawed judge finds fault with nothing, or with what is well."""
    found = dict(faults)
    if question.flaw == "judge_yes":
        found = dict.fromkeys(found)
    elif question.flaw == "judge_no" and not any(found.values()):
        found[question.rng.choice(list(found))] = "it could be better"
    told = "; ".join(fault for fault in found.values() if fault)
    analysis = f"Not good yet: {told}." if told else f"This is good: {praise}."
    return {"analysis": analysis, **{name: "no" if fault else "yes" for name, fault in found.items()}}


def _unreasonable(task: str) -> str | None:
    going = _TRAVELS.search(task)
    if going is not None and len(going[1].split()) == 2:
        return f"{going[1].strip()} seems to be a person, to whom nobody can travel"
    if _UNCOUNTABLE.search(task):
        return "what is to be ordered cannot be ordered"
    if _FLIGHT_CODE.search(task):
        return "a code of a flight says nothing about this"
    return None


def _unsaid(task: str) -> str | None:
    if references := open_references(task):
        return f"{references[0]!r} is known to the speaker alone"
    if not details(task):
        return "no place, day, name or amount is said"
    if occasion := _OCCASION.search(task):
        return f"{occasion[0]!r} is not said when"
    return None


def _undoable(task: str) -> str | None:
    if means := means_in(task):
        return f"{means[0]!r} says how it is to be done"
    if _SPOKEN_TO.search(task):
        return "it is a talk, and nothing is to be looked up or arranged"
    if _TOLD.search(task):
        return "it says what it asks for"
    return None


def _unfitting(
    functions: Mapping[str, Function], uses: tuple[tuple[str, ...], ...], plan: tuple[SubTask, ...]
) -> str | None:
    """A definition that is none, one about another thing, or one that takes too little to know what is meant."""
    for function in functions.values():
        if problems := function_problems(function):
            return problems[0]
    for names, sub_task in zip(uses, plan, strict=True):
        wanted = content_words(sub_task.task)
        for function in (functions[name] for name in names if name in functions):
            told = content_words(function.description) | name_words(function.name)
            fields = [name_words(name) for name in (*function.parameters, *function.responses)]
            if not wanted & told.union(*fields):
                return f"'{function.name}' is about something else than its sub-task"
            if not sub_task.depends_on and len(details(sub_task.task)) > len(function.parameters) + 1:
                return f"'{function.name}' cannot be told all that its sub-task says"
    return None


def _not_granular(functions: Mapping[str, Function], problems: list[str]) -> str | None:
    several = next((name for name in functions if acts_twice(name)), None)
    if several is not None:
        return f"'{several}' does several things"
    return next((one for one in problems if "does the same" in one), None)


def _inconsistent(
    functions: Mapping[str, Function],
    uses: tuple[tuple[str, ...], ...],
    plan: tuple[SubTask, ...],
    problems: list[str],
) -> str | None:
    for index, sub_task in enumerate(plan):
        takers = [functions[name] for name in uses[index] if name in functions]
        givers = [functions[name] for edge in sub_task.depends_on for name in uses[edge] if name in functions]
        for taker in takers:
            stated = [name for name in taker.parameters if stem(name.rpartition("_")[2]) in _STATES]
            if stated:
                return f"'{taker.name}' takes '{stated[0]}', a state instead of a thing"
        given = {name for giver in givers for name in giver.responses}
        coded = [name for taker in takers for name in taker.required if name.endswith(("_id", "_number", "_code"))]
        lacking = [name for name in coded if name not in given]
        if givers and lacking:
            return f"nothing returns the '{lacking[0]}' that is needed"
    return next((one for one in problems if "needs the output" in one), None)


def _bad_argument(calls: list[Call], functions: Mapping[str, Function]) -> str | None:
    for call in calls:
        if problems := call_problems(call, list(functions.values())):
            return problems[0]
        if odd := odd_arguments(call, functions[call.name]):
            return odd[0]
        for name in ("destination", "origin", "city", "town", "place"):
            if len(str(call.arguments.get(name, "")).split()) == 2 and "from one city to another" in str(
                functions[call.name].description
            ):
                return f"'{name}' is {call.arguments[name]!r}, which seems to be a person"
    return None


def _bad_result(calls: list[Call], results: list[tuple[str, str]]) -> str | None:
    for call, (name, body) in zip(calls, results, strict=False):
        if "hours" in body and _PHONE.search(body):
            return f"'{name}' returns a phone number for hours"
        asked_years = set(re.findall(r"\b20\d\d\b", json.dumps(call.arguments)))
        given_years = set(re.findall(r"\b20\d\d\b", body))
        if asked_years and given_years and not asked_years & given_years:
            return f"'{name}' answers for another day than the call asks"
    return None


def _bad_choice(
    calls: list[Call], functions: Mapping[str, Function], results: list[tuple[str, str]], final: str
) -> str | None:
    uncalled = [name for name in functions if name not in {call.name for call in calls}]
    if uncalled:
        return f"'{uncalled[0]}' is never called"
    forms = [json.dumps([call.name, call.arguments], sort_keys=True) for call in calls]
    if len(set(forms)) < len(forms):
        return "the same call is made twice"
    names = [call.name for call in calls]
    used = " ".join([final, *(json.dumps(call.arguments, ensure_ascii=False) for call in calls)])
    for name, body in results:
        values = [str(value) for _, value in leaves(_json(body))]
        if names.count(name) > 1 and not any(value in used for value in values):
            return f"'{name}' is called more often than anybody asked for"
    return None


def _bad_answer(final: str, results: list[tuple[str, str]]) -> str | None:
    if not final.strip():
        return "there is no final answer"
    if twice := sentences_said_twice(final):
        return f"it says {twice[0]!r} twice"
    if re.search(r": ?['\"]?\.?$", final.strip()):
        return "it breaks off"
    return None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _functions(text: str) -> dict[str, Function]:
    """The definitions in a prompt, by name; none where they are no JSON list of definitions."""
    try:
        return {body["name"]: Function.model_validate(body) for body in json.loads(text)}
    except (ValueError, KeyError, TypeError):
        return {}


def _call(text: str) -> Call | None:
    name, _, body = text.partition(" ")
    try:
        return Call(name=name, arguments=json.loads(body))
    except ValueError:
        return None
