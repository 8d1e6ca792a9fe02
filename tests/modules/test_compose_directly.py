from typing import Any

import jsonschema_rs
import pytest
from dspy.lm15 import Request
from scripted import Said, Scripted, schema_of, work_of

from button.errors import NoUsableAnswer
from modules.compose_directly import DirectComposition
from signatures.records import Composition, Scenario

SCENARIO = Scenario.derive(None, text="checking a prescription refill")
PAIR: dict[str, Any] = {
    "composed_task": "Check when prescription RX-5521 of Ben Rossi is due for its next refill and set a reminder for"
    " Ben Rossi on that date.",
    "sub_tasks": [
        "Check when prescription RX-5521 of Ben Rossi is due for its next refill.",
        "Set a reminder for Ben Rossi on the refill date that was found.",
    ],
}
TRIPLE: dict[str, Any] = {
    "composed_task": "Given the forecast water level of the Mondego river at Coimbra for the morning of 21 August 2026"
    " and the weather in Coimbra that day, how safe is a kayak trip?",
    "sub_tasks": [
        "Look up the forecast water level of the Mondego river at Coimbra for the morning of 21 August 2026.",
        "Get the weather forecast for Coimbra on 21 August 2026.",
        "Rate the safety of a kayak trip with the water level and the weather that were found.",
    ],
}


async def composed(step: DirectComposition, *script: Said, record: str = "a") -> tuple[Composition, Scripted]:
    engine = Scripted(*script)
    outcome = await step.aforward(SCENARIO, work_of(engine, record=record))
    assert isinstance(outcome, tuple)
    assert isinstance(outcome[0], Composition)
    return outcome[0], engine


async def test_one_call_makes_a_composition_with_the_dependencies_of_its_shape() -> None:
    pair, engine = await composed(DirectComposition(sequential_share=1, demos=0), PAIR)
    assert (pair.strategy, [sub_task.depends_on for sub_task in pair.sub_tasks]) == ("sequential", [(), (0,)])
    assert (pair.task, pair.parent, len(engine.requests)) == (PAIR["composed_task"], SCENARIO.id, 1)
    triple, _ = await composed(DirectComposition(sequential_share=0, demos=0), TRIPLE)
    assert triple.strategy == "parallel_then_sequential"
    assert [sub_task.depends_on for sub_task in triple.sub_tasks] == [(), (), (0, 1)]


async def test_another_number_of_sub_tasks_is_asked_again_with_the_shape() -> None:
    _, engine = await composed(DirectComposition(sequential_share=1, demos=0), TRIPLE, PAIR)
    assert "there are 3 sub-tasks; the shape asks for 2 sub-tasks" in engine.prompts()[1]


async def test_it_passes_the_checks_of_the_bottom_up_way() -> None:
    twins = {**PAIR, "sub_tasks": [PAIR["sub_tasks"][0], PAIR["sub_tasks"][0]]}
    with pytest.raises(NoUsableAnswer, match="says the same as sub-task 1"):
        await composed(DirectComposition(sequential_share=1, tries=2, demos=0), twins, twins)


async def test_a_constrained_decoder_can_write_no_other_number_of_sub_tasks() -> None:
    def speak(request: Request) -> Said:
        assert jsonschema_rs.is_valid(schema_of(request), PAIR)
        assert not jsonschema_rs.is_valid(schema_of(request), TRIPLE)
        return PAIR

    engine = Scripted(ComposeDirectly=speak)
    await DirectComposition(sequential_share=1, demos=0).aforward(SCENARIO, work_of(engine))
    assert len(engine.requests) == 1


async def test_the_shape_and_the_details_are_drawn_for_each_record_and_the_same_in_every_run() -> None:
    def speak(request: Request) -> Said:
        return TRIPLE if "3 sub-tasks" in str(request.messages[-1].text) else PAIR

    async def prompts() -> list[str]:
        engine = Scripted(ComposeDirectly=speak)
        for record in range(12):
            await DirectComposition(demos=0).aforward(SCENARIO, work_of(engine, record=str(record)))
        return engine.prompts()

    found = await prompts()
    assert len(set(found)) == 12
    assert 0 < sum("3 sub-tasks" in prompt for prompt in found) < 12
    assert await prompts() == found
