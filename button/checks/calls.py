"""Single calls and answers: whether they fit the function, and one spelling of a call to compare calls by."""

from collections.abc import Sequence
from typing import Any

from button.checks.functions import defaults, parameters_schema, responses_schema
from button.checks.placeholders import is_placeholder
from button.checks.reading import leaves
from button.checks.validators import misfits, shown, type_name
from signatures.records import Call, Function, JsonObject, canonical_json


def call_problems(call: Call, functions: Sequence[Function]) -> list[str]:
    """What is wrong with `call`: an unknown function, arguments that misfit its parameters, or values that are none."""
    function = next((one for one in functions if one.name == call.name), None)
    if function is None:
        known = ", ".join(one.name for one in functions) or "none"
        return [f"function {call.name!r} is not defined; the functions are {known}"]
    problems = list(misfits(parameters_schema(function), call.arguments, what="argument"))
    problems.extend(_empty_values(call.arguments, function.parameters, "argument"))
    return [f"function '{call.name}': {problem}" for problem in dict.fromkeys(problems)]


def result_problems(results: Any, function: Function) -> list[str]:
    """What is wrong with an answer of `function`: it misfits the responses, or holds values that are none."""
    where = f"answer of '{function.name}'"
    if not isinstance(results, dict):
        fields = ", ".join(function.responses)
        return [f"{where} is {shown(results)} ({type_name(results)}); it must be an object with the fields {fields}"]
    problems = list(misfits(responses_schema(function), results, what="field"))
    problems.extend(_empty_values(results, function.responses, "field"))
    if function.responses and all(value in ([], {}, None) for value in results.values()):
        problems.append("every field is empty; answer with realistic values")
    return [f"{where}: {problem}" for problem in dict.fromkeys(problems)]


def normalised_call(call: Call, function: Function) -> str:
    """The canonical form of a call: two calls with the same form ask for the same.

    Keys are sorted, 5.0 is 5, strings are trimmed, their white space single and their case folded, and defaults are
    filled in. Lists keep their order.
    """
    arguments = {**defaults(function), **call.arguments}
    return canonical_json({"name": call.name, "arguments": _normalised(arguments)})


def _normalised(value: Any) -> Any:
    match value:
        case bool() | None:
            return value
        case float() if value.is_integer() and abs(value) < 2**63:
            return int(value)
        case str():
            return " ".join(value.casefold().split())
        case dict():
            return {key: _normalised(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_normalised(inner) for inner in value]
        case _:
            return value


def _empty_values(values: JsonObject, bodies: dict[str, JsonObject], what: str) -> list[str]:
    problems = []
    for path, leaf in leaves(values):
        name = path.split(".")[0].split("[")[0]
        body = bodies.get(name, {})
        inner = path.rsplit(".", maxsplit=1)[-1].split("[")[0]
        if not isinstance(leaf, str) or leaf in body.get("enum", ()) or leaf == body.get("default"):
            continue
        if is_placeholder(leaf, name=inner, description=str(body.get("description", "")) if path == name else ""):
            problems.append(f"{what} '{path}' is {shown(leaf)}, which is no value; give a concrete one")
    return problems
