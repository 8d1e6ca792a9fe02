"""Scenario extraction: what everyday situation is behind a seed (paper, section 3.1)."""

import dspy
from pydantic import NonNegativeInt, validate_call

from button.checks.wording import scenario_problems
from button.work import Work
from modules.ask import Ask
from modules.demos import shipped
from signatures.records import Outcome, Scenario, Seed
from signatures.scenario import NameScenario


class ScenarioExtraction(dspy.Module):
    """One call a conversation or query; a seed that already is a scenario phrase passes without one."""

    takes = Seed
    gives = Scenario

    @validate_call
    def __init__(self, demos: NonNegativeInt = 2, tries: int = 3) -> None:
        super().__init__()
        self.ask = shipped(Ask(NameScenario, role="scenario", tries=tries, max_tokens=60), demos)

    async def aforward(self, record: Seed, work: Work) -> Outcome:
        if record.form == "scenario":
            return (Scenario.derive(record, text=record.text, domain=record.domain),)
        answer = await self.ask.aforward(
            work, inputs={"text": record.text}, check=lambda found: scenario_problems(found.scenario)
        )
        return (Scenario.derive(record, text=answer.scenario.strip(), domain=record.domain),)
