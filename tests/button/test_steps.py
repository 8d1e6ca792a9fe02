from typing import Any

import pytest

from button.config import GenerateSettings
from button.dedup import SemanticDedup
from button.errors import UserError
from button.steps import build_steps, check_chain, ordered
from signatures.records import AtomicTask, Example, Outcome, Record, Scenario, Seed


def step(takes: type[Record], gives: type[Record]) -> Any:
    class Scripted:
        def decide(self, record: Record) -> Outcome:
            return (record,)

    found: Any = Scripted()
    found.takes, found.gives = takes, gives
    return found


def test_a_step_comes_behind_the_one_that_after_names() -> None:
    steps: dict[str, dict[str, Any]] = {
        "a": {},
        "b": {},
        "c": {},
        "x": {"after": "a", "k": 1},
        "y": {"after": "x"},
        "z": {"after": "a"},
    }
    found = ordered(steps)
    assert list(found) == ["a", "x", "y", "z", "b", "c"]
    assert found["x"] == {"k": 1}


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ({"a": {}, "x": {"after": "b"}}, r"steps\.x\.after='b': should be another step: a"),
        ({"a": {}, "x": {"after": "x"}}, r"steps\.x\.after='x': should be another step: a"),
        ({"a": {}, "x": {"after": "y"}, "y": {"after": "x"}}, r"steps x, y: .* is a circle"),
        ({"a": {}, "x": {"after": 3}}, r"steps\.x\.after=3: should be another step"),
    ],
)
def test_an_after_that_leads_nowhere_is_refused(steps: dict[str, dict[str, Any]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        ordered(steps)


def test_steps_that_fit_together_from_seed_to_example_pass() -> None:
    check_chain({"a": step(Seed, Scenario), "b": step(Scenario, Scenario), "c": step(Record, Example)})


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ({"task": step(Scenario, Example)}, r"steps\.task takes Scenario, but the seeds are Seed: .*~step@steps\.task"),
        ({"a": step(Seed, Scenario), "b": step(AtomicTask, Example)}, r"steps\.b takes AtomicTask, but steps\.a .*Sce"),
        ({"a": step(Seed, Scenario)}, r"the steps end with Scenario: the last one should give Example, as step=gate"),
        ({}, r"the steps end with Seed"),
    ],
)  # fmt: skip
def test_steps_that_do_not_fit_together_are_refused(steps: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_chain(steps)


def test_what_is_no_step_is_refused() -> None:
    part = {"_target_": "button.config.Budget"}
    settings = GenerateSettings(n=1, out="x", seeds=part, lm=part, export=part, steps={"odd": part})  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"steps\.odd: Budget is no step; a step has"):
        build_steps(settings)


def test_the_first_step_that_does_not_fit_is_named() -> None:
    part = {"_target_": "button.dedup.SemanticDedup", "threshold": 0.5}
    settings = GenerateSettings(n=1, out="x", seeds=part, lm=part, export=part, steps={"dedup": part})  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"steps\.dedup takes Scenario, but the seeds are Seed"):
        build_steps(settings)
    assert SemanticDedup(threshold=0.5).takes is Scenario
