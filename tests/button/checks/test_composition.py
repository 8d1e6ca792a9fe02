from pathlib import Path
from typing import Any

import pytest
import yaml

from button.checks.composition import composition_problems, graph_problems, missing_details
from signatures.records import SubTask

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "checks" / "compositions.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["composed"][:40])
def test_a_composition_is_refused_for_what_is_wrong_with_it(case: dict[str, Any]) -> None:
    last = len(case["sub_tasks"]) - 1
    sub_tasks = tuple(
        SubTask(task=task, depends_on=tuple(range(last)) if index == last else ())
        for index, task in enumerate(case["sub_tasks"])
    )
    problems = composition_problems(case["composed"], sub_tasks)
    if case["problem"] is None:
        assert problems == []
    else:
        assert case["problem"] in " | ".join(problems)


def graph(*edges: tuple[int, ...]) -> tuple[SubTask, ...]:
    return tuple(SubTask(task=f"Do step {index}.", depends_on=edge) for index, edge in enumerate(edges))


def test_edges_lead_to_earlier_sub_tasks_and_end_in_one_that_needs_others() -> None:
    assert graph_problems(graph((), (0,))) == []
    assert graph_problems(graph((), (), (0, 1), (2,))) == []
    assert "depends on index 1" in graph_problems(graph((), (1,)))[0]
    assert "depends on index 2" in graph_problems(graph((), (2,), (0,)))[0]
    assert "depends on index -1" in graph_problems(graph((), (-1,)))[0]
    assert "dependency twice" in graph_problems(graph((), (0, 0)))[0]
    assert "the last sub-task depends on none" in graph_problems(graph((), ()))[0]
    assert "at least 2" in graph_problems(graph(()))[0]


@pytest.mark.parametrize(
    ("source", "target", "missing"),
    [
        ("Stay 2 nights from March 3, 2026.", "I stay two nights from 2026-03-03.", []),
        ("Dinner at 7 pm for $1,200.", "Dinner at 19:00, we spend 1.2k.", []),
        ("Order AB-12345 for Maria Lopez.", "maria lopez wants ab12345", []),
        ("Call Maria Lopez at 5 pm.", "Call Maria at 6 pm.", ["5 pm", "Maria Lopez"]),
        ("Stay from March 3 to 5.", "Stay from March 3 to March 6.", ["march 3 to 5"]),
        ("Read 'War and Peace' in Rome.", "Read a novel in Rome.", ["War and Peace"]),
        ("Compare 3 offers under $450.", "Compare offers under $450.", ["3"]),
    ],
)
def test_a_detail_is_carried_in_any_notation_or_missing(source: str, target: str, missing: list[str]) -> None:
    assert missing_details(source, target) == missing
