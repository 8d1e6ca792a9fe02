import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from button.errors import UserError
from button.seeds.decoding import PIECE
from button.seeds.json_rows import read_json_rows

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def written(folder: Path, text: str) -> Path:
    path = folder / "a.json"
    path.write_text(text, encoding="utf-8")
    return path


def values(path: Path) -> list[Any]:
    return [row.value for row in read_json_rows(path)]


@settings(max_examples=50)
@given(st.lists(VALUES), st.sampled_from([None, 1]), st.booleans())
def test_any_list_comes_back_value_by_value(
    tmp_path_factory: pytest.TempPathFactory, given_values: list[Any], indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(given_values, indent=indent, ensure_ascii=ascii_only)
    assert values(written(tmp_path_factory.getbasetemp(), text)) == given_values


@settings(max_examples=50)
@given(st.lists(VALUES.filter(lambda value: not isinstance(value, list)), min_size=1))
def test_any_json_lines_come_back_value_by_value(
    tmp_path_factory: pytest.TempPathFactory, given_values: list[Any]
) -> None:
    text = "\n\n".join(json.dumps(value, ensure_ascii=False) for value in given_values)
    assert values(written(tmp_path_factory.getbasetemp(), text)) == given_values


@pytest.mark.parametrize("length", [PIECE - 10, PIECE - 3, PIECE - 2, PIECE - 1, PIECE, 3 * PIECE])
def test_values_that_cross_a_piece_of_the_file_stay_whole(length: int, tmp_path: Path) -> None:
    given_values = ["x" * length, 123456789, {"a": -1.5e-3}, True, "é\\\n" * length, None]
    assert values(written(tmp_path, json.dumps(given_values, ensure_ascii=False))) == given_values


def test_rows_of_a_list_know_their_lines(tmp_path: Path) -> None:
    path = written(tmp_path, '[\n  {"a":\n 1},\n\n  {"a": 2}, {"a": 3}\n]\n')
    assert [row.place.removeprefix(f"{path}, ") for row in read_json_rows(path)] == [
        "line 2, row 1", "line 5, row 2", "line 5, row 3",
    ]  # fmt: skip


def test_rows_of_json_lines_know_their_lines(tmp_path: Path) -> None:
    path = written(tmp_path, '{"a": 1}\n\n{"a": 2}\n')
    assert [(row.number, row.place) for row in read_json_rows(path)] == [(1, f"{path}, line 1"), (2, f"{path}, line 3")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[{"a": 1},\n{"a" 2},\n{"a": 3}]', 2),
        ('[{"a": 1},\n{"a": 2}\n{"a": 3}]', 3),
        ('[{"a": 1},\n{"a": 2},\n]', 3),
        ('[{"a": 1},\n{"a": 2}\n', 3),
        ('[{"a": 1},\n{"a": "never closed', 2),
        ('[{"a": 1}]\n{"a": 2}', 2),
        ('[{"a": 1},\n{"a": 2,\n\n"b": tru}]', 4),
        ('[1,\n"tab\there"]', 2),
        ("[1,\n" + "[" * 100_000, 2),
        ("[1,\n" + "9" * 5_000 + "]", 2),
        ('{"a": 1}\n{"a": 2\n{"a": 3}', 2),
        ('{"a": 1}\nnot json', 2),
        ('{\n  "a": 1\n}', 1),
    ],
)
def test_broken_json_is_refused_with_its_line(text: str, line: int, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UserError, match=rf"a\.json, line {line}: broken JSON \(.*\); expected a JSON list, or one"):
        list(read_json_rows(path))


def test_broken_json_far_from_the_end_is_found_without_reading_on(tmp_path: Path) -> None:
    path = written(tmp_path, '[{"a" 1},\n' + '"filler",\n' * 400_000 + "]")
    tracemalloc.start()
    with pytest.raises(UserError, match=r"line 1: broken JSON \(Expecting ':' delimiter\)"):
        list(read_json_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_rows_before_the_broken_one_are_given(tmp_path: Path) -> None:
    rows = read_json_rows(written(tmp_path, '{"a": 1}\n{"a"'))
    assert next(rows).value == {"a": 1}


def test_white_space_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds only white space"):
        read_json_rows(written(tmp_path, " \n\n"))


@pytest.mark.parametrize("indent", [None, 1])
def test_a_long_list_is_read_in_little_memory(indent: int | None, tmp_path: Path) -> None:
    path = written(
        tmp_path, json.dumps([{"text": f"{number} " + "word " * 200} for number in range(4_000)], indent=indent)
    )
    assert path.stat().st_size > 4_000_000
    tracemalloc.start()
    count = sum(1 for _ in read_json_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 4_000
    assert peak < 1_000_000
