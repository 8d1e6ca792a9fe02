from collections.abc import Callable

import pytest
from hypothesis import given
from journeys import FUNCTIONS, answer, journey, journeys

from button.checks import reasons
from button.checks.transcript import final_problems, transcript_faults, transcript_problems
from signatures.records import AssistantTurn, Call, Result, ToolTurn, Trajectory, Turn, UserTurn

Turns = tuple[Turn, ...]
JOURNEY = journey()


@given(journeys())
def test_a_coherent_transcript_passes(trajectory: Trajectory) -> None:
    assert transcript_problems(trajectory.turns, FUNCTIONS, parallel=trajectory.parallel) == []


def calling(turn: Turn, *calls: Call) -> AssistantTurn:
    assert isinstance(turn, AssistantTurn)
    return turn.model_copy(update={"calls": calls})


def answering(turn: Turn, *results: Result) -> ToolTurn:
    assert isinstance(turn, ToolTurn)
    return turn.model_copy(update={"results": results})


def calls_of(turn: Turn) -> tuple[Call, ...]:
    assert isinstance(turn, AssistantTurn)
    return turn.calls


def results_of(turn: Turn) -> tuple[Result, ...]:
    assert isinstance(turn, ToolTurn)
    return turn.results


def saying(turn: Turn, **said: str) -> Turn:
    return turn.model_copy(update=said)


BROKEN_ORDERS: dict[str, Callable[[Turns], Turns]] = {
    "nothing": lambda turns: (),
    "no user": lambda turns: turns[1:],
    "two users": lambda turns: (turns[0], *turns),
    "a user in between": lambda turns: (*turns[:3], turns[0], *turns[3:]),
    "no answer": lambda turns: (*turns[:2], *turns[3:]),
    "two answers": lambda turns: (*turns[:3], turns[2], *turns[3:]),
    "turns swapped": lambda turns: (turns[0], turns[2], turns[1], *turns[3:]),
    "no end": lambda turns: turns[:-1],
    "an end too early": lambda turns: (turns[0], turns[-1], *turns[1:]),
    "calls and an end": lambda turns: (*turns[:3], saying(turns[3], final="Done."), *turns[4:]),
    "neither": lambda turns: (*turns[:-1], calling(turns[1])),
    "one answer missing": lambda turns: (*turns[:2], answering(turns[2], results_of(turns[2])[0]), *turns[3:]),
    "answers swapped": lambda turns: (*turns[:2], answering(turns[2], *reversed(results_of(turns[2]))), *turns[3:]),
    "no results": lambda turns: (*turns[:2], answering(turns[2]), *turns[3:]),
    "other arguments": lambda turns: (
        *turns[:4],
        answering(turns[4], results_of(turns[4])[0].model_copy(update={"arguments": {}})),
        turns[5],
    ),
}


@pytest.mark.parametrize("broken", BROKEN_ORDERS.values(), ids=BROKEN_ORDERS)
def test_a_broken_order_is_refused_as_such(broken: Callable[[Turns], Turns]) -> None:
    faults = transcript_faults(broken(JOURNEY.turns), FUNCTIONS, parallel=True)
    assert {fault.reason for fault in faults} == {reasons.BAD_ORDER}


def test_two_calls_in_a_turn_need_the_parallel_rule() -> None:
    faults = transcript_faults(JOURNEY.turns, FUNCTIONS, parallel=False)
    assert [fault.reason for fault in faults] == [reasons.PARALLEL_IN_SERIAL]
    assert "turn 1 makes 2 calls (search_flights, find_hotel)" in faults[0].detail


def rebuilt(calls: tuple[Call, ...], results: tuple[Result, ...]) -> Turns:
    turns = JOURNEY.turns
    return (turns[0], calling(turns[1], *calls), answering(turns[2], *results), *turns[3:])


def test_a_call_that_misfits_its_function_is_refused() -> None:
    search, stay = calls_of(JOURNEY.turns[1])
    results = results_of(JOURNEY.turns[2])
    wrong = Call(name=search.name, arguments=search.arguments | {"date": 7})
    turns = rebuilt((wrong, stay), (answer(wrong, results[0].results), results[1]))
    faults = transcript_faults(turns, FUNCTIONS, parallel=True)
    assert [fault.reason for fault in faults] == [reasons.BAD_CALL]
    assert faults[0].detail.startswith("turn 1, call 0: function 'search_flights': argument 'date' is 7 (integer)")


def test_a_result_that_misfits_its_function_is_refused() -> None:
    search, stay = calls_of(JOURNEY.turns[1])
    results = results_of(JOURNEY.turns[2])
    turns = rebuilt((search, stay), (results[0], answer(stay, {"hotel_name": "Fjord View", "rate": "cheap"})))
    faults = transcript_faults(turns, FUNCTIONS, parallel=True)
    assert [fault.reason for fault in faults] == [reasons.BAD_RESULT]
    assert faults[0].detail.startswith("turn 2, result 1: answer of 'find_hotel': field 'rate' is 'cheap'")


def test_a_call_to_an_unknown_function_is_refused() -> None:
    search, stay = calls_of(JOURNEY.turns[1])
    results = results_of(JOURNEY.turns[2])
    other = Call(name="fly", arguments=search.arguments)
    faults = transcript_faults(rebuilt((other, stay), (answer(other, {}), results[1])), FUNCTIONS, parallel=True)
    assert [fault.reason for fault in faults] == [reasons.BAD_CALL]


def test_the_same_call_twice_in_a_round_is_refused_however_it_is_spelt() -> None:
    search, _ = calls_of(JOURNEY.turns[1])
    result = results_of(JOURNEY.turns[2])[0].results
    again = Call(name=search.name, arguments=search.arguments | {"origin": "ROME", "cabin": "economy"})
    turns = rebuilt((search, again), (answer(search, result), answer(again, result)))
    faults = transcript_faults(turns, FUNCTIONS, parallel=True)
    assert [fault.reason for fault in faults] == [reasons.REPEATED_CALL]


def test_the_same_call_gets_the_same_answer() -> None:
    turns = JOURNEY.turns
    same = (*turns[:3], turns[1], turns[2], *turns[3:])
    assert transcript_problems(same, FUNCTIONS, parallel=True) == []
    search, _ = results_of(turns[2])
    other = answering(turns[2], search, answer(calls_of(turns[1])[1], {"hotel_name": "Fjord View", "rate": 89}))
    faults = transcript_faults((*turns[:3], turns[1], other, *turns[3:]), FUNCTIONS, parallel=True)
    assert [fault.reason for fault in faults] == [reasons.INCONSISTENT_ANSWER]
    assert "turn 4, result 1" in faults[0].detail


@pytest.mark.parametrize("thought", ["", "  \n", "Now <call>[]</call>", "[[ ## thought ## ]] Next", "<|im_end|>"])
def test_a_thought_is_words(thought: str) -> None:
    turns = (*JOURNEY.turns[:3], saying(JOURNEY.turns[3], thought=thought), *JOURNEY.turns[4:])
    assert [fault.reason for fault in transcript_faults(turns, FUNCTIONS, parallel=True)] == [reasons.BAD_TEXT]


@pytest.mark.parametrize("content", ["", "Book a flight for [name].", "<tool>x</tool> Book a flight."])
def test_a_message_is_words(content: str) -> None:
    turns = (UserTurn(content=content), *JOURNEY.turns[1:])
    assert [fault.reason for fault in transcript_faults(turns, FUNCTIONS, parallel=True)] == [reasons.BAD_TEXT]


@pytest.mark.parametrize(
    ("final", "said"),
    [
        ("", "is ''"),
        ("...", "is '...'"),
        ("<final>Your code is X7.</final>", "the mark '<final>'"),
        ("Dear [Name], your code is X7.", "placeholder '[Name]'"),
        ('{"code": "X7"}', "raw JSON"),
        ('[{"code": "X7"}]', "raw JSON"),
        ("Your code is X7, and the", "breaks off"),
        ("Your codes are:", "breaks off"),
        ("I'm sorry, but I cannot book flights.", "gives up"),
        ("As an AI, I do not travel.", "gives up"),
        ("Could you please provide your travel dates?", "gives up"),
        ("I need more information to go on.", "gives up"),
    ],
)
def test_a_final_answer_is_an_answer(final: str, said: str) -> None:
    assert said in final_problems(final)[0]
    turns = (*JOURNEY.turns[:-1], saying(JOURNEY.turns[-1], final=final))
    assert {fault.reason for fault in transcript_faults(turns, FUNCTIONS, parallel=True)} == {reasons.BAD_FINAL}


@pytest.mark.parametrize(
    "final",
    [
        "58",
        "It is done. Let me know if you need anything else!",
        "- Flight: DY1873\n- Price: $129.50, e.g. by card...",
        "You cannot check in before 3 PM; see [the site](https://x.org).",
        "[1] DY1873 at 8:25",
    ],
)
def test_an_ordinary_final_answer_passes(final: str) -> None:
    assert final_problems(final) == []
