"""Covers the assistant agent's parts: what it sees, what it may call when, which turns count. Plays: test_simulate."""

from collections.abc import Sequence
from typing import Any

import dspy
import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playing import PROBLEM, USER, answered, calling, forecast
from scripted import Scripted, schema_of, work_of

from button.export.button_text import RULES
from modules.play_assistant import AssistantAgent, majority, offer, ready, turn_problems, view
from signatures.records import (
    AssistantTurn,
    Call,
    Composition,
    Drop,
    Function,
    Problem,
    SubTask,
    Turn,
)


def final(text: str = "Rome is warmer with 18.25 degrees.") -> AssistantTurn:
    return AssistantTurn(thought="All is known.", final=text)


def problem(*sub_tasks: tuple[str, Sequence[int]]) -> Problem:
    """A problem from `("a b", [0])`: the functions of each sub-task, and what it depends on."""
    names = list(dict.fromkeys(name for uses, _ in sub_tasks for name in uses.split()))
    plan = tuple(SubTask(task=f"Do {i}.", depends_on=tuple(needs)) for i, (_, needs) in enumerate(sub_tasks))
    composition = Composition.derive(None, scenario="s", task="Do all.", strategy="sequential", sub_tasks=plan)
    functions = tuple(Function(name=name, description="Does it.", parameters={}, responses={}) for name in names)
    uses = tuple(tuple(uses.split()) for uses, _ in sub_tasks)
    return Problem.derive(composition, composition=composition, functions=functions, uses=uses)


def offered(made: Problem, called: str) -> list[str]:
    """What is offered after these calls, one a round."""
    turns = [turn for name in called.split() for turn in answered(Call(name=name, arguments={}))]
    return [function.name for function in offer(made, [USER, *turns])]


# What it may call


@pytest.mark.parametrize(
    ("sub_tasks", "called", "expected"),
    [
        ([("a", []), ("b", [0])], "", "a"),
        ([("a", []), ("b", [0])], "a", "b"),
        ([("a", []), ("b", [0])], "a b", ""),
        ([("a", []), ("b", []), ("c", [0, 1])], "", "a b"),
        ([("a", []), ("b", []), ("c", [0, 1])], "b", "a"),
        ([("a", []), ("b", []), ("c", [0, 1])], "b a", "c"),
        ([("a b", []), ("c", [0])], "", "a b"),
        ([("a b", []), ("c", [0])], "a", "b"),
        ([("a", []), ("", [0]), ("c", [1])], "", "a"),
        ([("a", []), ("", [0]), ("c", [1])], "a", "c"),
        ([("", []), ("b", [0])], "", "b"),
        ([("a", []), ("", [0])], "a", ""),
        ([("a", []), ("a", []), ("c", [0, 1])], "", "a"),
        ([("a", []), ("a", []), ("c", [0, 1])], "a", "a"),
        ([("a", []), ("a", []), ("c", [0, 1])], "a a", "c"),
        ([("a", []), ("a", [0])], "a", "a"),
        ([("a", []), ("a", [0])], "a a", ""),
        ([("a", []), ("b", [0])], "a a", "b"),
        ([("a", []), ("b", [0]), ("c", [1]), ("d", [0])], "a", "b d"),
    ],
)
def test_functions_are_offered_in_the_order_of_the_plan(
    sub_tasks: list[tuple[str, list[int]]], called: str, expected: str
) -> None:
    assert offered(problem(*sub_tasks), called) == expected.split()


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    count = draw(st.integers(1, 5))
    names = st.lists(st.sampled_from("abcd"), unique=True, max_size=2).map(" ".join)
    needs = [sorted(draw(st.sets(st.integers(0, i - 1), max_size=2))) if i else [] for i in range(count)]
    return problem(*((draw(names), needs[i]) for i in range(count)))


@given(problems(), st.data())
def test_whoever_calls_what_is_offered_comes_to_the_end_of_the_plan(made: Problem, data: st.DataObject) -> None:
    called: list[str] = []
    while names := offered(made, " ".join(called)):
        called.append(data.draw(st.sampled_from(names)))
    assert sorted(called) == sorted(name for uses in made.uses for name in uses)


@given(problems())
def test_nothing_is_offered_that_needs_what_is_still_to_be_called(made: Problem) -> None:
    free = {name for part, uses in zip(made.composition.sub_tasks, made.uses, strict=True) for name in uses
            if not any(made.uses[earlier] for earlier in part.depends_on)}  # fmt: skip
    assert set(offered(made, "")) <= free


# What it sees


def test_its_first_view_is_the_plan_the_rule_and_the_message() -> None:
    seen = view(PROBLEM, [USER], parallel=True, with_state=True)
    assert seen["sub_tasks"] == (
        "1. Find Friday's temperature in Oslo. [functions: get_forecast]\n"
        "2. Find Friday's temperature in Rome. [functions: get_forecast]\n"
        "3. Book seats to the warmer city. (needs 1, 2) [functions: book_ticket]"
    )
    assert seen["functions"].startswith('[{"description":"Gives the temperature of a city on a day.","name":"get_forec')
    assert seen["rule"] == RULES[True]
    assert seen["observation"] == USER.content
    assert seen["history"].messages == []
    assert seen["state"] == "to be called now: get_forecast"
    without = view(PROBLEM, [USER], parallel=False, with_state=False)
    assert without["rule"] == RULES[False]
    assert "state" not in without


def test_later_it_sees_its_own_turns_and_the_results_and_the_plan_once() -> None:
    turns = [USER, *answered(forecast("Oslo")), *answered(forecast("Rome"))]
    seen = view(PROBLEM, turns, parallel=False, with_state=True)
    assert seen.keys() == {"observation", "state", "history"}
    assert seen["state"] == "to be called now: book_ticket"
    assert seen["observation"] == (
        '[{"arguments":{"city":"Rome","day":"Friday"},"name":"get_forecast","results":{"temperature":18.25}}]'
    )
    first, second = seen["history"].messages
    assert (first["observation"], first["calls"], first["final_answer"]) == (USER.content, [forecast("Oslo")], "")
    assert second.keys() == {"observation", "state", "thought", "calls", "final_answer"}
    assert (first["state"], second["state"]) == ("to be called now: get_forecast",) * 2
    assert '"city":"Oslo"' in second["observation"]


def test_when_the_plan_is_done_the_state_names_what_the_answer_should_tell() -> None:
    ticket = Call(name="book_ticket", arguments={"city": "Rome"})
    done = [USER, *answered(forecast("Oslo"), forecast("Rome")), *answered(ticket)]
    said = str(view(PROBLEM, done, parallel=True, with_state=True)["state"])
    assert "all functions have been called" in said
    assert "temperature, booking" in said


# Which turns count


def problems_of(turn: AssistantTurn, turns: Sequence[Turn] = (USER,), **how: Any) -> list[str]:
    return turn_problems(turn, PROBLEM, turns, how.pop("parallel", True), ready(PROBLEM, turns))


def test_grounded_calls_count() -> None:
    assert problems_of(calling(forecast("Oslo"))) == []
    assert problems_of(calling(forecast("Oslo"), forecast("Rome"))) == []


@pytest.mark.parametrize(
    ("turn", "problem"),
    [
        (AssistantTurn(thought="", calls=(forecast("Oslo"),)), "the thought is empty"),
        (AssistantTurn(thought="Hm."), "either calls or a final answer, exactly one"),
        (AssistantTurn(thought="Hm.", calls=(forecast("Oslo"),), final="x"), "either calls or a final answer"),
        (calling(Call(name="get_weather", arguments={})), "function 'get_weather' is not defined"),
        (calling(Call(name="get_forecast", arguments={"city": "Oslo"})), "'day' is missing"),
        (calling(forecast("Oslo", unit="kelvin")), "'unit' is"),
        (calling(forecast("Oslo", hour=3)), "'hour' is not defined"),
        (calling(forecast("Oslo"), forecast("oslo ")), "was already called with these arguments"),
        (calling(forecast("Bergen")), "the value of 'city' is neither in the request nor in an earlier result"),
        (final(), "not done yet, still to be called: get_forecast"),
    ],
)
def test_a_turn_that_does_not_fit_is_refused_with_its_problem(turn: AssistantTurn, problem: str) -> None:
    assert any(problem in found for found in problems_of(turn))


def test_two_calls_in_one_turn_are_refused_where_parallel_is_off() -> None:
    assert problems_of(calling(forecast("Oslo"), forecast("Rome")), parallel=False) == [
        "2 calls in one turn; call one function at a time"
    ]


def test_a_call_made_in_an_earlier_turn_is_refused() -> None:
    turns = (USER, *answered(forecast("Oslo")))
    assert problems_of(calling(forecast("OSLO")), turns) == [
        "'get_forecast' was already called with these arguments; use its result"
    ]
    assert problems_of(calling(forecast("Rome")), turns) == []


def test_a_final_answer_counts_once_the_plan_is_done_and_only_if_it_reports() -> None:
    ticket = Call(name="book_ticket", arguments={"city": "Rome"})
    done = (USER, *answered(forecast("Oslo"), forecast("Rome")), *answered(ticket))
    assert problems_of(final(), done) == []
    assert any("77" in found for found in problems_of(final("It is 77 degrees in Rome."), done))


async def test_without_a_plan_to_follow_the_assistant_may_answer_whenever_it_likes() -> None:
    turns = (USER, *answered(forecast("Rome")))
    said = {"thought": "Enough.", "calls": [], "final_answer": "It is 18.25 degrees in Rome."}
    engine = Scripted(said)
    agent = AssistantAgent(tries=1, temperature=0.2, samples=1, follow_plan=False)
    assert await agent.aforward(PROBLEM, turns, True, work_of(engine)) == AssistantTurn(
        thought="Enough.", final="It is 18.25 degrees in Rome."
    )
    assert jsonschema_rs.is_valid(schema_of(engine.requests[0]), said)


# Samples


def test_the_first_turn_of_the_action_that_most_agree_on_is_taken() -> None:
    one = AssistantTurn(thought="First.", calls=(forecast("Oslo"), forecast("Rome")))
    same = AssistantTurn(thought="Second.", calls=(forecast("rome"), forecast(" Oslo")))
    assert majority([calling(forecast("Oslo")), one, same], 3, PROBLEM) is one


def test_final_answers_agree_whatever_their_words() -> None:
    first, second = final("It is warm."), final("Rome, it is.")
    assert majority([calling(forecast("Oslo")), first, second], 3, PROBLEM) is first


@pytest.mark.parametrize(
    ("cities", "samples", "votes"),
    [(["Oslo", "Rome"], 2, 1), (["Oslo"], 2, 1), (["Oslo", "Oslo"], 4, 2), (["Oslo", "Rome", "Oslo", "Rome"], 4, 2)],
)
def test_half_is_no_majority_and_a_sample_that_failed_counts_against_it(
    cities: list[str], samples: int, votes: int
) -> None:
    drop = majority([calling(forecast(city)) for city in cities], samples, PROBLEM)
    assert isinstance(drop, Drop)
    assert drop.reason == "inconsistent_action"
    assert drop.detail.startswith(f"{votes} of {samples} samples agree on ")


def test_the_prompt_is_a_signature_of_the_view() -> None:
    """DSPy warns of inputs that are missing or unknown."""
    from signatures.play import PlayAssistant

    for turns in ([USER], [USER, *answered(forecast("Oslo"))]):
        for with_state in (True, False):
            seen = view(PROBLEM, turns, parallel=True, with_state=with_state)
            assert seen.keys() <= PlayAssistant.input_fields.keys()
            assert isinstance(seen["history"], dspy.History)
