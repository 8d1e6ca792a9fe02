from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from button.checks.wording import scenario_problems, task_problems, words

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "checks" / "wording.yaml").read_text())


@pytest.mark.parametrize(("text", "said"), CASES["tasks"])
def test_a_task_is_refused_for_what_is_wrong_with_it_alone(text: str, said: str | None) -> None:
    problems = task_problems(text)
    assert said in problems[0] if said else problems == []


@pytest.mark.parametrize(("text", "said"), CASES["scenarios"])
def test_a_scenario_is_refused_for_what_is_wrong_with_it_alone(text: str, said: str | None) -> None:
    problems = scenario_problems(text)
    assert said in problems[0] if said else problems == []


def test_a_task_may_have_thirty_words_and_no_more() -> None:
    task = "Find a hotel in Rome with " + " and ".join(f"feature{i:c}" for i in range(97, 109))
    assert words(task) == 29
    assert task_problems(f"{task} soon") == []
    assert "31 words; it may have at most 30" in task_problems(f"{task} very soon")[0]
    assert task_problems(f"{task} very soon", 31) == []


def test_a_dependent_sub_task_may_refer_to_what_came_before() -> None:
    task = "Book the cheapest of these products with that address."
    assert task_problems(task) != []
    assert task_problems(task, self_contained=False) == []


def test_a_problem_names_the_piece_it_is_about() -> None:
    assert task_problems("", what="sub-task 2")[0].startswith("sub-task 2 is empty")


@given(st.text())
def test_any_text_can_be_checked(text: str) -> None:
    assert all(task_problems(text) + scenario_problems(text))


@given(st.lists(st.sampled_from("red apple, Rome 42 - ...".split()), max_size=20))
def test_words_are_the_runs_that_hold_a_letter_or_digit(parts: list[str]) -> None:
    assert words(" \t".join(parts)) == len([part for part in parts if part not in ("-", "...")])
