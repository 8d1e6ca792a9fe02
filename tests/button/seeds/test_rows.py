import csv
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from button.errors import UserError
from button.seeds.list import ListSeeds
from button.seeds.rows import read_rows
from button.seeds.source import squeezed

SCENARIOS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40).filter(squeezed),
    min_size=1,
    max_size=8,
)


def write_jsonl(path: Path, texts: list[str]) -> None:
    path.write_text("".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts), encoding="utf-8")


def write_json(path: Path, texts: list[str]) -> None:
    path.write_text(json.dumps([{"text": text} for text in texts]), encoding="utf-8")


def write_csv(path: Path, texts: list[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["text"], *([text] for text in texts)])


def write_parquet(path: Path, texts: list[str]) -> None:
    pq.write_table(pa.table({"text": texts}), path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.jsonl", write_jsonl),
        ("a.json", write_json),
        ("a.csv", write_csv),
        ("a.parquet", write_parquet),
        ("unnamed_lines", write_jsonl),
        ("unnamed_list", write_json),
        ("unnamed_table", write_parquet),
    ],
)
@settings(max_examples=40)
@given(texts=SCENARIOS)
def test_any_scenarios_come_back_from_a_file(
    tmp_path_factory: pytest.TempPathFactory, name: str, write: Callable[[Path, list[str]], None], texts: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    write(path, texts)
    assert [seed.text for seed in ListSeeds(path)] == [squeezed(text) for text in texts]


@settings(max_examples=40)
@given(texts=SCENARIOS)
def test_any_scenarios_come_back_from_lines_of_text(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "a.txt"
    lines = ["a " + squeezed(text) for text in texts]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert [seed.text for seed in ListSeeds(path)] == lines


def test_a_line_of_text_that_starts_with_a_bracket_is_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("[urgent] calling a doctor\n")
    assert [row.value for row in read_rows(tmp_path / "a.txt")] == ["[urgent] calling a doctor\n"]


def test_a_parquet_ending_on_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_text("text\n")
    with pytest.raises(UserError, match=r"a\.parquet is no Parquet file"):
        read_rows(tmp_path / "a.parquet")


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a"])
def test_a_lone_byte_order_mark_has_no_rows(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf")
    assert list(read_rows(tmp_path / name)) == []
