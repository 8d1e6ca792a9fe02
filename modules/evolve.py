"""Scenario evolution: an entirely different, realistic situation from a given one (paper, section 3.1)."""

import dspy
from pydantic import NonNegativeInt, validate_call

from button.checks.wording import scenario_problems
from button.errors import NoUsableAnswer
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from modules.details import direction
from signatures.records import Drop, Outcome, Scenario
from signatures.scenario import EvolveScenario


class ScenarioEvolution(dspy.Module):
    """Adds `per_scenario` evolved scenarios to each, or replaces it by them (`keep_original=False`).

    An evolution that fails is counted among the drops, also where the original goes on.
    """

    takes = Scenario
    gives = Scenario

    @validate_call
    def __init__(
        self, per_scenario: NonNegativeInt = 1, keep_original: bool = True, demos: NonNegativeInt = 2, tries: int = 3
    ) -> None:
        super().__init__()
        self.per_scenario = per_scenario
        self.keep_original = keep_original
        self.ask = shipped(Ask(EvolveScenario, role="evolve", tries=tries, temperature=0.9, max_tokens=60), demos)

    async def aforward(self, record: Scenario, work: Work) -> Outcome:
        kept = [record] if self.keep_original else []
        failed: list[Drop] = []
        for index in range(self.per_scenario):
            try:
                kept.append(await self._evolved(record, work, index))
            except NoUsableAnswer as error:
                failed.append(Drop(reason=error.reason, detail=error.detail))
        if not kept:
            drop = failed.pop() if failed else Drop(reason="nothing_evolved")
        work.losses.extend(failed)
        return tuple(kept) if kept else drop

    async def _evolved(self, record: Scenario, work: Work, index: int) -> Scenario:
        def problems(found: dspy.Prediction) -> list[str]:
            if found.new_scenario.strip().lower() == record.text.strip().lower():
                return [f"'{found.new_scenario}' is the situation you were given; invent a different one"]
            return scenario_problems(found.new_scenario)

        inputs = {"scenario": record.text, "direction": direction(work.random("direction", index))}
        answer = await self.ask.aforward(work, inputs=inputs, check=problems, label=str(index))
        return Scenario.derive(record, text=answer.new_scenario.strip(), evolved=True)
