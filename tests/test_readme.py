"""The README's commands: each one is at least composed, and the quick ones are run."""

import re
import shlex
from pathlib import Path

import pytest

from button.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [
    shlex.split(line, comments=True)[1:]
    for block in BLOCKS
    for line in block.splitlines()
    if line.startswith("button ")
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words)[:60])
def test_a_command_of_the_readme_composes(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--cfg", "job"]) == 0, capsys.readouterr().err


def test_the_readme_begins_with_the_two_commands() -> None:
    assert len(COMMANDS) >= 8
    targets = re.findall(r"^make (\w+)", BLOCKS[0], flags=re.MULTILINE)
    assert targets == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(
        re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in (*targets, "setup", "dashboard", "bench")
    )


def test_the_files_that_the_readme_links_to_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
