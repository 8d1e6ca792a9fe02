"""Covers the shape that an assistant's turn is decoded under, for models of every size."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import jsonschema_rs
from playing import FORECAST, PROBLEM, USER, answered, calling, forecast
from scripted import Scripted, Small, schema_of, work_of

from button.errors import NoUsableAnswer
from button.lms.schema import is_closed
from modules.play_assistant import AssistantAgent
from modules.turn_schema import CLOSINGS, turn_schema
from signatures.records import (
    AssistantTurn,
    Call,
    Result,
    ToolTurn,
    Turn,
    UserTurn,
)


def fits(schema: dict[str, Any], said: dict[str, Any]) -> bool:
    return bool(jsonschema_rs.validator_for(schema).is_valid(said))


def said(*calls: Call, final_answer: str = "") -> dict[str, Any]:
    return {"thought": "t", "calls": [call.model_dump() for call in calls], "final_answer": final_answer}


async def asked_schema(turns: Sequence[Turn], *, parallel: bool, follow_plan: bool = True) -> dict[str, Any]:
    """The schema under which the agent is asked for the turn after `turns`."""
    engine = Scripted(PlayAssistant=lambda _: said(final_answer="x"))
    agent = AssistantAgent(tries=1, temperature=0.2, samples=1, follow_plan=follow_plan)
    with suppress(NoUsableAnswer):  # the answer is none; only the question counts here
        await agent.aforward(PROBLEM, tuple(turns), parallel, work_of(engine))
    schema: dict[str, Any] = schema_of(engine.requests[0])
    return schema


async def test_under_the_schema_only_what_is_offered_can_be_called_with_its_own_arguments() -> None:
    schema = await asked_schema([USER], parallel=False)
    assert fits(schema, said(forecast("Oslo")))
    assert fits(schema, said(forecast("Oslo", unit="celsius")))
    assert not fits(schema, said(Call(name="book_ticket", arguments={"city": "Rome"})))
    assert not fits(schema, said(forecast("Oslo", unit="kelvin")))
    assert not fits(schema, said(forecast("Oslo", seats=["4A"])))
    assert not fits(schema, said(Call(name="get_forecast", arguments={"city": "Oslo"})))


async def test_under_the_schema_there_is_no_answer_before_the_plan_is_done_and_no_call_after() -> None:
    schema = await asked_schema([USER], parallel=True)
    assert not fits(schema, said(final_answer="Rome."))
    assert not fits(schema, said(forecast("Oslo"), final_answer="Rome."))
    ticket = Call(name="book_ticket", arguments={"city": "Rome"})
    done = [USER, *answered(forecast("Oslo"), forecast("Rome")), *answered(ticket)]
    schema = await asked_schema(done, parallel=True)
    assert fits(schema, said(final_answer="Rome."))
    assert not fits(schema, said(forecast("Bergen")))


async def test_under_the_schema_there_are_as_many_calls_at_once_as_sub_tasks_are_ready_or_one() -> None:
    two = said(forecast("Oslo"), forecast("Rome"))
    assert fits(await asked_schema([USER], parallel=True), two)
    assert not fits(await asked_schema([USER], parallel=False), two)
    assert not fits(await asked_schema([USER, *answered(forecast("Oslo"))], parallel=True), two)


async def test_without_a_plan_the_schema_leaves_calls_and_answer_open() -> None:
    schema = await asked_schema([USER], parallel=True, follow_plan=False)
    for turn in (
        said(final_answer="x"),
        said(forecast("Oslo")),
        said(Call(name="book_ticket", arguments={"city": "R"})),
    ):
        assert fits(schema, turn)


# A small model


async def asked_of_small(turns: Sequence[Turn], *, parallel: bool = False) -> dict[str, Any]:
    engine = Small(PlayAssistant=lambda _: said())
    agent = AssistantAgent(tries=1, temperature=0.2, samples=1, follow_plan=True)
    with suppress(NoUsableAnswer):
        await agent.aforward(PROBLEM, tuple(turns), parallel, work_of(engine))
    schema: dict[str, Any] = schema_of(engine.requests[0])
    return schema


def thinking(thought: str, *calls: Call, final_answer: str = "") -> dict[str, Any]:
    return {**said(*calls, final_answer=final_answer), "thought": thought}


PLAN = "To book the ticket, I need the forecasts first."


async def test_a_small_model_copies_an_argument_from_the_details_of_its_kind() -> None:
    asks = UserTurn(content="Book me a ticket to the warmer of Osaka and Porto on Friday, 3 May 2027.")
    schema = await asked_of_small([asks])
    assert fits(schema, thinking(PLAN, forecast("Porto")))
    assert not fits(schema, thinking(PLAN, forecast("Porto on Friday")))
    assert not fits(schema, thinking(PLAN, forecast("3 May 2027")))


async def test_a_small_model_copies_a_result_into_the_argument_of_its_name() -> None:
    calls = (forecast("Oslo"), forecast("Porto"))
    results = tuple(Result(name=call.name, arguments=call.arguments, results={"city": "Porto"}) for call in calls)
    schema = await asked_of_small([USER, calling(*calls), ToolTurn(results=results)])
    ticket = Call(name="book_ticket", arguments={"city": "Porto"})
    assert fits(schema, thinking("The warmer city is Porto.", ticket))
    assert not fits(schema, thinking("The warmer city is Porto.", Call(name="book_ticket", arguments={"city": "Oslo"})))


async def test_a_small_model_makes_all_calls_that_are_ready_at_once_where_that_is_allowed() -> None:
    schema = await asked_of_small([USER], parallel=True)
    assert not fits(schema, thinking(PLAN, forecast("Oslo")))
    assert fits(schema, thinking(PLAN, forecast("Oslo"), forecast("Rome")))
    assert fits(await asked_of_small([USER], parallel=False), thinking(PLAN, forecast("Oslo")))


async def test_the_last_thought_of_a_small_model_is_a_closing_and_its_answer_is_bounded() -> None:
    ticket = Call(name="book_ticket", arguments={"city": "Rome"})
    done = [USER, *answered(forecast("Oslo"), forecast("Rome")), *answered(ticket)]
    schema = await asked_of_small(done)
    answer = "Rome is warmer with 18.25 degrees."
    (closing,) = [closing for closing in CLOSINGS if fits(schema, thinking(closing, final_answer=answer))]
    assert not fits(schema, thinking(answer, final_answer=answer))
    assert not fits(schema, thinking(closing, final_answer=""))
    assert not fits(schema, thinking(closing, final_answer=f"{'Rome is warm and ' * 40}sunny."))


async def test_a_thought_of_a_small_model_that_tells_a_result_nobody_gave_is_asked_again() -> None:
    invented = thinking("To book it: Rome has 31.7 degrees.", forecast("Oslo"))
    engine = Small(invented, thinking(PLAN, forecast("Oslo")))
    agent = AssistantAgent(tries=2, temperature=0.2, samples=1, follow_plan=True)
    turn = await agent.aforward(PROBLEM, (USER,), False, work_of(engine))
    assert isinstance(turn, AssistantTurn)
    assert turn.thought == PLAN
    assert len(engine.requests) == 2


def test_a_turn_without_optional_arguments_is_asked_for_strictly() -> None:
    every = FORECAST.model_copy(update={"required": tuple(FORECAST.parameters)})
    assert is_closed(turn_schema([every], most=1, least=1))
    assert is_closed(turn_schema([], most=1, least=0))
    assert not is_closed(turn_schema([FORECAST], most=1, least=1))
