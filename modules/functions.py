"""Function definition: what a program would need to do the sub-tasks (paper, section 3.1)."""

import copy
from collections.abc import Sequence

import dspy
from pydantic import validate_call

from button.checks.functions import function_problems, set_problems
from button.lms.schema import output_schema
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.wording import numbered
from signatures.functions import DefineFunctions, FieldDraft, FunctionDraft, JsonType, ParameterDraft
from signatures.records import Composition, Function, JsonObject, Outcome, Problem


class FunctionDefinition(dspy.Module):
    """One call a composition, for all its sub-tasks together, so that outputs can match the inputs they feed.

    `types` are the JSON types offered for parameters and responses (an array holds strings); `enums` offers lists of
    allowed values. Both narrow what a constrained decoder may write, and are not refused elsewhere.
    """

    takes = Composition
    gives = Problem

    @validate_call
    def __init__(
        self,
        types: tuple[JsonType, ...] = ("string", "integer", "number", "boolean", "array"),
        enums: bool = False,
        demos: int = 2,
        tries: int = 3,
        temperature: float = 0.3,
    ) -> None:
        super().__init__()
        self.schema = draft_schema(types, enums=enums)
        self.ask = shipped(
            Ask(DefineFunctions, role="functions", tries=tries, temperature=temperature, max_tokens=1500), demos
        )

    async def aforward(self, record: Composition, work: Work) -> Outcome:
        answer = await self.ask.acall(
            work,
            inputs={"composed_task": record.task, "sub_tasks": numbered(record.sub_tasks)},
            check=lambda found: draft_problems(found.functions, record),
            schema=self.schema,
        )
        functions = merged(answer.functions)
        return (
            Problem.derive(
                record, composition=record, functions=functions, uses=links(answer.functions, len(record.sub_tasks))
            ),
        )


def draft_schema(types: Sequence[JsonType], *, enums: bool) -> JsonObject:
    """The signature's output schema, narrowed to `types`, every function with a parameter and a response at least."""
    schema = copy.deepcopy(output_schema(DefineFunctions))
    draft = schema["properties"]["functions"]["items"]["properties"]
    for fields in (draft["parameters"], draft["responses"]):
        fields["minItems"] = 1
        fields["items"]["properties"]["type"]["enum"] = list(types)
    if not enums:
        parameter = draft["parameters"]["items"]
        del parameter["properties"]["enum"]
        parameter["required"].remove("enum")
    return schema


def draft_problems(drafts: Sequence[FunctionDraft], composition: Composition) -> list[str]:
    """What is wrong with a set of drafts, in words a model can act on."""
    count = len(composition.sub_tasks)
    problems = [
        f"function '{draft.name}': sub_task is {draft.sub_task}, there are only {count} sub-tasks"
        for draft in drafts
        if draft.sub_task > count
    ]
    if problems:
        return problems
    functions = merged(drafts)
    problems += [problem for function in functions for problem in function_problems(function)]
    return problems or set_problems(functions, links(drafts, count), composition.sub_tasks, composition.task)


def merged(drafts: Sequence[FunctionDraft]) -> tuple[Function, ...]:
    """The functions; one that was given again, the same, for another sub-task stands once."""
    functions: dict[str, Function] = {}
    unlike = []
    for draft in drafts:
        function = to_function(draft)
        known = functions.setdefault(function.name, function)
        if known != function:
            unlike.append(function)
    return (*functions.values(), *unlike)


def links(drafts: Sequence[FunctionDraft], count: int) -> tuple[tuple[str, ...], ...]:
    """The function names of each sub-task, in the order given."""
    names: list[list[str]] = [[] for _ in range(count)]
    for draft in drafts:
        if draft.name not in names[draft.sub_task - 1]:
            names[draft.sub_task - 1].append(draft.name)
    return tuple(map(tuple, names))


def to_function(draft: FunctionDraft) -> Function:
    """The paper's five fields from the form a model writes (lists, since open maps do not survive strict decoding)."""
    return Function(
        name=draft.name,
        description=draft.description,
        parameters={field.name: _body(field) for field in draft.parameters},
        required=tuple(field.name for field in draft.parameters if field.required),
        responses={field.name: _body(field) for field in draft.responses},
    )


def _body(field: FieldDraft) -> JsonObject:
    body: JsonObject = {"type": field.type, "description": field.description}
    if field.type == "array":
        body["items"] = {"type": "string"}
    if isinstance(field, ParameterDraft) and field.enum:
        body["enum"] = list(field.enum)
    return body
