import dspy
import jsonschema_rs
import pytest
from dspy.lm15 import Request
from scripted import Scripted, work_of

from button.checks.composition import composition_problems, missing_details
from button.checks.wording import scenario_problems, task_problems
from modules.ask import Ask
from modules.compose import ParallelThenSequentialComposition, SequentialComposition
from modules.demos import _demos, shipped
from modules.forms import form_schema, said_in_one_go, slot_problems, task_schema, thing_sought
from modules.functions import draft_problems
from signatures import compose, compose_directly, functions, judge, play, scenario, task, write_trajectory
from signatures.functions import FunctionDraft
from signatures.records import Composition, SubTask

MODULES = (compose, compose_directly, functions, judge, play, scenario, task, write_trajectory)
SIGNATURES: dict[str, type] = {
    name: value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, dspy.Signature) and value is not dspy.Signature
}
DEMOS = [pytest.param(name, demo, id=f"{name}-{i}") for name, rows in _demos().items() for i, demo in enumerate(rows)]


@pytest.mark.parametrize(("name", "demo"), DEMOS)
def test_a_demo_has_the_fields_of_its_signature(name: str, demo: dict[str, object]) -> None:
    signature = SIGNATURES[name]
    assert list(demo) == list(signature.fields)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("name", "demo"), DEMOS)
def test_a_demo_passes_the_check_of_its_step(name: str, demo: dict[str, str]) -> None:
    found = dspy.Prediction(**demo)
    match name:
        case "NameScenario":
            assert scenario_problems(demo["scenario"]) == []
        case "EvolveScenario":
            assert scenario_problems(demo["scenario"]) == scenario_problems(demo["new_scenario"]) == []
        case "WriteAtomicTask":
            assert task_problems(demo["task"]) == []
        case "ComposeSequentially":
            plan = SequentialComposition(demos=0).plan(demo["task"], [demo["subsequent_task"]])
            assert composition_problems(demo["composed_task"], plan) == []
        case "ComposeInParallel":
            written = [demo["parallel_task"], demo["subsequent_task"]]
            plan = ParallelThenSequentialComposition(demos=0).plan(demo["task"], written)
            assert composition_problems(demo["composed_task"], plan) == []
        case "CompleteTask":
            assert task_problems(demo["task"]) == slot_problems(demo["task"]) == []
            assert jsonschema_rs.is_valid(task_schema(demo["forms"].split(" | ")), demo["task"])
            assert thing_sought(demo["task"])
        case "ContinueTask":
            written = [demo["subsequent_task"]]
            plan = SequentialComposition(demos=0).plan(demo["task"], written)
            assert composition_problems(said_in_one_go([demo["task"], *written]), plan) == []
            assert fits(demo["forms"].split(" | "), written[0])
        case "AccompanyTask":
            written = [demo["parallel_task"], demo["subsequent_task"]]
            plan = ParallelThenSequentialComposition(demos=0).plan(demo["task"], written)
            assert composition_problems(said_in_one_go([demo["task"], *written]), plan) == []
            pairs = [line.split(" Then: ") for line in demo["forms"].splitlines()]
            assert any(fits([beside], written[0]) and fits(after.split(" | "), written[1]) for beside, after in pairs)
        case "DefineFunctions":
            drafts = [FunctionDraft.model_validate(row) for row in found.functions]
            assert draft_problems(drafts, planned(demo["composed_task"], demo["sub_tasks"])) == []
        case "PlayUser":
            assert missing_details(demo["need"], demo["message"]) == []


def fits(forms: list[str], written: str) -> bool:
    """Whether a piece is in one of the forms."""
    return jsonschema_rs.is_valid(form_schema(forms), written)


def planned(composed: str, numbered: str) -> Composition:
    """The composition whose plan reads `1. <task>` and `2. <task> (needs 1)`."""
    sub_tasks = []
    for line in numbered.splitlines():
        text, _, needs = line.split(". ", 1)[1].partition(" (needs ")
        depends_on = tuple(int(number) - 1 for number in needs.rstrip(")").split(", ")) if needs else ()
        sub_tasks.append(SubTask(task=text, depends_on=depends_on))
    return Composition.derive(None, scenario="any", task=composed, strategy="sequential", sub_tasks=tuple(sub_tasks))


async def asked(count: int) -> Request:
    engine = Scripted({"task": "Find a flight from Oslo to Rome on 3 May."})
    ask = shipped(Ask(task.WriteAtomicTask, role="task"), count)
    await ask.aforward(work_of(engine), inputs={"scenario": "booking flights", "details": "none"})
    return engine.requests[0]


async def test_as_many_demos_are_shown_as_wanted_and_there_are() -> None:
    there = len(_demos()["WriteAtomicTask"])
    for count, shown in ((0, 0), (1, 1), (there, there), (99, there)):
        assert len((await asked(count)).messages) == 2 * shown + 1


async def test_demos_of_one_step_are_not_those_of_another() -> None:
    first, second = (
        shipped(Ask(task.WriteAtomicTask, role="task"), 1),
        shipped(Ask(task.WriteAtomicTask, role="task"), 1),
    )
    first.predict.demos.clear()
    assert len(second.predict.demos) == 1
