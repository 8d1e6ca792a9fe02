from typing import Any

import pytest
from golden import cases, check, content
from scripted import Scripted, work_of

from modules.task import AtomicTaskWriting
from signatures.records import AtomicTask, Scenario

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
