import csv
import io
import json

import pytest
from comparing import example, walk
from rich.console import Console

from experiments.comparing.differences import Difference, Interval
from experiments.comparing.table import as_csv, as_json, seeds_csv, terminal_table

NAN = float("nan")


def difference(measure: str = "accepted", arm: str = "b", **changes: object) -> Difference:
    fields: dict[str, object] = {
        "measure": measure, "label": f"label of {measure}", "base": "base", "arm": arm, "base_value": 10.0,
        "arm_value": 12345.0, "difference": 12335.0, "interval": Interval(0.5, 20000.0), "pairs": 40, "differing": 9,
        "clear": True,
    }  # fmt: skip
    return Difference(**{**fields, **changes})  # type: ignore[arg-type]


def shown(*found: Difference, width: int = 110) -> str:
    file = io.StringIO()
    Console(file=file, width=width).print(terminal_table(found, 0.9))
    return file.getvalue()


def test_a_row_holds_both_figures_the_difference_and_its_interval() -> None:
    line = next(line for line in shown(difference()).splitlines() if "label of accepted" in line)
    assert line.split()[3:] == ["10", "12,345", "+12,335", "[+0.5,", "+20,000]", "*", "40"]
    assert "90% bootstrap intervals" in shown(difference())


def test_only_what_is_clear_has_a_star() -> None:
    assert "*" not in shown(difference(clear=False)).splitlines()[-2]


def test_what_is_not_known_is_a_dash_on_the_terminal_and_empty_in_the_files() -> None:
    unknown = difference(base_value=NAN, arm_value=NAN, difference=NAN, interval=None, pairs=0, clear=False)
    line = next(line for line in shown(unknown).splitlines() if "label of" in line)
    assert line.split()[3:] == ["-", "-", "-", "-", "0"]
    row = next(csv.DictReader(io.StringIO(as_csv([unknown]))))
    assert (row["difference"], row["low"], row["pairs"]) == ("", "", "0")
    found = json.loads(as_json([unknown], config={"a": 1}, seeds=3))
    assert (found["differences"][0]["difference"], found["config"], found["seeds"]) == (None, {"a": 1}, 3)


def test_the_terminal_shows_the_drops_that_differ_most_and_the_files_all() -> None:
    drops = [difference(f"dropped/judge/{size}", difference=float(size)) for size in range(-4, 5)]
    text = shown(difference(), *drops)
    assert [f"label of dropped/judge/{size} " in text for size in (-4, 4, 3, 0, 1)] == [True, True, True, False, False]
    assert len(as_csv([difference(), *drops]).splitlines()) == 11


def test_each_arm_has_a_section() -> None:
    lines = [line.strip() for line in shown(difference(), difference(arm="c")).splitlines()]
    assert lines.index("b") < lines.index("c")


@pytest.mark.parametrize("width", [60, 80, 110])
def test_a_narrow_terminal_cuts_no_number_off(width: int) -> None:
    assert "+20,000]" in shown(difference(), width=width)


def test_each_seed_and_arm_has_a_line_with_what_came_of_it() -> None:
    made = example("Bake a cake.")
    dropped = walk("s1", calls=3)
    dropped.drops["judge", "not_feasible"] = 2
    rows = list(csv.DictReader(io.StringIO(seeds_csv({"base": [walk("s1", made)], "b": [dropped]}))))
    assert [(row["arm"], row["accepted"], row["lm_calls"]) for row in rows] == [("base", "1", "10"), ("b", "0", "3")]
    assert (rows[0]["examples"], rows[1]["dropped"]) == (made.id, "judge/not_feasible 2")
