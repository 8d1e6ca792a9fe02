import hashlib
import os
from pathlib import Path

from button.lms.checksum import has_sha256, remember, sha256_of

SUM = hashlib.sha256(b"weights").hexdigest()


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_file_with_the_right_sum_is_accepted(tmp_path: Path) -> None:
    file = written(tmp_path / "a", b"weights")
    assert sha256_of(file) == SUM
    assert has_sha256(file, SUM, tmp_path / "memory")
    assert has_sha256(file, SUM.upper(), tmp_path / "memory")


def test_a_wrong_sum_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    assert not has_sha256(written(tmp_path / "a", b"other"), SUM, tmp_path / "memory")
    assert not has_sha256(tmp_path / "missing", SUM, tmp_path / "memory")


def test_a_file_found_right_is_not_read_again(tmp_path: Path) -> None:
    file = written(tmp_path / "a", b"weights")
    assert has_sha256(file, SUM, tmp_path / "memory")
    state = file.stat()
    file.write_bytes(b"WEIGHTS")  # the same size and time: only reading it would tell
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert has_sha256(file, SUM, tmp_path / "memory")


def test_a_file_changed_since_is_read_again(tmp_path: Path) -> None:
    file = written(tmp_path / "a", b"weights")
    remember(file, SUM, tmp_path / "memory")
    written(file, b"weights and more")
    assert not has_sha256(file, SUM, tmp_path / "memory")


def test_a_sum_remembered_for_one_file_says_nothing_of_another(tmp_path: Path) -> None:
    remember(written(tmp_path / "a", b"weights"), SUM, tmp_path / "memory")
    state = (tmp_path / "a").stat()
    other = written(tmp_path / "b", b"WEIGHTS")
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert not has_sha256(other, SUM, tmp_path / "memory")


def test_a_memory_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    file = written(tmp_path / "a", b"weights")
    assert has_sha256(file, SUM, file / "not a folder")
