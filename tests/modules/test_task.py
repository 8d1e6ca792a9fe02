from typing import Any

import jsonschema_rs
import pytest
from dspy.lm15 import Request
from golden import cases, check, content
from scripted import Said, Scripted, Small, Speaker, schema_of, work_of

from button.errors import NoUsableAnswer
from modules.task import AtomicTaskWriting
from signatures.records import AtomicTask, Drop, Scenario

TASK = {"task": "Find a flight from Oslo to Rome on 3 May."}


@pytest.mark.parametrize("case", cases("task"))
async def test_golden_cases(case: dict[str, Any]) -> None:
    await check(case)


async def test_each_record_and_draw_gets_details_of_its_own_and_the_same_in_every_run() -> None:
    step = AtomicTaskWriting()

    async def drawn(**where: Any) -> tuple[str, ...]:
        record = Scenario.derive(None, text="booking flights")
        outcome = await step.aforward(record, work_of(Scripted(TASK), **where))
        assert isinstance(outcome, tuple)
        assert isinstance(outcome[0], AtomicTask)
        assert content(outcome[0])["kind"] == "atomic_task"
        return outcome[0].details

    first = await drawn()
    assert await drawn() == first
    assert len({first, await drawn(record="another"), await drawn(draw=1), await drawn(step="another")}) == 4


# A small model fills in forms


def fill_in(thing: str) -> Speaker:
    def speak(request: Request) -> Said:
        """The first form, with `thing` in its slot."""
        forms = str(request.messages[-1].text).partition("[[ ## forms ## ]]\n")[2].split(" | ")
        said = {"task": forms[0].replace("...", thing)}
        assert jsonschema_rs.is_valid(schema_of(request), said)
        return said

    return speak


PLUMBER = Scenario.derive(None, text="hiring a plumber")


async def test_a_small_model_fills_in_forms_and_the_most_sensible_task_is_taken() -> None:
    engine = Small(CompleteTask=fill_in("a plumber"), sensible=lambda task: len(task) / 1000)
    outcome = await AtomicTaskWriting(candidates=4).aforward(PLUMBER, work_of(engine))
    assert isinstance(outcome, tuple)
    (task,) = outcome
    assert isinstance(task, AtomicTask)
    assert len(engine.judged) > 1
    assert task.task == max(engine.judged, key=len)
    assert "a plumber" in task.task
    assert all(detail.partition(" ")[2] in task.task for detail in task.details)


async def test_a_small_models_task_below_the_floor_is_dropped_with_its_probability() -> None:
    engine = Small(CompleteTask=fill_in("a plumber"), sensible=0.7)
    engine.sense_floors = {"MakesSense": 0.9}
    outcome = await AtomicTaskWriting().aforward(PLUMBER, work_of(engine))
    assert isinstance(outcome, Drop)
    assert outcome.reason == "unlikely"
    assert "0.70" in outcome.detail


async def test_a_slot_that_leans_on_something_unsaid_is_asked_again() -> None:
    engine = Small(CompleteTask=fill_in("the bus after the concert"))
    with pytest.raises(NoUsableAnswer, match="nobody has named"):
        await AtomicTaskWriting(candidates=2, tries=3).aforward(PLUMBER, work_of(engine))
    assert len(engine.requests) == 2 * 3
