import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHIPPED = ["button", "conf", "experiments", "modules", "signatures"]


def test_a_wheel_holds_all_code_configs_and_data(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="hatchling builds the wheel: make setup")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("button_instruct-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    suffixes = {".py", ".yaml", ".jsonl", ".typed", ".html", ".jinja"}
    files = [file for folder in SHIPPED for file in (ROOT / folder).rglob("*") if file.suffix in suffixes]
    assert not {str(file.relative_to(ROOT)) for file in files} - held
    assert not [name for name in held if name.startswith(("tests/", "outputs/"))]
