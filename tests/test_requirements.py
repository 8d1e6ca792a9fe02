"""What is installed is pinned: exact versions, a hash for each file, no address of a registry."""

import re
import tomllib
from pathlib import Path

import pytest

from button.lms.weights import EMBEDDED, Size

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(
    r"(?P<name>[a-z0-9-]+)==(?P<version>[^\s;]+)(?P<marker> ; [^-]*(?:-(?!-)[^-]*)*)?( --hash=sha256:\S{64})+"
)


def requirements(file: Path) -> list[str]:
    """The file's requirements, one a line, without comments."""
    text = re.sub(r"\\\n\s*", "", file.read_text())
    return [" ".join(line.split()) for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_requirement_has_an_exact_version_and_hashes(file: Path) -> None:
    lines = requirements(file)
    assert lines
    assert not [line for line in lines if not PINNED.fullmatch(line)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_requirement_says_where_to_get_it(file: Path) -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host", file.read_text())


@pytest.mark.parametrize("size", EMBEDDED)
def test_the_pinned_weights_are_the_parts_that_get_joined(size: Size) -> None:
    pinned = [line.split("==")[0] for line in requirements(ROOT / f"requirements/weights-{size}.txt")]
    assert pinned == [part.package.replace("_", "-") for part in EMBEDDED[size].parts]


@pytest.mark.parametrize(("extra", "size"), [("embedded", "1.5b"), ("embedded-small", "0.5b")])
def test_an_extra_asks_for_the_same_weights_as_the_makefile(extra: str, size: Size) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [each for each in project["optional-dependencies"][extra] if "part" in each]
    assert asked == [line.split()[0] for line in requirements(ROOT / f"requirements/weights-{size}.txt")]
