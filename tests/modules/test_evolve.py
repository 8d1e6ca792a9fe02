from typing import Any

import pytest
from golden import cases, check
from scripted import Scripted, work_of

from modules.evolve import ScenarioEvolution
from signatures.records import Scenario


@pytest.mark.parametrize("case", cases("evolve"))
async def test_golden_cases(case: dict[str, Any]) -> None:
    await check(case)


async def test_each_evolution_of_a_scenario_is_a_question_of_its_own() -> None:
    scenarios = ["repairing a bicycle", "planning a family dinner", "checking a phone bill"]
    engine = Scripted(*[{"new_scenario": text} for text in scenarios])
    await ScenarioEvolution(per_scenario=3).aforward(Scenario.derive(None, text="booking flights"), work_of(engine))
    assert len({request.config.seed for request in engine.requests}) == 3
    assert len(set(engine.prompts())) > 1  # the directions are drawn one by one
