import os
from pathlib import Path

import pytest

from button.errors import UserError
from button.seeds.decoding import LONGEST_LINE, PIECE, check_file, read_lines, read_pieces


def test_lines_keep_their_ends_and_count_from_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\r\n\ntwo")
    assert list(read_lines(path)) == [(1, "one\r\n"), (2, "\n"), (3, "two")]


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone")
    assert list(read_lines(path)) == [(1, "one")]


def test_a_character_cut_between_two_pieces_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    text = "x" * (PIECE - 1) + "é" + "y" * PIECE
    path.write_text(text, encoding="utf-8")
    assert all(len(piece.text) <= PIECE for piece in read_pieces(path))
    assert list(read_lines(path)) == [(1, text)]


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("one\ncafé au lait\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"a\.txt, line 2: byte 0xe9 is not UTF-8"):
        list(read_lines(path))


def test_a_file_that_ends_inside_a_character_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("one\ncafé".encode()[:-1])
    with pytest.raises(UserError, match="line 2: byte 0xc3 is not UTF-8"):
        list(read_lines(path))


@pytest.mark.parametrize("content", [b"\x7fELF\x01\x00\x00", "one".encode("utf-16"), b"\x1f\x8b\x08\x00gzip"])
def test_a_binary_file_is_refused_with_what_to_do(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"line 1: .*expected UTF-8 text, or a Parquet file; unpack"):
        list(read_lines(path))


def test_a_line_without_an_end_in_sight_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"one\n" + b"x" * (LONGEST_LINE + PIECE + 1))
    with pytest.raises(UserError, match="line 2: longer than 16,777,216 characters"):
        list(read_lines(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.txt does not exist"):
        check_file(tmp_path / "absent.txt")


def test_a_folder_is_refused_with_the_way_to_read_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is a folder, a file was expected; .* seeds=hub"):
        check_file(tmp_path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(UserError, match=r"a\.txt is empty"):
        check_file(tmp_path / "a.txt")


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="is a pipe or a device"):
        check_file(tmp_path / "pipe")


def test_a_path_may_start_at_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.txt").write_text("one")
    assert check_file(Path("~/a.txt")) == tmp_path / "a.txt"
