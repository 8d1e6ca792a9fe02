import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journeys import answer, journey, journeys
from pydantic import ValidationError

from button.checks import reasons
from button.checks.gate import TrajectoryGate, split_of
from button.errors import UserError
from signatures.records import AssistantTurn, Call, Drop, Example, Result, ToolTurn, Trajectory, Turn, UserTurn

Turns = tuple[Turn, ...]
SERIAL = journey(parallel=False)


def pass_through(trajectory: Trajectory, **settings: Any) -> Example | Drop:
    outcome = asyncio.run(TrajectoryGate(**settings).aforward(trajectory, None))
    return outcome if isinstance(outcome, Drop) else outcome[0]


def with_turns(trajectory: Trajectory, *turns: Turn) -> Trajectory:
    return trajectory.model_copy(update={"turns": turns})


def swap(turns: Turns, index: int, **changes: Any) -> Turns:
    return (*turns[:index], turns[index].model_copy(update=changes), *turns[index + 1 :])


def call_with(turns: Turns, index: int, **arguments: Any) -> Turns:
    """`turns` with other arguments in the call of turn `index`, its answer echoing them."""
    asking, told = turns[index], turns[index + 1]
    assert isinstance(asking, AssistantTurn)
    assert isinstance(told, ToolTurn)
    call = Call(name=asking.calls[0].name, arguments=asking.calls[0].arguments | arguments)
    again = (answer(call, told.results[0].results), *told.results[1:])
    return swap(swap(turns, index, calls=(call, *asking.calls[1:])), index + 1, results=again)


def result_with(turns: Turns, index: int, **results: Any) -> Turns:
    told = turns[index]
    assert isinstance(told, ToolTurn)
    first = told.results[0]
    changed = Result(name=first.name, arguments=first.arguments, results=first.results | results)
    return swap(turns, index, results=(changed, *told.results[1:]))


@settings(max_examples=60)
@given(journeys())
def test_a_coherent_trajectory_becomes_an_example_with_its_evidence(trajectory: Trajectory) -> None:
    example = pass_through(trajectory)
    assert isinstance(example, Example)
    assert example.trajectory == trajectory
    assert example.parent == trajectory.id
    assert example.measures.grounded_share == 1.0
    assert example.measures.calls == 3
    assert len(example.sources) == 10


# Turns of SERIAL: 0 the user, 1 search, 2 result, 3 hotel, 4 result, 5 booking, 6 result, 7 the end.
MUTATIONS: dict[str, tuple[str, Callable[[Turns], Turns]]] = {
    "an answer dropped": (reasons.BAD_ORDER, lambda turns: (*turns[:4], *turns[5:])),
    "two turns swapped": (reasons.BAD_ORDER, lambda turns: (*turns[:3], turns[4], turns[3], *turns[5:])),
    "the end dropped": (reasons.BAD_ORDER, lambda turns: turns[:-1]),
    "an empty thought": (reasons.BAD_TEXT, lambda turns: swap(turns, 3, thought=" ")),
    "a wrong type": (reasons.BAD_CALL, lambda turns: call_with(turns, 1, passengers="two")),
    "an argument too many": (reasons.BAD_CALL, lambda turns: call_with(turns, 1, seat="4A")),
    "a blank argument": (reasons.BAD_CALL, lambda turns: call_with(turns, 5, traveler_name="string")),
    "a result's wrong type": (reasons.BAD_RESULT, lambda turns: result_with(turns, 2, price="cheap")),
    "a result's extra field": (reasons.BAD_RESULT, lambda turns: result_with(turns, 4, stars=4)),
    "a blank result": (reasons.BAD_RESULT, lambda turns: result_with(turns, 6, confirmation_code="N/A")),
    "a call again": (reasons.REPEATED_CALL, lambda turns: (*turns[:3], *turns[1:3], *turns[3:])),
    "a call again, answered otherwise": (
        reasons.INCONSISTENT_ANSWER,
        lambda turns: (*turns[:3], turns[1], result_with(turns, 2, price=99.0)[2], *turns[3:]),
    ),
    "a sub-task skipped": (reasons.SUB_TASK_NOT_SERVED, lambda turns: (*turns[:3], *turns[5:])),
    "a dependency ignored": (
        reasons.DEPENDENCY_NOT_USED,
        lambda turns: call_with(turns, 5, flight_number="Rome", hotel_name="Oslo"),
    ),
    "an invented name": (reasons.UNGROUNDED_ARGUMENT, lambda turns: call_with(turns, 5, traveler_name="Jonas Roth")),
    "an invented date": (reasons.UNGROUNDED_ARGUMENT, lambda turns: call_with(turns, 1, date="2023-10-05")),
    "an invented count": (reasons.UNGROUNDED_ARGUMENT, lambda turns: call_with(turns, 1, passengers=7)),
    "a changed result": (reasons.UNGROUNDED_ARGUMENT, lambda turns: result_with(turns, 2, flight_number="ZZ9")),
    "an invented price": (
        reasons.INVENTED_ANSWER,
        lambda turns: swap(turns, 7, final="Flight DY1873 costs $412.70 a person. Your booking is QX7TZ2."),
    ),
    "an invented hotel": (
        reasons.INVENTED_ANSWER,
        lambda turns: swap(turns, 7, final="You fly with DY1873 and stay at the Grand Plaza. Your booking is QX7TZ2."),
    ),
    "nothing reported": (
        reasons.EMPTY_ANSWER,
        lambda turns: swap(turns, 7, final="All is booked for Maria Lopez on May 4, 2026."),
    ),
    "giving up": (reasons.BAD_FINAL, lambda turns: swap(turns, 7, final="I'm sorry, but I cannot book DY1873.")),
    "no call": (reasons.NO_CALLS, lambda turns: (turns[0], turns[7])),
}  # fmt: skip


@pytest.mark.parametrize(("reason", "mutate"), MUTATIONS.values(), ids=MUTATIONS)
def test_a_single_mutation_is_refused_with_its_reason(reason: str, mutate: Callable[[Turns], Turns]) -> None:
    drop = pass_through(with_turns(SERIAL, *mutate(SERIAL.turns)))
    assert isinstance(drop, Drop)
    assert drop.reason == reason
    assert drop.detail


def test_two_calls_at_once_are_refused_where_one_at_a_time_was_the_rule() -> None:
    drop = pass_through(journey().model_copy(update={"parallel": False}))
    assert isinstance(drop, Drop)
    assert drop.reason == reasons.PARALLEL_IN_SERIAL


def test_every_reason_is_listed_and_reached() -> None:
    tried = {reason for reason, _ in MUTATIONS.values()} | {reasons.PARALLEL_IN_SERIAL}
    by_settings = {reasons.TOO_FEW_CALLS, reasons.TOO_FEW_ROUNDS, reasons.TOO_MANY_ROUNDS}
    assert tried | by_settings == set(reasons.REASONS)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"min_calls": 4}, reasons.TOO_FEW_CALLS),
        ({"min_rounds": 4}, reasons.TOO_FEW_ROUNDS),
        ({"max_rounds": 2}, reasons.TOO_MANY_ROUNDS),
    ],
)
def test_a_trajectory_keeps_to_the_configured_length(limits: dict[str, int], reason: str) -> None:
    drop = pass_through(SERIAL, **limits)
    assert isinstance(drop, Drop)
    assert drop.reason == reason


@pytest.mark.parametrize(
    ("relaxed", "mutation"),
    [
        ({"min_grounded_share": 0.9}, "an invented name"),
        ({"require_plan_coverage": False}, "a dependency ignored"),
        ({"allow_repeats": True}, "a call again"),
    ],
)
def test_what_a_setting_allows_passes(relaxed: dict[str, Any], mutation: str) -> None:
    _, mutate = MUTATIONS[mutation]
    assert isinstance(pass_through(with_turns(SERIAL, *mutate(SERIAL.turns)), **relaxed), Example)


def test_the_detail_of_a_drop_names_the_value() -> None:
    drop = pass_through(with_turns(SERIAL, *call_with(SERIAL.turns, 5, traveler_name="Jonas Roth")))
    assert isinstance(drop, Drop)
    assert drop.detail.startswith("turn 5, call 0: argument 'traveler_name' of 'book_trip' is 'Jonas Roth'")


@pytest.mark.parametrize(
    "wrong", [{"test_share": 1.1}, {"min_calls": -1}, {"min_grounded_share": "much"}, {"max_calls": 3}]
)
def test_a_wrong_setting_is_refused_with_its_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        TrajectoryGate(**wrong)


@pytest.mark.parametrize("shares", [{"test_share": 0.7, "validation_share": 0.31}, {"validation_share": 1}])
def test_shares_that_leave_nothing_to_train_on_are_refused(shares: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"are more than 1 together; expected shares of the scenarios"):
        TrajectoryGate(**shares)


@given(st.text(), st.floats(0, 1))
def test_the_split_depends_on_the_scenario_alone(scenario: str, share: float) -> None:
    assert split_of(scenario, share) == split_of(f" {scenario.upper().lower()} ", share) or not scenario.isascii()
    assert split_of(scenario, 0) == "train"
    assert split_of(scenario, 1) == "test"
    assert split_of(scenario, 0, 1) == "validation"


def test_the_splits_take_their_shares_of_scenarios() -> None:
    splits = Counter(split_of(f"doing thing {number}", 0.1, 0.05) for number in range(2000))
    assert 150 < splits["test"] < 250
    assert 70 < splits["validation"] < 130


@given(st.text(), st.floats(0, 0.5), st.floats(0, 0.5))
def test_what_is_tested_on_does_not_depend_on_the_share_for_validation(
    scenario: str, test_share: float, validation_share: float
) -> None:
    with_validation = split_of(scenario, test_share, validation_share)
    assert (with_validation == "test") == (split_of(scenario, test_share) == "test")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("booking a flight", "book flights"),
        ("comparing phone plans", "Comparing the plans of phones."),
        ("checking the weather before a hike", "check weather for hikes"),
    ],
)
def test_near_twins_are_on_one_side(one: str, other: str) -> None:
    shares = [share / 50 for share in range(50)]
    assert [split_of(one, share, 0.02) for share in shares] == [split_of(other, share, 0.02) for share in shares]


def test_situations_that_differ_in_what_is_done_are_told_apart() -> None:
    shares = [share / 50 for share in range(50)]
    train, flight = ([split_of(f"booking a {what}", share) for share in shares] for what in ("train", "flight"))
    assert train != flight


def test_a_request_of_two_user_turns_is_out_of_order() -> None:
    drop = pass_through(with_turns(SERIAL, UserTurn(content="Hi"), *SERIAL.turns))
    assert isinstance(drop, Drop)
    assert drop.reason == reasons.BAD_ORDER


def test_the_gate_is_quick() -> None:
    """Measured at 1.1 ms of CPU a trajectory, to stay under 3; the bound here leaves room for slow machines."""
    played = [journey(code=f"QX{number}", flight=f"DY{number}", price=number / 8) for number in range(400, 440)]
    gate = TrajectoryGate()
    began = time.process_time()
    for trajectory in played:
        assert isinstance(asyncio.run(gate.aforward(trajectory, None)), tuple)
    assert (time.process_time() - began) / len(played) < 0.015
