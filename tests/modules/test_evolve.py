from typing import Any

import pytest
from golden import cases, check
from scripted import Scripted, Truncated, work_of

from modules.evolve import ScenarioEvolution
from signatures.records import Drop, Scenario


@pytest.mark.parametrize("case", cases("evolve"))
async def test_golden_cases(case: dict[str, Any]) -> None:
    await check(case)


async def test_each_evolution_of_a_scenario_is_a_question_of_its_own() -> None:
    scenarios = ["repairing a bicycle", "planning a family dinner", "checking a phone bill"]
    engine = Scripted(*[{"new_scenario": text} for text in scenarios])
    await ScenarioEvolution(per_scenario=3).aforward(Scenario.derive(None, text="booking flights"), work_of(engine))
    assert len({request.config.seed for request in engine.requests}) == 3
    assert len(set(engine.prompts())) > 1  # the directions are drawn one by one


async def test_an_evolution_that_fails_is_a_loss_also_where_the_original_goes_on() -> None:
    original = Scenario.derive(None, text="booking flights")
    engine = Scripted({"new_scenario": "repairing a bicycle"}, "no JSON", {"new_scenario": "checking a phone bill"})
    work = work_of(engine)
    outcome = await ScenarioEvolution(per_scenario=3, tries=1).aforward(original, work)
    assert [record.text for record in outcome] == ["booking flights", "repairing a bicycle", "checking a phone bill"]  # type: ignore[union-attr]
    assert [loss.reason for loss in work.losses] == ["unparsable"]
    assert "no valid JSON" in work.losses[0].detail


async def test_where_nothing_is_left_one_failure_is_the_drop_and_the_others_are_losses() -> None:
    work = work_of(Scripted("no JSON", Truncated("{")))
    evolution = ScenarioEvolution(per_scenario=2, keep_original=False, tries=1)
    outcome = await evolution.aforward(Scenario.derive(None, text="booking flights"), work)
    assert isinstance(outcome, Drop)
    assert [outcome.reason, *(loss.reason for loss in work.losses)] == ["truncated", "unparsable"]
