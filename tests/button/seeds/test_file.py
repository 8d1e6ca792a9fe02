import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from button.errors import UserError
from button.seeds.file import open_seeds
from button.seeds.glaive import GlaiveSeeds
from button.seeds.list import ListSeeds
from button.seeds.toolbench import ToolBenchSeeds

SHAREGPT = {"conversations": [{"from": "human", "value": "hello"}], "tools": "[]"}
ORIGINAL = {"system": "SYSTEM: ...", "chat": "USER: hello"}
QUERY = {"query": "hello", "api_list": []}


@pytest.mark.parametrize(
    ("rows", "source"),
    [
        ([SHAREGPT], GlaiveSeeds),
        ([ORIGINAL], GlaiveSeeds),
        ([QUERY], ToolBenchSeeds),
        ([{"query": "hello"}], ListSeeds),
        (["hello"], ListSeeds),
    ],
)
def test_the_reader_is_told_by_the_first_row(rows: list[Any], source: type, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows))
    found = open_seeds(path)
    assert type(found) is source
    assert [seed.text.removeprefix("User: ") for seed in found] == ["hello"]


def test_a_parquet_form_of_a_known_data_set_is_recognized(tmp_path: Path) -> None:
    pq.write_table(pa.table({"system": [ORIGINAL["system"]], "chat": [ORIGINAL["chat"]]}), tmp_path / "a.parquet")
    assert [seed.text for seed in open_seeds(tmp_path / "a.parquet")] == ["User: hello"]


def test_a_named_column_means_a_list(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([QUERY | {"title": "the title"}]))
    assert [seed.text for seed in open_seeds(path, column="title")] == ["the title"]


def test_no_licence_is_claimed_for_a_file_of_unknown_origin(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([SHAREGPT]))
    assert [seed.license for seed in open_seeds(path)] == [None]
    assert [seed.license for seed in open_seeds(path, licensed="MIT")] == ["MIT"]


@pytest.mark.parametrize(("name", "text"), [("a.json", "[]"), ("a.csv", "text\n")])
def test_a_file_without_rows_is_refused_at_once(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match="holds no rows"):
        open_seeds(tmp_path / name)


def test_a_missing_file_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        open_seeds(tmp_path / "absent.json")
