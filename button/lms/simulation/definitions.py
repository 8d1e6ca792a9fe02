"""Plays DefineFunctions: the functions of the templates behind the sub-tasks, under one of their names."""

import random
import re

from button.lms.simulation.choices import words_of
from button.lms.simulation.fields import Field
from button.lms.simulation.plans import Step, read_plan
from button.lms.simulation.question import Question
from button.lms.simulation.world import FunctionSpec
from signatures.records import JsonObject

# Parameters that a call may leave out, as real interfaces have them; offered where the verb suits.
_FINDS = ("find_", "search_", "look_up_", "get_", "fetch_")
_BOOKS = ("book_", "reserve_", "order_", "hire_", "buy_", "create_")
_OPTIONAL = {
    _FINDS: (
        ("max_results", "integer", "Highest number of results to consider"),
        ("language_code", "string", "Two-letter code of the language of the answer"),
    ),
    _BOOKS: (
        ("note", "string", "Free text for the other side"),
        ("send_confirmation", "boolean", "Whether a confirmation is sent"),
    ),
}
OPTIONAL_SHARE = 0.3


def define_functions(question: Question) -> JsonObject:
    """One draft for each function of each sub-task; a function of two sub-tasks is given for both, the same."""
    chosen: dict[str, JsonObject] = {}
    drafts = []
    for step in read_plan(question.world, question.inputs.get("sub_tasks", "")):
        specs = step.template.functions if step.template else ()
        for spec in specs:
            if spec.name not in chosen:
                chosen[spec.name] = draft(spec, question.rng)
            drafts.append({"sub_task": step.number, **chosen[spec.name]})
        if step.template is None:
            drafts.extend(_foreign(step))
    return {"functions": _flawed(drafts, question)}


def draft(spec: FunctionSpec, rng: random.Random) -> JsonObject:
    """The definition of a function under one of its names, some with a parameter that may be left out."""
    name = rng.choice(spec.names)
    parameters = [_parameter(field) for field in spec.takes]
    for verbs, options in _OPTIONAL.items():
        if name.startswith(verbs) and rng.random() < OPTIONAL_SHARE:
            extra, json_type, description = rng.choice(options)
            parameters.append(_draft_parameter(extra, json_type, description, required=False))
    responses = [
        {"name": field.name, "type": field.json_type, "description": field.description} for field in spec.gives
    ]
    return {"name": name, "description": spec.does, "parameters": parameters, "responses": responses}


def _parameter(field: Field) -> JsonObject:
    body = _draft_parameter(field.name, field.json_type, field.description, required=True)
    return {**body, "enum": list(field.options)} if field.options else body


def _draft_parameter(name: str, json_type: str, description: str, *, required: bool) -> JsonObject:
    return {"name": name, "type": json_type, "description": description, "required": required, "enum": None}


def _foreign(step: Step) -> list[JsonObject]:
    """A function for a sub-task of no known kind: a request in, a reference and a summary out."""
    if step.needs and not step.functions:
        return []  # most often a comparison or a conclusion: the assistant does it alone
    words = [word for word in words_of(step.task) if re.fullmatch("[a-z]{3,12}", word)][:2]
    return [
        {
            "sub_task": step.number,
            "name": "_".join(["handle", *words, "request"])[:50],
            "description": "Handle a request given in words and return its reference and a short summary.",
            "parameters": [_draft_parameter("request", "string", "What is wanted, in words", required=True)],
            "responses": [
                {"name": "request_reference", "type": "string", "description": "Reference of the request"},
                {"name": "summary", "type": "string", "description": "What was found out in a few words"},
            ],
        }
    ]


def _flawed(drafts: list[JsonObject], question: Question) -> list[JsonObject]:
    if not drafts:
        return drafts
    first, last = drafts[0], drafts[-1]
    match question.flaw:
        case "bad_schema":
            broken = [{**parameter, "type": "integer", "enum": ["low", "high"]} for parameter in last["parameters"][:1]]
            return [*drafts[:-1], {**last, "parameters": broken + last["parameters"][1:]}]
        case "duplicate_function":
            return [*drafts, {**first, "description": f"{first['description']} Faster.", "sub_task": last["sub_task"]}]
        case "inconsistent_functions":
            renamed = [
                {**field, "name": f"result_{number}", "type": "object"}
                for number, field in enumerate(first["responses"])
            ]
            return [{**first, "responses": renamed}, *drafts[1:]]
        case "tailored_function":
            return [
                {**first, "description": f"{first['description']} {question.inputs.get('composed_task', '')}"},
                *drafts[1:],
            ]
        case _:
            return drafts
