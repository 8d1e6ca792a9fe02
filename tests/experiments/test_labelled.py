from collections import Counter
from pathlib import Path

import pytest
import yaml

from button.errors import UserError
from experiments.labelled import STEPS, read_labels
from signatures.records import Trajectory

ITEMS = read_labels()


def test_there_are_more_than_sixty_items_half_of_them_good_in_each_step() -> None:
    assert len(ITEMS) > 60
    for step in STEPS:
        labels = Counter(item.good for item in ITEMS if item.step == step)
        assert min(labels.values()) >= 8


def test_each_bad_item_names_its_flaw_and_no_good_one_has_any() -> None:
    assert all((item.flaw is None) is item.good for item in ITEMS)


def test_a_trajectory_item_is_a_whole_transcript() -> None:
    item = next(item for item in ITEMS if item.id == "trajectory-01")
    assert isinstance(item.record, Trajectory)
    assert [turn.role for turn in item.record.turns] == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
    assert item.record.parent == item.given.id


def written(folder: Path, *rows: dict[str, object]) -> Path:
    (folder / "task.yaml").write_text(yaml.safe_dump(list(rows)))
    return folder


GOOD: dict[str, object] = {
    "id": "a",
    "label": "good",
    "reason": "it is all there",
    "task": "Check the tide at Faro on 3 May 2027.",
}
BAD: dict[str, object] = {**GOOD, "id": "b", "label": "bad", "flaw": "vague"}


def test_items_of_ones_own_are_read(tmp_path: Path) -> None:
    assert [item.id for item in read_labels(written(tmp_path, GOOD, BAD), ["task"])] == ["a", "b"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([GOOD, {**BAD, "id": "a"}], "'a' stands there twice"),
        ([GOOD], "expected items labelled good and items labelled bad"),
        ([GOOD, {**BAD, "label": "poor"}], r"task.yaml\[1\].label='poor' \(text\): should be 'good' or 'bad'"),
        ([GOOD, {**BAD, "reasons": "?"}], "reasons: no such key here"),
    ],
)
def test_a_wrong_item_is_refused_with_its_place(tmp_path: Path, rows: list[dict[str, object]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_labels(written(tmp_path, *rows), ["task"])


def test_a_missing_or_broken_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"task\.yaml"):
        read_labels(tmp_path, ["task"])
    (tmp_path / "task.yaml").write_text("a: [")
    with pytest.raises(UserError, match=r"task\.yaml"):
        read_labels(tmp_path, ["task"])
