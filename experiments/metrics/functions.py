"""Function definitions: descriptive, general, granular, consistent, no two alike (paper, section 3.1)."""

from collections.abc import Mapping

from pydantic import NonNegativeInt, PositiveInt, validate_call

from button.checks.functions import function_problems, set_problems
from button.checks.generality import tailored_problems, twin_problems
from button.checks.oddities import acts_twice
from experiments.metrics.judged import JudgedMetric, Share
from experiments.metrics.metric import Finding, finding
from modules.wording import definitions, numbered
from signatures.judge import JudgeFunctions
from signatures.records import Function, Problem, Record

MOST_PARAMETERS = 7
DESCRIPTIVE_WORDS = 5


class FunctionsMetric(JudgedMetric):
    """Scores what step functions gives."""

    name = "functions"
    step = "functions"
    labels = "functions"

    @validate_call
    def __init__(self, judge_weight: Share = 0.5, demos: NonNegativeInt = 2, tries: PositiveInt = 3) -> None:
        super().__init__(JudgeFunctions, judge_weight=judge_weight, demos=demos, tries=tries)

    def checks(self, given: Record, record: Record) -> list[Finding]:
        assert isinstance(record, Problem)
        functions, plan, request = record.functions, record.composition.sub_tasks, record.composition.task
        invalid = [problem for function in functions for problem in function_problems(function)[:1]]
        tailored, twins = tailored_problems(functions, request), twin_problems(functions)
        broken = [one for one in set_problems(functions, record.uses, plan, request) if one not in {*tailored, *twins}]
        coarse = [problem for function in functions for problem in _coarse(function)]
        thin = [problem for function in functions for problem in _thin(function)]
        count = max(len(functions), 1)
        return [
            finding("valid", invalid, 1 - len(invalid) / count),
            finding("general_wording", tailored),
            finding("no_duplicates", twins),
            finding("data_flow", broken),
            finding("one_purpose", coarse, 1 - len(coarse) / count),
            finding("descriptive", thin, 1 - len(thin) / count),
        ]

    def question(self, record: Record) -> Mapping[str, str]:
        assert isinstance(record, Problem)
        plan = numbered(record.composition.sub_tasks, record.uses)
        return {"sub_tasks": plan, "functions": definitions(record.functions)}

    def shown(self, record: Record) -> str:
        assert isinstance(record, Problem)
        plan = numbered(record.composition.sub_tasks, record.uses)
        return f"Request: {record.composition.task}\nSub-tasks:\n{plan}\nFunctions:\n{definitions(record.functions)}"


def _coarse(function: Function) -> list[str]:
    """Why a function seems to do more than one thing: at most one problem."""
    if acts_twice(function.name):
        return [f"'{function.name}' does several things; define one function for each"]
    if len(function.parameters) > MOST_PARAMETERS:
        return [f"'{function.name}' takes {len(function.parameters)} parameters; split it or leave some out"]
    return []


def _thin(function: Function) -> list[str]:
    """Why a function is not described well enough: at most one problem."""
    if len(function.description.split()) < DESCRIPTIVE_WORDS:
        return [f"'{function.name}' is described as {function.description!r}; say what it does, takes and returns"]
    bodies = {**function.parameters, **function.responses}
    for name, body in bodies.items():
        said = str(body.get("description", "")).casefold().strip(" .")
        if said in {"", name.casefold(), name.replace("_", " ").casefold()}:
            return [f"'{function.name}': '{name}' is described as {said!r}; say what it means and in which form"]
    return []
