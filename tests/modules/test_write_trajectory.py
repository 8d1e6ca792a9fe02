import copy
from typing import Any

import jsonschema_rs
import pytest
from dspy.lm15 import Request
from journeys import journey
from scripted import Said, Scripted, schema_of, work_of

from button.checks.gate import TrajectoryGate
from button.errors import NoUsableAnswer
from modules.write_trajectory import TrajectoryWriting, transcript
from signatures.records import AssistantTurn, Drop, Example, ToolTurn, Trajectory, UserTurn

JOURNEY = journey()
PROBLEM = JOURNEY.problem


def written(trajectory: Trajectory) -> dict[str, Any]:
    """A trajectory as a model writes it in one go."""
    message, *between, last = trajectory.turns
    assert isinstance(message, UserTurn)
    assert isinstance(last, AssistantTurn)
    rounds = []
    for spoken, heard in zip(between[::2], between[1::2], strict=True):
        assert isinstance(spoken, AssistantTurn)
        assert isinstance(heard, ToolTurn)
        calls = [result.model_dump(mode="json") for result in heard.results]
        rounds.append({"thought": spoken.thought, "calls": calls})
    return {
        "message": message.content,
        "rounds": rounds,
        "last_thought": last.thought,
        "final_answer": last.final,
    }


GOOD = written(JOURNEY)


async def played(step: TrajectoryWriting, *script: Said) -> tuple[Trajectory, Scripted]:
    engine = Scripted(*script)
    outcome = await step.aforward(PROBLEM, work_of(engine))
    assert isinstance(outcome, tuple)
    assert isinstance(outcome[0], Trajectory)
    return outcome[0], engine


async def test_one_call_makes_a_transcript_that_the_gate_lets_pass() -> None:
    made, engine = await played(TrajectoryWriting(parallel="on", demos=0), GOOD)
    assert (made.turns, made.parallel, len(engine.requests)) == (JOURNEY.turns, True, 1)
    outcome = await TrajectoryGate().aforward(made, None)
    assert isinstance(outcome, tuple)
    assert isinstance(outcome[0], Example)


async def test_a_call_that_does_not_fit_its_function_is_asked_again_with_the_problem() -> None:
    bad = copy.deepcopy(GOOD)
    bad["rounds"][0]["calls"][0]["name"] = "no_such_function"
    made, engine = await played(TrajectoryWriting(parallel="on"), bad, GOOD)
    assert made.turns == JOURNEY.turns
    assert "'no_such_function' is not defined" in engine.prompts()[1]


async def test_several_calls_in_a_round_are_no_transcript_where_one_at_a_time_is_the_rule() -> None:
    with pytest.raises(NoUsableAnswer, match="one at a time was the rule"):
        await played(TrajectoryWriting(parallel="off", tries=1), GOOD)


async def test_too_many_rounds_are_asked_again() -> None:
    with pytest.raises(NoUsableAnswer, match="write at most 1"):
        await played(TrajectoryWriting(parallel="on", turn_limit=2, tries=1), GOOD)


async def test_what_the_form_cannot_tell_is_left_to_the_gate() -> None:
    invented = {**GOOD, "final_answer": "All is booked for 98765 dollars."}
    made, engine = await played(TrajectoryWriting(parallel="on"), invented)
    assert len(engine.requests) == 1
    assert isinstance(await TrajectoryGate().aforward(made, None), Drop)


async def test_a_constrained_decoder_can_write_nothing_but_fitting_calls_and_results() -> None:
    def speak(request: Request) -> Said:
        schema = schema_of(request)
        assert jsonschema_rs.is_valid(schema, GOOD)
        for part, value in (("name", "other"), ("arguments", {"x": 1}), ("results", {})):
            bad = copy.deepcopy(GOOD)
            bad["rounds"][0]["calls"][0][part] = value
            assert not jsonschema_rs.is_valid(schema, bad)
        return GOOD

    engine = Scripted(WriteTrajectory=speak)
    await TrajectoryWriting(parallel="on").aforward(PROBLEM, work_of(engine))
    assert len(engine.requests) == 1


def test_a_round_without_calls_stays_visible_as_a_broken_order() -> None:
    class Answer:
        message, last_thought, final_answer = "Hello.", "Done.", "Done."
        rounds = ()

    assert [turn.role for turn in transcript(Answer())] == ["user", "assistant"]
