from typing import Any

import pytest

from experiments.metrics.atomic_task import AtomicTaskMetric
from signatures.records import AtomicTask, Scenario

SCENARIO = Scenario.derive(None, text="watching the weather")


def parts(task: str, **settings: Any) -> dict[str, float]:
    record = AtomicTask.derive(SCENARIO, scenario=SCENARIO.text, task=task)
    metric = AtomicTaskMetric(judge_weight=0, **settings)
    return {part.name: part.share for part in metric.checks(SCENARIO, record)}


def test_length_falls_in_proportion_beyond_the_limit() -> None:
    assert parts("Get the pollen forecast for Tampere on 24 April 2027.", max_words=5)["length"] == 0.5


@pytest.mark.parametrize(
    ("task", "part"),
    [
        ("Get the pollen forecast from the attached list on 24 April 2027.", "no_open_references"),
        ("Get the pollen forecast for Tampere with the get_pollen function.", "function_agnostic"),
        ("Get the pollen forecast for [city] on 24 April 2027.", "well_formed"),
        ("Get the pollen forecast for next to nowhere in particular.", "concrete"),
        ("Get the pollen forecast for Tampere and send it to Ann Lee.", "one_action"),
    ],
)
def test_a_fault_is_found_in_its_part_alone(task: str, part: str) -> None:
    found = parts(task)
    assert [name for name, share in found.items() if share < 1] == [part]
