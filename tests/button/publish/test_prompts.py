from pathlib import Path
from typing import Any

import pytest

from button.programs import PredictorState, Program, program_of, save
from button.publish.prompts import prompts_of
from button.targets import build

NAMING = {"_target_": "modules.scenario.ScenarioExtraction"}
GATE = {"_target_": "button.checks.gate.TrajectoryGate"}


def test_a_prompt_is_what_the_step_asks() -> None:
    (prompt,) = prompts_of({"steps": {"scenario": NAMING, "gate": GATE}}, Path()).known

    assert (prompt.step, prompt.role, prompt.signature) == ("scenario", "scenario", "NameScenario")
    assert prompt.instructions.startswith("Name the everyday situation behind this text.")
    assert (prompt.inputs, prompt.demos, prompt.tuned) == (("text",), 2, False)


def test_the_arguments_of_a_step_count_and_a_prompt_stands_once() -> None:
    steps = {"scenario": {**NAMING, "demos": 0}, "again": {**NAMING, "demos": 0, "after": "scenario"}}
    (prompt,) = prompts_of({"steps": steps}, Path()).known
    assert prompt.demos == 0
    assert prompt.fingerprint != prompts_of({"steps": {"scenario": NAMING}}, Path()).known[0].fingerprint


@pytest.mark.parametrize(
    "step", [{"_target_": "my_pkg.MyStep", "key": "x"}, {**NAMING, "no_such": 1}, {"_target_": "modules.gone.Step"}]
)
def test_a_step_that_cannot_be_built_tells_nothing_and_is_named(step: dict[str, Any]) -> None:
    found = prompts_of({"steps": {"mine": step, "gate": GATE}}, Path())
    assert (found.known, found.untold) == ((), ("mine",))


def test_a_tuned_prompt_is_the_one_that_the_run_kept(tmp_path: Path) -> None:
    program = program_of("scenario", build(NAMING, "steps.scenario"))
    states = {
        name: PredictorState(fields=state.fields, instructions="Say what they do.", demos=())
        for name, state in program.predictors.items()
    }
    save(Program(step="scenario", predictors=states), tmp_path / "programs" / "scenario.json")
    config = {"steps": {"scenario": NAMING}, "programs": {"scenario": "its hash"}}

    (prompt,) = prompts_of(config, tmp_path).known

    assert (prompt.instructions, prompt.demos, prompt.tuned) == ("Say what they do.", 0, True)
    (tmp_path / "programs" / "scenario.json").unlink()
    assert prompts_of(config, tmp_path).untold == ("scenario",)
