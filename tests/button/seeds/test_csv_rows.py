from pathlib import Path

import pytest

from button.errors import UserError
from button.seeds.csv_rows import read_csv_rows


def written(folder: Path, text: str) -> Path:
    path = folder / "a.csv"
    path.write_bytes(text.encode())
    return path


def test_rows_are_mappings_from_the_header_s_names(tmp_path: Path) -> None:
    path = written(tmp_path, "scenario, domain\r\nbooking a train,travel\r\n")
    assert [row.value for row in read_csv_rows(path)] == [{"scenario": "booking a train", "domain": "travel"}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_told_by_the_header(delimiter: str, tmp_path: Path) -> None:
    path = written(tmp_path, delimiter.join(["id", "text"]) + "\n" + delimiter.join(["1", '"a, b; c"']) + "\n")
    assert [row.value for row in read_csv_rows(path)] == [{"id": "1", "text": "a, b; c"}]


def test_a_quoted_text_may_hold_line_ends_and_the_lines_still_count(tmp_path: Path) -> None:
    path = written(tmp_path, 'id,text\n1,"two\nlines"\n\n2,one\n')
    assert [(row.number, row.place, row.value["text"]) for row in read_csv_rows(path)] == [
        (1, f"{path}, line 2", "two\nlines"),
        (2, f"{path}, line 5", "one"),
    ]


def test_an_unquoted_delimiter_in_a_text_is_refused_not_cut(tmp_path: Path) -> None:
    path = written(tmp_path, "text,domain\nfine,x\ngoing out, then home,y\n")
    with pytest.raises(UserError, match=r"a\.csv, line 3: 3 fields; expected 2 as in the header; put .* double quotes"):
        list(read_csv_rows(path))


@pytest.mark.parametrize("text", ['text\nfine\n"never closed\n', 'text\nfine\n"closed" too early\n'])
def test_broken_quotes_are_refused_with_the_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 3: broken CSV"):
        list(read_csv_rows(written(tmp_path, text)))


def test_a_field_longer_than_the_csv_module_s_own_limit_is_read(tmp_path: Path) -> None:
    (row,) = read_csv_rows(written(tmp_path, "text\n" + "x" * 200_000 + "\n"))
    assert len(row.value["text"]) == 200_000


@pytest.mark.parametrize("text", ["text,domain\n", "\n\n", "\ufeff"])
def test_a_file_without_rows_gives_none(text: str, tmp_path: Path) -> None:
    assert list(read_csv_rows(written(tmp_path, text))) == []
