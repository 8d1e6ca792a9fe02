"""Function definition (paper, section 3.1): descriptive, general, granular, consistent."""

from typing import Any, Literal

import dspy
from pydantic import Field

from signatures.records import Value

JsonType = Literal["string", "integer", "number", "boolean", "array", "object"]

NAME_PATTERN = r"^[a-z][a-z0-9_]{2,49}$"


class FieldDraft(Value):
    """One field of a function's answer."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="snake_case")
    type: JsonType
    description: str


class ParameterDraft(FieldDraft):
    """One parameter of a function."""

    required: bool = True
    enum: list[Any] | None = Field(default=None, description="the allowed values, where they are few; else null")


class FunctionDraft(Value):
    """One function, linked to the number of the sub-task it serves."""

    sub_task: int = Field(ge=1, description="the number of the sub-task it serves")
    name: str = Field(pattern=NAME_PATTERN, description="snake_case, a verb first")
    description: str
    parameters: list[ParameterDraft]
    responses: list[FieldDraft]


class DefineFunctions(dspy.Signature):
    """Define the functions that a program would need to do the sub-tasks.

    Each function is descriptive: its description says what it does, takes and returns. It is general: usable for
    any such request, never repeating the names and values of this one. It is granular: it does one thing. The set is
    consistent: where a sub-task needs the output of another, the earlier function returns a field that the
    later one takes as a parameter, with the same name and type. A sub-task may need one function, several, or none:
    pure logic, comparison and arithmetic need none.
    """

    composed_task: str = dspy.InputField(desc="the whole request")
    sub_tasks: str = dspy.InputField(desc="the numbered sub-tasks; each says which earlier ones it depends on")
    functions: list[FunctionDraft] = dspy.OutputField(desc="the functions, in the order of the sub-tasks")


class DefineFunction(dspy.Signature):
    """Define the one function that a program would need to do a sub-task.

    The function is descriptive: its description says what it does, takes and returns. It is general: usable for any
    such request, so neither its name nor a description repeats the names, places and values of this one. It does one
    thing. It takes the results that it needs, under the same name, and what else the sub-task gives; it returns what
    the sub-task asks for.
    """

    composed_task: str = dspy.InputField(desc="the whole request")
    sub_task: str = dspy.InputField(desc="the sub-task that the function does")
    results: str = dspy.InputField(desc="the results of earlier functions that the sub-task needs, or none")
    name: str = dspy.OutputField(desc="snake_case, a verb first")
    description: str = dspy.OutputField(desc="one sentence")
    parameters: list[FieldDraft] = dspy.OutputField(desc="name, type and description of each parameter")
    responses: list[FieldDraft] = dspy.OutputField(desc="name, type and description of each field of the answer")
