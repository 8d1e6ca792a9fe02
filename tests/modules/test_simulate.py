"""Covers whole plays of one problem; the assistant's rules one by one are in test_play_assistant."""

import asyncio
import json
from typing import Any

import pytest
from dspy import lm15
from pydantic import ValidationError
from scripted import MemoryLedger, Said, Scripted, schema_of, signature_of, work_of
from strategies import weather_example

from button.errors import NoUsableAnswer
from button.export.button_text import RULES
from modules.simulate import Simulation
from signatures.records import AssistantTurn, Call, Drop, Problem, Result, ToolTurn, Trajectory, UserTurn

PROBLEM = weather_example().trajectory.problem
MESSAGE = "I want seats to the warmer of Oslo and Rome on Friday. Please find the temperatures and book."
TEMPERATURES = {"Oslo": -3.5, "Rome": 18.25}
FINAL = "Rome is warmer with 18.25 degrees against -3.5; your booking is ZB-77."


def forecast(city: str, **more: Any) -> dict[str, Any]:
    return {"name": "get_forecast", "arguments": {"city": city, "day": "Friday", **more}}


TICKET: dict[str, Any] = {"name": "book_ticket", "arguments": {"city": "Rome"}}


def turn(*calls: dict[str, Any], final: str = "") -> dict[str, Any]:
    return {"thought": "So it is.", "calls": list(calls), "final_answer": final}


SERIAL: list[Said] = [turn(forecast("Oslo")), turn(forecast("Rome")), turn(TICKET), turn(final=FINAL)]
PARALLEL: list[Said] = [turn(forecast("Oslo"), forecast("Rome")), turn(TICKET), turn(final=FINAL)]


def call_in(request: lm15.Request) -> dict[str, Any]:
    """The call that a tool agent is asked to answer."""
    asked: dict[str, Any] = json.loads(
        str(request.messages[-1].text).partition("[[ ## call ## ]]\n")[2].partition("\n\n")[0]
    )
    return asked


def tool(request: lm15.Request) -> Said:
    call = call_in(request)
    if call["name"] == "book_ticket":
        return {"result": {"booking": "ZB-77"}}
    return {"result": {"temperature": TEMPERATURES[call["arguments"]["city"]]}}


def players(assistant: list[Said], **others: Any) -> Scripted:
    usual: dict[str, Any] = {"PlayUser": [{"message": MESSAGE}], "PlayAssistant": list(assistant), "PlayTool": tool}
    return Scripted(**{**usual, **others})


async def play(engine: Scripted, **settings: Any) -> Trajectory | Drop:
    where = {name: settings.pop(name) for name in ("record", "ledger") if name in settings}
    outcome = await Simulation(**settings).aforward(PROBLEM, work_of(engine, **where))
    if isinstance(outcome, Drop):
        return outcome
    (trajectory,) = outcome
    assert isinstance(trajectory, Trajectory)
    return trajectory


def asked(engine: Scripted, signature: str) -> list[lm15.Request]:
    return [request for request in engine.requests if signature_of(request) == signature]


# The play


async def test_three_agents_play_a_problem_into_a_transcript() -> None:
    engine = players(PARALLEL)
    trajectory = await play(engine, parallel="on")
    assert isinstance(trajectory, Trajectory)
    assert trajectory.problem is PROBLEM
    assert (trajectory.parent, trajectory.parallel) == (PROBLEM.id, True)
    both, book = [Call(**forecast(city)) for city in TEMPERATURES], Call(**TICKET)
    assert trajectory.turns == (
        UserTurn(content=MESSAGE),
        AssistantTurn(thought="So it is.", calls=tuple(both)),
        ToolTurn(
            results=tuple(
                Result(name=c.name, arguments=c.arguments, results={"temperature": TEMPERATURES[c.arguments["city"]]})
                for c in both
            )
        ),
        AssistantTurn(thought="So it is.", calls=(book,)),
        ToolTurn(results=(Result(name=book.name, arguments=book.arguments, results={"booking": "ZB-77"}),)),
        AssistantTurn(thought="So it is.", final=FINAL),
    )
    assert len(engine.requests) == 1 + 3 + 3


async def test_each_agent_sees_its_own_view() -> None:
    engine = players(SERIAL)
    await play(engine, parallel="off")
    (user,) = engine.prompts("PlayUser")
    assert user == f"[[ ## need ## ]]\n{PROBLEM.composition.task}"
    first = engine.prompts("PlayTool")[0]
    assert '"name":"get_forecast"' in first
    assert "book_ticket" not in first
    assert MESSAGE not in first
    first = engine.prompts("PlayAssistant")[0]
    assert MESSAGE in first
    assert PROBLEM.composition.task not in first
    assert "(needs 1, 2) [functions: book_ticket]" in first


async def test_a_message_that_loses_a_detail_is_asked_for_again() -> None:
    engine = players(SERIAL, PlayUser=[{"message": "Book me seats to the warmer city."}, {"message": MESSAGE}])
    assert isinstance(await play(engine, parallel="off"), Trajectory)
    assert "your message leaves out 'Oslo'" in engine.prompts("PlayUser")[1]


# Parallel calls


async def test_where_parallel_is_off_no_turn_ever_has_two_calls() -> None:
    engine = players([PARALLEL[0], *SERIAL])
    trajectory = await play(engine, parallel="off")
    assert isinstance(trajectory, Trajectory)
    assert not trajectory.parallel
    assert [len(turn.calls) for turn in trajectory.turns if isinstance(turn, AssistantTurn)] == [1, 1, 1, 0]
    assert "2 calls in one turn; call one function at a time" in engine.prompts("PlayAssistant")[1]
    for request in asked(engine, "PlayAssistant"):
        assert schema_of(request)["properties"]["calls"]["maxItems"] <= 1


async def test_mixed_draws_the_rule_for_each_row_and_tells_it_to_the_assistant() -> None:
    drawn = []
    for number in range(30):
        engine = players(SERIAL)
        trajectory = await play(engine, record=str(number))
        assert isinstance(trajectory, Trajectory)
        assert RULES[trajectory.parallel] in engine.prompts("PlayAssistant")[0]
        again = await play(players(SERIAL), record=str(number))
        assert again == trajectory
        drawn.append(trajectory.parallel)
    assert 5 < sum(drawn) < 25


# Tools


async def test_a_tool_is_asked_only_after_its_call_has_passed_the_check() -> None:
    wrong = [turn(forecast("Oslo", unit="kelvin")), turn({"name": "get_weather", "arguments": {}})]
    engine = players([*wrong, *SERIAL])
    assert isinstance(await play(engine, parallel="off"), Trajectory)
    assert [signature_of(request) for request in engine.requests[:5]] == [
        "PlayUser", "PlayAssistant", "PlayAssistant", "PlayAssistant", "PlayTool"
    ]  # fmt: skip
    assert [call_in(request) for request in asked(engine, "PlayTool")] == [forecast("Oslo"), forecast("Rome"), TICKET]


async def test_a_tools_answer_fits_its_definition_or_is_asked_for_again() -> None:
    answers: list[Said] = [{"result": {"temperature": "cold"}}, {"result": {"temperature": -3.5}}]
    engine = players(SERIAL, PlayTool=lambda request: answers.pop(0) if answers else tool(request))
    assert isinstance(await play(engine, parallel="off"), Trajectory)
    assert "field 'temperature' is 'cold' (string), its schema wants a number" in engine.prompts("PlayTool")[1]
    schema = schema_of(asked(engine, "PlayTool")[0])["properties"]["result"]
    assert schema == {
        "type": "object",
        "properties": PROBLEM.functions[0].responses,
        "required": ["temperature"],
        "additionalProperties": False,
    }


async def test_the_same_call_gets_the_same_answer_without_another_question() -> None:
    def moody(request: lm15.Request) -> Said:
        return {"result": {"temperature": len(asked(engine, "PlayTool"))}}

    engine = Scripted(PlayTool=moody)
    known: dict[str, Result] = {}
    work = work_of(engine)
    calls = (Call(**forecast("Oslo")), Call(**forecast("oslo ")), Call(**forecast("Rome")))
    first = await Simulation()._round(PROBLEM, calls, known, work)
    again = await Simulation()._round(PROBLEM, (calls[1],), known, work)
    assert [result.results["temperature"] for result in first.results] == [1, 1, 2]
    assert again.results == (Result(name="get_forecast", arguments=calls[1].arguments, results={"temperature": 1}),)
    assert len(engine.requests) == 2


async def test_a_tool_that_fails_drops_the_row_only_when_the_others_of_its_round_are_done() -> None:
    class Uneven(Scripted):
        async def complete(self, request: lm15.Request) -> lm15.Response:
            if signature_of(request) == "PlayTool" and call_in(request)["arguments"]["city"] == "Rome":
                await asyncio.sleep(0.05)
            return await super().complete(request)

    def failing(request: lm15.Request) -> Said:
        return "no JSON" if call_in(request)["arguments"]["city"] == "Oslo" else tool(request)

    engine = Uneven(PlayUser=[{"message": MESSAGE}], PlayAssistant=list(PARALLEL), PlayTool=failing)
    ledger = MemoryLedger()
    with pytest.raises(NoUsableAnswer) as caught:
        await play(engine, parallel="on", tries=2, ledger=ledger)
    assert caught.value.reason == "unparsable"
    assert len(ledger.kept) == len(engine.requests) == 1 + 1 + 2 + 1


# Ends


async def test_a_play_without_end_is_dropped_at_the_turn_limit() -> None:
    for limit, reason in ((3, "turn_limit"), (4, None)):
        played = await play(players(SERIAL), parallel="off", turn_limit=limit)
        assert getattr(played, "reason", None) == reason
    assert isinstance(played, Trajectory)


async def test_turns_that_stay_wrong_give_up_the_row() -> None:
    engine = players([turn(final=FINAL)] * 3)
    with pytest.raises(NoUsableAnswer) as caught:
        await play(engine, parallel="off", tries=3)
    assert caught.value.reason == "invalid"
    assert "not done yet, still to be called: get_forecast" in caught.value.detail
    assert len(asked(engine, "PlayAssistant")) == 3


# Samples


async def test_the_action_that_most_samples_agree_on_is_taken() -> None:
    oslo, rome = turn(forecast("Oslo")), turn(forecast("Rome"))
    samples: list[Said] = [oslo, rome, oslo, rome, rome, rome, *[turn(TICKET)] * 3, *[turn(final=FINAL)] * 3]
    engine = players(samples)
    trajectory = await play(engine, parallel="off", samples=3)
    assert isinstance(trajectory, Trajectory)
    cities = [
        turn.calls[0].arguments["city"]
        for turn in trajectory.turns[1::2]
        if isinstance(turn, AssistantTurn) and turn.calls
    ]
    assert cities == ["Oslo", "Rome", "Rome"]
    seeds = [request.config.seed for request in asked(engine, "PlayAssistant")]
    assert len(set(seeds)) == len(seeds) == 12


async def test_without_a_majority_the_row_is_dropped_as_inconsistent() -> None:
    engine = players([turn(forecast("Oslo")), turn(forecast("Rome"))])
    drop = await play(engine, parallel="off", samples=2)
    assert isinstance(drop, Drop)
    assert drop.reason == "inconsistent_action"
    assert drop.detail.startswith("1 of 2 samples agree on ")
    assert not asked(engine, "PlayTool")


async def test_when_every_sample_fails_the_row_is_dropped_for_that() -> None:
    with pytest.raises(NoUsableAnswer) as caught:
        await play(players(["no JSON"] * 3), parallel="off", samples=3, tries=1)
    assert caught.value.reason == "unparsable"


@pytest.mark.parametrize("wrong", [{"parallel": "maybe"}, {"samples": 0}, {"turn_limit": 0}, {"tool_temperature": 3}])
def test_a_setting_outside_its_range_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Simulation(**wrong)


def test_the_problem_of_these_plays_is_as_it_reads() -> None:
    assert isinstance(PROBLEM, Problem)
    assert [function.name for function in PROBLEM.functions] == ["get_forecast", "book_ticket"]
