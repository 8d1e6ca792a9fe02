from pathlib import Path

import pytest

from experiments.comparing.differences import Difference, Interval
from experiments.comparing.figure import MOST_DROPS, _panels, draw

NAN = float("nan")


def difference(measure: str, arm: str, value: float, interval: Interval | None = None) -> Difference:
    clear = interval is not None
    return Difference(measure, measure, "base", arm, 0.0, value, value, interval, 10, 10, clear)


def test_a_measure_in_which_no_arm_differs_has_no_panel() -> None:
    found = [difference("a", "x", 0.0), difference("a", "y", 2.0), difference("b", "x", 0.0), difference("b", "y", NAN)]
    assert _panels(found) == ["a"]


def test_of_the_drops_those_that_differ_most_have_a_panel() -> None:
    found = [difference(f"dropped/{size}", "x", float(size)) for size in range(20)]
    assert _panels(found) == [f"dropped/{size}" for size in range(19, 19 - MOST_DROPS, -1)]


@pytest.mark.parametrize(
    "found",
    [
        [difference("a", "x", 1.0, Interval(0.5, 2)), difference("a", "y", NAN), difference("b", "y", -3.0)],
        [difference("a", "x", 0.0)],
    ],
    ids=["unknown and without interval", "no difference at all"],
)
def test_a_figure_is_drawn_of_whatever_is_known(found: list[Difference], tmp_path: Path) -> None:
    draw(found, tmp_path / "figure.png", seeds=4, confidence=0.95)
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
