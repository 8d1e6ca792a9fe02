import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from datasets import Features, List, Value
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples, for_examples, weather_example

from button.export.openai_messages import features, to_openai
from button.export.parquet import SplitWriter
from signatures.records import Example


def _write(folder: Path, rows: list[dict[str, Any]], rows_a_shard: int = 1000) -> None:
    writer = SplitWriter(folder, "train", rows_a_shard)
    for row in rows:
        writer.add(row)
    writer.finish()


def _stored(folder: Path) -> list[dict[str, Any]]:
    """The rows as any Parquet reader sees them, the JSON text parsed, absent keys of messages left out."""
    rows = [row for shard in sorted(folder.iterdir()) for row in pq.read_table(shard).to_pylist()]
    for row in rows:
        row["messages"] = [{key: value for key, value in m.items() if value is not None} for m in row["messages"]]
        for call in (call for message in row["messages"] for call in message.get("tool_calls", ())):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        row["tools"] = [json.loads(tool) for tool in row["tools"]]
        row["meta"] = json.loads(row["meta"])
    return rows


@for_examples
@given(st.lists(examples(), min_size=1, max_size=2))
def test_rows_are_stored_exactly(given_examples: list[Example]) -> None:
    rows = [to_openai(example) for example in given_examples]
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), rows)
        assert _stored(Path(folder)) == rows


def test_shards_are_bounded_numbered_and_in_order(tmp_path: Path) -> None:
    rows = [to_openai(weather_example(first=f"City {number}")) for number in range(7)]

    _write(tmp_path, rows, rows_a_shard=3)

    names = [f"train-{number:05d}-of-00003.parquet" for number in range(3)]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert [pq.read_metadata(tmp_path / name).num_rows for name in names] == [3, 3, 1]
    assert _stored(tmp_path) == rows


def test_full_shards_leave_no_empty_one_behind(tmp_path: Path) -> None:
    _write(tmp_path, [to_openai(weather_example(first=f"City {number}")) for number in range(4)], rows_a_shard=2)

    assert len(list(tmp_path.iterdir())) == 2


def test_the_schema_carries_the_features(tmp_path: Path) -> None:
    _write(tmp_path, [to_openai(weather_example())])

    schema = pq.read_schema(tmp_path / "train-00000-of-00001.parquet")
    assert Features.from_arrow_schema(schema) == features()


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, float("nan")])
def test_a_number_that_readers_cannot_take_is_refused(tmp_path: Path, number: float) -> None:
    row = to_openai(weather_example())
    row["messages"][2]["tool_calls"][0]["function"]["arguments"] = {"n": number}

    with pytest.raises(ValueError, match=r"64-bit|Out of range"):
        SplitWriter(tmp_path, "train", 10).add(row)


def test_a_shard_ends_with_the_chunk_that_brings_it_to_its_size(tmp_path: Path) -> None:
    rows = [to_openai(weather_example(first=f"City {number}")) for number in range(7)]
    writer = SplitWriter(tmp_path, "test", bytes_a_shard=1, rows_a_chunk=2)
    for row in rows:
        writer.add(row)
    writer.finish()

    assert sorted(path.name for path in tmp_path.iterdir()) == [f"test-{n:05d}-of-00004.parquet" for n in range(4)]
    assert _stored(tmp_path) == rows


def test_files_that_are_not_described_say_nothing_of_features(tmp_path: Path) -> None:
    columns = Features({"id": Value("string"), "turns": List({"from": Value("string"), "value": Value("string")})})
    row = {"id": "a", "turns": [{"from": "human", "value": "Hi."}]}
    writer = SplitWriter(tmp_path, "train", columns=columns, described=False)
    writer.add(row)
    writer.finish()

    table = pq.read_table(tmp_path / "train-00000-of-00001.parquet")
    assert table.schema.metadata is None
    assert table.to_pylist() == [row]
