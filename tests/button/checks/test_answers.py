from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from journeys import journeys

from button.checks.answers import answer_problems
from signatures.records import AssistantTurn, Call, Result, ToolTurn, Trajectory, Turn, UserTurn

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "checks" / "answers.yaml").read_text())
ANSWERS = [
    pytest.param(case["user"], case["results"], final, said, id=final[:50])
    for case in CASES
    for final, said in case["answers"]
]


def told(user: str, results: list[Any], final: str) -> tuple[Turn, ...]:
    calls = tuple(Call(name="f", arguments={"n": number}) for number in range(len(results)))
    answered = tuple(
        Result(name="f", arguments=call.arguments, results=found) for call, found in zip(calls, results, strict=True)
    )
    return (
        UserTurn(content=user),
        AssistantTurn(thought="x", calls=calls),
        ToolTurn(results=answered),
        AssistantTurn(thought="y", final=final),
    )


@pytest.mark.parametrize(("user", "results", "final", "said"), ANSWERS)
def test_an_answer_tells_what_was_returned_and_nothing_else(
    user: str, results: list[Any], final: str, said: str | None
) -> None:
    problems = answer_problems(told(user, results, final))
    assert said in " | ".join(problems) if said else problems == []


@given(journeys())
def test_the_answer_of_a_coherent_trajectory_passes(trajectory: Trajectory) -> None:
    assert answer_problems(trajectory.turns) == []


@given(st.integers(10**5, 10**9))
def test_an_invented_figure_is_refused(number: int) -> None:
    turns = told(
        "Book 2 seats.", [{"price": 129.5, "seats": ["4A", "4B"]}], f"Done for 129.5; your balance is {number:,}."
    )
    assert f"'{number:,}'" in answer_problems(turns)[0]


def test_no_answer_is_a_problem() -> None:
    assert answer_problems((UserTurn(content="Hi"),)) == ["there is no final answer"]


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_answer_can_be_checked(result: str, final: str) -> None:
    answer_problems(told("Do it.", [{"a": result}], final))
