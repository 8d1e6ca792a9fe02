from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from button.errors import UserError
from button.seeds.parquet_rows import BATCH, read_parquet_rows


def test_rows_come_in_order_over_batches_and_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    texts = [f"text {number}" for number in range(2 * BATCH + 7)]
    pq.write_table(pa.table({"text": texts}), path, row_group_size=BATCH - 1)
    rows = list(read_parquet_rows(path))
    assert [row.value["text"] for row in rows] == texts
    assert (rows[-1].number, rows[-1].place) == (len(texts), f"{path}, row {len(texts)}")


def test_nested_columns_come_as_lists_and_mappings(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    conversations = [{"from": "human", "value": "hello"}]
    pq.write_table(pa.table({"conversations": [conversations]}), path)
    assert [row.value for row in read_parquet_rows(path)] == [{"conversations": conversations}]


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["one"]}), path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UserError, match=r"a\.parquet, after row 0: broken Parquet"):
        list(read_parquet_rows(path))


def test_a_column_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"], pa.binary()).buffers())
    pq.write_table(pa.table({"text": broken}), path)
    with pytest.raises(UserError, match="broken Parquet"):
        list(read_parquet_rows(path))
