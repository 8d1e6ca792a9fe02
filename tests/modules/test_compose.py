from typing import Any

import jsonschema_rs
import pytest
from dspy.lm15 import Request
from golden import cases, check
from pydantic import ValidationError
from scripted import Said, Scripted, Small, schema_of, signature_of, work_of

from modules.compose import MixedComposition, ParallelThenSequentialComposition, SequentialComposition
from signatures.records import AtomicTask, Composition

TASK = AtomicTask.derive(
    None,
    scenario="planning a kayak trip",
    task="Look up the forecast water level of the Mondego river at Coimbra for the morning of 21 August 2026.",
)
SEQUENTIAL = {
    "subsequent_task": "Get the safety advice for kayaking at the water level that was found.",
    "composed_task": "What water level is forecast for the Mondego river at Coimbra on the morning of 21 August 2026,"
    " and what is the safety advice for kayaking at that level?",
}
PARALLEL = {
    "parallel_task": "Get the weather forecast for Coimbra on 21 August 2026.",
    "subsequent_task": "Rate the safety of a kayak trip with the water level and the weather that were found.",
    "composed_task": "Given the forecast water level of the Mondego river at Coimbra for the morning of 21 August 2026"
    " and the weather in Coimbra that day, how safe is a kayak trip?",
}


@pytest.mark.parametrize("case", cases("compose"))
async def test_golden_cases(case: dict[str, Any]) -> None:
    await check(case)


async def strategies(share: float, count: int = 40) -> list[str]:
    step = MixedComposition(sequential_share=share, demos=0)
    found: list[str] = []
    for number in range(count):
        engine = Scripted(ComposeSequentially=lambda _: SEQUENTIAL, ComposeInParallel=lambda _: PARALLEL)
        outcome = await step.aforward(TASK, work_of(engine, record=str(number)))
        assert isinstance(outcome, tuple)
        assert isinstance(outcome[0], Composition)
        asked = {"sequential": "ComposeSequentially", "parallel_then_sequential": "ComposeInParallel"}
        assert [signature_of(request) for request in engine.requests] == [asked[outcome[0].strategy]]
        found.append(outcome[0].strategy)
    return found


async def test_the_mix_draws_a_strategy_for_each_task_and_the_same_in_every_run() -> None:
    drawn = await strategies(0.5)
    assert 10 < drawn.count("sequential") < 30
    assert await strategies(0.5) == drawn


async def test_the_share_of_sequential_tasks_is_followed_to_its_ends() -> None:
    assert set(await strategies(1.0)) == {"sequential"}
    assert set(await strategies(0.0)) == {"parallel_then_sequential"}
    assert (await strategies(0.2)).count("sequential") < 20


def test_a_share_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ValidationError, match="sequential_share"):
        MixedComposition(sequential_share=1.2)


@pytest.mark.parametrize("step", [SequentialComposition, ParallelThenSequentialComposition])
async def test_other_records_are_given_other_ideas(step: Any) -> None:
    prompts = []
    for record in ("a", "b"):
        engine = Scripted(ComposeSequentially=lambda _: SEQUENTIAL, ComposeInParallel=lambda _: PARALLEL)
        await step(demos=0).aforward(TASK, work_of(engine, record=record))
        prompts += engine.prompts()
    assert prompts[0] != prompts[1]


async def test_a_small_model_fills_in_forms_and_the_program_says_them_in_one_go() -> None:
    def fill_in(request: Request) -> Said:
        """The first form of each piece, with something in its slots."""
        forms = str(request.messages[-1].text).partition("[[ ## forms ## ]]\n")[2].splitlines()[0]
        beside, then, after = forms.rpartition(" Then: ")
        said = {"subsequent_task": after.split(" | ")[0].replace("...", "water level")}
        if then:
            said = {"parallel_task": beside.replace("...", "the Coimbra office"), **said}
        assert jsonschema_rs.is_valid(schema_of(request), said)
        return said

    for step, pieces in ((SequentialComposition(), 2), (ParallelThenSequentialComposition(), 3)):
        engine = Small(ContinueTask=fill_in, AccompanyTask=fill_in)
        outcome = await step.aforward(TASK, work_of(engine))
        assert isinstance(outcome, tuple)
        made = outcome[0]
        assert isinstance(made, Composition)
        assert len(made.sub_tasks) == pieces
        assert made.sub_tasks[-1].depends_on == tuple(range(pieces - 1))
        assert made.task.startswith(TASK.task.rstrip("."))
        assert ". Then " in made.task


async def test_a_small_model_takes_the_composition_that_makes_most_sense_and_names_what_the_task_looks_for() -> None:
    def first(request: Request) -> Said:
        forms = str(request.messages[-1].text).partition("[[ ## forms ## ]]\n")[2]
        return {"subsequent_task": forms.split(" | ")[0]}

    engine = Small(ContinueTask=first, sensible=lambda task: len(task) / 1000)
    outcome = await SequentialComposition(candidates=6).aforward(TASK, work_of(engine))
    assert isinstance(outcome, tuple)
    assert isinstance(outcome[0], Composition)
    assert len(engine.judged) > 2
    assert outcome[0].task == max(engine.judged, key=len)
    assert "the forecast water level that was found" in outcome[0].sub_tasks[1].task
