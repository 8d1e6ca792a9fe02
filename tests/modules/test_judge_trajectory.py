from typing import Any

import pytest
from scripted import Scripted, work_of
from strategies import weather_example

from modules.judge_trajectory import TrajectoryJudge, transcript
from signatures.records import Drop, Example, Outcome

POOR = {"analysis": "It repeats itself.", "arguments": "yes", "results": "yes", "needed": "yes", "answer": "no"}
GOOD = {**POOR, "analysis": "All is well.", "answer": "yes"}


async def judged(*answers: dict[str, str], **settings: Any) -> tuple[Outcome, Scripted]:
    engine = Scripted(*answers)
    return await TrajectoryJudge(**settings).aforward(example(), work_of(engine)), engine


def example() -> Example:
    return weather_example()


async def test_what_the_judge_finds_good_stays_as_it_is() -> None:
    outcome, engine = await judged(GOOD)
    assert outcome == (example(),)
    assert len(engine.requests) == 1


async def test_what_the_judge_finds_poor_is_dropped_with_the_criterion_and_the_analysis() -> None:
    outcome, _ = await judged(POOR)
    assert outcome == Drop(reason="judged_poor", detail="not met: answer. It repeats itself.")


@pytest.mark.parametrize(("allowed", "kept"), [(0, False), (1, True)])
async def test_as_many_criteria_may_be_missed_as_allowed(allowed: int, kept: bool) -> None:
    outcome, _ = await judged(POOR, allowed=allowed)
    assert isinstance(outcome, tuple) is kept


async def test_the_judge_reads_definitions_calls_results_and_the_answer() -> None:
    _, engine = await judged(GOOD)
    prompt = engine.prompts()[0]
    for function in example().trajectory.problem.functions:
        assert f'"name":"{function.name}"' in prompt
    assert transcript(example().trajectory.turns) in prompt


def test_a_transcript_has_a_line_for_everything_said_called_or_returned() -> None:
    lines = transcript(example().trajectory.turns).splitlines()
    assert lines[0].startswith("person: ")
    assert lines[-1].startswith("final answer: ")
    calls = [line.removeprefix("call: ").split(" ")[0] for line in lines if line.startswith("call: ")]
    results = [line.removeprefix("result: ").split(" ")[0] for line in lines if line.startswith("result: ")]
    assert calls == results != []
