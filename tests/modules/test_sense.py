import asyncio

import pytest
from scripted import MemoryLedger, Scripted, Small, work_of

from button.errors import BudgetReached, NoUsableAnswer
from modules.sense import Sense, several, unlikely


async def test_the_probability_of_yes_is_taken_against_that_of_no() -> None:
    engine = Small(sensible=0.83)
    assert await Sense("task").aforward(work_of(engine), request="Find a tap.") == pytest.approx(0.83)


async def test_the_question_is_one_word_long_and_bare() -> None:
    engine = Small()
    await Sense("task").aforward(work_of(engine), request="Find a tap.")
    request = engine.requests[0]
    assert request.system == "Does this request make sense? Answer yes or no."
    assert [message.text for message in request.messages] == ["Request: Find a tap."]
    assert request.config.max_tokens == 1
    assert request.config.response_format is None


async def test_the_most_sensible_candidate_is_taken_and_the_first_of_equals() -> None:
    chances = {"a": 0.7, "b": 0.9, "c": 0.9}
    work = work_of(Small(sensible=lambda text: chances[text]))
    chosen, chance = await Sense("task").best(work, ["a", "b", "c"], str)
    assert chosen == "b"
    assert chance == pytest.approx(0.9)


async def test_a_model_that_says_neither_yes_nor_no_is_named_as_such() -> None:
    with pytest.raises(NoUsableAnswer, match="neither yes nor no"):
        await Sense("task").aforward(work_of(Scripted("Perhaps")), request="Find a tap.")


async def test_a_question_counts_as_a_call() -> None:
    with pytest.raises(BudgetReached):
        await Sense("task").aforward(work_of(Small(), ledger=MemoryLedger(calls=0)), request="Find a tap.")


def drawn(*found: str | NoUsableAnswer) -> list[str]:
    async def draw(index: int) -> str:
        answer = found[index]
        if isinstance(answer, NoUsableAnswer):
            raise answer
        return answer

    return asyncio.run(several(len(found), draw))


def test_a_candidate_that_failed_is_left_out_and_one_that_came_twice_stands_once() -> None:
    assert drawn("a", NoUsableAnswer("invalid", "x"), "a", "b") == ["a", "b"]


def test_the_last_failure_is_told_where_every_candidate_failed() -> None:
    with pytest.raises(NoUsableAnswer, match="second"):
        drawn(NoUsableAnswer("invalid", "first"), NoUsableAnswer("invalid", "second"))


def test_a_drop_says_the_probability_the_floor_and_the_text() -> None:
    drop = unlikely(0.8, 0.9, "Find a leaking tap.")
    assert drop.reason == "unlikely"
    assert drop.detail == "makes sense with a probability of 0.80, below 0.90: Find a leaking tap."
