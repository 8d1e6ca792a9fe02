"""Function definition: what a program would need to do the sub-tasks (paper, section 3.1)."""

import copy
import re
from collections import Counter
from collections.abc import Sequence

import dspy
from pydantic import NonNegativeInt, validate_call

from button.checks.feeding import feeds
from button.checks.functions import function_problems, set_problems
from button.checks.supply import unsupplied
from button.lms.schema import output_schema
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.details import PARAMETER_NAMES, Detail, details_in
from modules.forms import findings
from modules.wording import numbered
from signatures.functions import (
    NAME_PATTERN,
    DefineFunction,
    DefineFunctions,
    FieldDraft,
    FunctionDraft,
    JsonType,
    ParameterDraft,
)
from signatures.records import Composition, Function, JsonObject, Outcome, Problem, SubTask

# No capitals and no digits after the first letter: names and values of this one request have no place in a function.
GENERAL_SENTENCE = r"^[A-Z][a-z][a-z ,'()/-]{20,220}\.$"
ERRAND_RESULT = r"^[a-z]{2,14}(?:_[a-z]{2,14})?_(?:status|code)$"  # a small model goes on and on in an open name
GENERAL_PHRASE = r"^[A-Z][a-z ,'()/-]{5,80}$"


class FunctionDefinition(dspy.Module):
    """Defines the functions of a composition so that outputs match the inputs they feed.

    One call for all sub-tasks together, as in the paper; with `narrow` one call for each sub-task, in the order of
    the plan, in which the results it needs are forced into its parameters (None: for small models). `types` are the
    JSON types offered for parameters and responses (an array holds strings); `enums` offers lists of allowed values.
    Both narrow what a constrained decoder may write, and are not refused elsewhere. A parameter is required where the
    model says so and the request or an earlier function can supply it; else it is optional.
    """

    takes = Composition
    gives = Problem

    @validate_call
    def __init__(
        self,
        narrow: bool | None = None,
        types: tuple[JsonType, ...] = ("string", "integer", "number", "boolean", "array"),
        enums: bool = False,
        demos: NonNegativeInt = 2,
        tries: int = 3,
        temperature: float = 0.3,
    ) -> None:
        super().__init__()
        self.narrow = narrow
        self.types = types
        self.schema = draft_schema(types, enums=enums)
        self.ask = shipped(
            Ask(DefineFunctions, role="functions", tries=tries, temperature=temperature, max_tokens=1500), demos
        )
        self.ask_one = shipped(
            Ask(DefineFunction, role="functions", tries=tries, temperature=temperature, max_tokens=500), demos + 1
        )

    async def aforward(self, record: Composition, work: Work) -> Outcome:
        narrow = work.is_small("functions") if self.narrow is None else self.narrow
        drafts = await (self._one_by_one if narrow else self._together)(record, work)
        problem = Problem.derive(
            record,
            composition=record,
            functions=callable_functions(drafts, record),
            uses=links(drafts, len(record.sub_tasks)),
        )
        return (problem,)

    async def _together(self, record: Composition, work: Work) -> list[FunctionDraft]:
        answer = await self.ask.aforward(
            work,
            inputs={"composed_task": record.task, "sub_tasks": numbered(record.sub_tasks)},
            check=lambda found: draft_problems(found.functions, record),
            schema=self.schema,
        )
        return list(answer.functions)

    async def _one_by_one(self, record: Composition, work: Work) -> list[FunctionDraft]:
        drafts: list[FunctionDraft] = []
        for index, sub_task in enumerate(record.sub_tasks):
            needed = [drafts[earlier].responses for earlier in sub_task.depends_on]
            told = tuple({detail.kind: detail for detail in details_in(sub_task.task)}.values())
            known = record.model_copy(update={"sub_tasks": record.sub_tasks[: index + 1]})

            def problems(found: dspy.Prediction, known: Composition = known, number: int = index + 1) -> list[str]:
                if named := sorted(set(found.name.split("_")) & proper_words(record.task)):
                    return [f"the name '{found.name}' holds {', '.join(named)} of this one request"]
                return draft_problems([*drafts, _drafted(found, number)], known)

            answer = await self.ask_one.aforward(
                work,
                inputs={
                    "composed_task": record.task,
                    "sub_task": sub_task.task,
                    "results": "; ".join(_result_line(field) for fields in needed for field in fields) or "none",
                },
                check=problems,
                label=str(index),
                schema=one_schema(
                    *(self.types, needed, told, wanted_of(record.sub_tasks, index)),
                    errand=bool(findings(sub_task.task)),
                ),
            )
            drafts.append(_drafted(answer, index + 1))
        return drafts


def proper_words(task: str) -> set[str]:
    """The capitalised words inside the sentences of a task, in lower case: names, places, months."""
    return {word.lower() for word in re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", task)}


def _drafted(answer: dspy.Prediction, number: int) -> FunctionDraft:
    parameters = [ParameterDraft(**field.model_dump()) for field in answer.parameters]
    return FunctionDraft(
        sub_task=number,
        name=answer.name,
        description=answer.description,
        parameters=parameters,
        responses=answer.responses,
    )


def _result_line(field: FieldDraft) -> str:
    return f"{field.name} ({field.type}): {field.description}"


def wanted_of(sub_tasks: Sequence[SubTask], index: int) -> str | None:
    """The name of what a later sub-task says that this one has found, where it says so in one of the forms."""
    for later in sub_tasks:
        things = findings(later.task)
        if index in later.depends_on and len(things) == len(later.depends_on):
            return "_".join(re.findall("[a-z]+", things[later.depends_on.index(index)]))
    return None


def one_schema(
    types: Sequence[JsonType],
    needed: Sequence[Sequence[FieldDraft]],
    told: Sequence[Detail] = (),
    wanted: str | None = None,
    *,
    errand: bool = False,
) -> JsonObject:
    """The schema of one function.

    Its first parameters take one result of each needed function, name and type, and then each detail that the
    sub-task tells; `wanted` names the field of its answer; an `errand`
    with what was found returns a status or a code.
    """
    schema = copy.deepcopy(output_schema(DefineFunction))
    properties = schema["properties"]
    properties["name"]["pattern"] = NAME_PATTERN
    properties["description"]["pattern"] = GENERAL_SENTENCE
    for fields in (properties["parameters"], properties["responses"]):
        fields["minItems"] = 1
        fields["items"]["properties"]["type"]["enum"] = list(types)
        fields["items"]["properties"]["description"]["pattern"] = GENERAL_PHRASE
    properties["responses"]["maxItems"] = 2
    parameters, responses = properties["parameters"], properties["responses"]
    field = parameters["items"]
    fixed = [{"anyOf": [_fixed(field, [result.name], result.type) for result in results]} for results in needed]
    fixed += [_fixed(field, PARAMETER_NAMES[detail.kind], "string") for detail in told]
    parameters["prefixItems"] = fixed
    parameters["minItems"] = max(len(fixed), 1)
    parameters["maxItems"] = len(fixed) if told else len(fixed) + 2
    if errand:  # all there is to return is that it was done
        responses["maxItems"] = 1
        responses["items"]["properties"]["name"]["pattern"] = ERRAND_RESULT
    if wanted is not None:
        responses["prefixItems"] = [_fixed(responses["items"], [wanted], "string")]
        responses["maxItems"] = 1
    return schema


def _fixed(field: JsonObject, names: Sequence[str], kind: JsonType) -> JsonObject:
    """`field` with one of `names` and a type."""
    fixed = {"name": {"enum": list(names)}, "type": {"enum": [kind]}}
    return {**field, "properties": {**field["properties"], **fixed}}


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
    problems += [problem for draft in drafts for problem in _doubled_fields(draft)]
    if problems:
        return problems
    functions = callable_functions(drafts, composition)
    problems += [problem for function in functions for problem in function_problems(function)]
    return problems or set_problems(functions, links(drafts, count), composition.sub_tasks, composition.task)


def _doubled_fields(draft: FunctionDraft) -> list[str]:
    """The names that a draft gives to two fields: as a map it would silently lose one."""
    problems = []
    for what, fields in (("parameters", draft.parameters), ("responses", draft.responses)):
        doubled = [name for name, count in Counter(field.name for field in fields).items() if count > 1]
        problems += [
            f"function '{draft.name}': '{name}' stands twice among its {what}; give each a name of its own"
            for name in doubled
        ]
    return problems


def callable_functions(drafts: Sequence[FunctionDraft], composition: Composition) -> tuple[Function, ...]:
    """The functions, with those parameters optional that nobody could supply in this request."""
    functions = merged(drafts)
    return tuple(_with_supply(function, functions, composition.task) for function in functions)


def _with_supply(function: Function, functions: Sequence[Function], task: str) -> Function:
    fed = [parameter for giver in functions if giver is not function for _, parameter in feeds(giver, function)]
    lacking = unsupplied(function, task, fed)
    return function.model_copy(update={"required": tuple(name for name in function.required if name not in lacking)})


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
