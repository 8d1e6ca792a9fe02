"""Function definitions: their JSON-Schema forms, and whether one and a set of them can be used (paper, section 3.1)."""

import re
from typing import Any

import jsonschema_rs

from button.checks.feeding import feeds
from button.checks.generality import tailored_problems, twin_problems
from button.checks.validators import JSON_TYPES, shown, type_name, validator
from signatures.records import Function, JsonObject, SubTask

__all__ = ["feeds", "function_problems", "openai_tool", "parameters_schema", "responses_schema", "set_problems"]

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}")


def parameters_schema(function: Function) -> JsonObject:
    """The JSON Schema of a call's arguments: what is not in `required` may be left out, nothing else may be added."""
    return {
        "type": "object",
        "properties": function.parameters,
        "required": list(function.required),
        "additionalProperties": False,
    }


def responses_schema(function: Function) -> JsonObject:
    """The JSON Schema of an answer: every response field, and no other."""
    return {
        "type": "object",
        "properties": function.responses,
        "required": list(function.responses),
        "additionalProperties": False,
    }


def openai_tool(function: Function) -> JsonObject:
    """The function in the form of OpenAI's `tools` list.

    Optional parameters stay optional: `required` holds what the function's `required` holds, and "strict" is left
    out, since OpenAI's strict mode would demand every parameter. `additionalProperties` is false, as our checks of
    calls have it.
    """
    return {
        "type": "function",
        "function": {
            "name": function.name,
            "description": function.description,
            "parameters": parameters_schema(function),
        },
    }


def function_problems(function: Function) -> list[str]:
    """What is wrong with one definition by itself."""
    problems = []
    if not _NAME.fullmatch(function.name):
        problems.append(f"function name {function.name!r} is not well formed; use letters, digits and _, at most 64")
    if len(function.description.split()) < 3:
        problems.append(
            f"function {function.name!r} has the description {function.description!r}; "
            "say what it does, takes and returns"
        )
    if not function.responses:
        problems.append(f"function {function.name!r} returns nothing; define at least one response field")
    for name in dict.fromkeys(function.required):
        if name not in function.parameters:
            known = ", ".join(function.parameters) or "no parameter"
            problems.append(
                f"function {function.name!r} requires {name!r}, which it does not define; it defines {known}"
            )
    for kind, bodies in (("parameter", function.parameters), ("response field", function.responses)):
        for name, body in bodies.items():
            problems.extend(
                f"function {function.name!r}, {kind} {name!r}: {fault}" for fault in _field_faults(name, body)
            )
    return problems


def _field_faults(name: str, body: JsonObject) -> list[str]:
    faults = [] if _NAME.fullmatch(name) else ["its name is not well formed; use letters, digits and _"]
    if not str(body.get("description") or "").strip():
        faults.append("it has no description")
    return faults + _schema_faults(body)


def _schema_faults(body: JsonObject) -> list[str]:
    """What keeps a field's body from being a JSON Schema that a call can be checked against."""
    types = body.get("type")
    if not types:
        return ["it has no type; give one of " + ", ".join(JSON_TYPES)]
    for one in types if isinstance(types, list) else [types]:
        if one not in (*JSON_TYPES, "null"):
            return [f"its type is {shown(one)}; a type is one of {', '.join(JSON_TYPES)}"]
    try:
        fits = validator({"type": types})
        validator(body)
    except jsonschema_rs.ValidationError as error:
        return [f"its body is no valid JSON Schema: {error.message}"]
    faults = []
    options = body.get("enum")
    if options == []:
        faults.append("its enum is empty; list the allowed values or leave it out")
    faults.extend(
        f"its enum holds {shown(value)} ({type_name(value)}), its type is {shown(types)}"
        for value in options or []
        if not fits.is_valid(value)
    )
    if "default" in body and not validator(body).is_valid(body["default"]):
        faults.append(
            f"its default is {shown(body['default'])} ({type_name(body['default'])}), which its own schema refuses"
        )
    return faults + _inner_faults(body)


def _inner_faults(body: JsonObject) -> list[str]:
    """The faults of what is inside an array or an object; one without `items` or `properties` is open."""
    faults: list[str] = []
    items = body.get("items")
    if isinstance(items, dict) and items:
        faults.extend(f"in its items {fault}" for fault in _schema_faults(items))
    for name, inner in (body.get("properties") or {}).items():
        if isinstance(inner, dict) and inner:
            faults.extend(f"in its property {name!r} {fault}" for fault in _schema_faults(inner))
    return faults


def set_problems(
    functions: tuple[Function, ...], uses: tuple[tuple[str, ...], ...], sub_tasks: tuple[SubTask, ...], task: str
) -> list[str]:
    """What is wrong with the functions as a set that serves `sub_tasks`; `uses[i]` names those of sub-task i."""
    problems = _linking_problems(functions, uses, sub_tasks)
    problems.extend(twin_problems(functions))
    problems.extend(tailored_problems(functions, task))
    if not problems:
        problems.extend(_flow_problems({function.name: function for function in functions}, uses, sub_tasks))
    return problems


def _linking_problems(
    functions: tuple[Function, ...], uses: tuple[tuple[str, ...], ...], sub_tasks: tuple[SubTask, ...]
) -> list[str]:
    if not functions:
        return ["no function is defined; at least one sub-task needs one"]
    if len(uses) != len(sub_tasks):
        return [f"functions are given for {len(uses)} sub-task(s), there are {len(sub_tasks)}"]
    names = [function.name for function in functions]
    used = {name for row in uses for name in row}
    problems = [
        f"{names.count(name)} functions are named {name!r}; names must differ"
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    problems.extend(
        f"a sub-task uses {name!r}, which is not defined; defined are {', '.join(names)}"
        for name in sorted(used - set(names))
    )
    problems.extend(f"function {name!r} serves no sub-task" for name in dict.fromkeys(names) if name not in used)
    return problems


def _flow_problems(
    by_name: dict[str, Function], uses: tuple[tuple[str, ...], ...], sub_tasks: tuple[SubTask, ...]
) -> list[str]:
    """Where a sub-task depends on another, and no answer of the other's functions fits a parameter of its own."""
    problems = []
    for index, sub_task in enumerate(sub_tasks):
        for earlier in sub_task.depends_on:
            givers, takers = [[by_name[name] for name in uses[i]] for i in (earlier, index)]
            if not givers or not takers:
                continue  # pure logic in between: its data flow is not visible in the functions
            if not any(feeds(giver, taker) for giver in givers for taker in takers):
                returned = _listed([name for giver in givers for name in giver.responses])
                taken = _listed([name for taker in takers for name in taker.parameters])
                problems.append(
                    f"sub-task {index + 1} needs the output of sub-task {earlier + 1}, but "
                    f"{_listed([f.name for f in givers])} returns {returned}, and none of it fits a parameter of "
                    f"{_listed([f.name for f in takers])} ({taken}); return a field that the later "
                    "function takes, with the same name and type"
                )
    return problems


def _listed(names: list[str]) -> str:
    return ", ".join(names) if names else "nothing"


def defaults(function: Function) -> dict[str, Any]:
    """The default values of the parameters that have one."""
    return {name: body["default"] for name, body in function.parameters.items() if "default" in body}
