import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from button.errors import UserError
from button.journal import Journal, Key, Usage
from button.run_folder import CONFIG, JOURNAL, locked, opened_journal, pin_config, write_whole
from signatures.records import Drop, Seed

ROOT = Path(__file__).parents[2]
RUN: dict[str, Any] = {"n": 8, "lm": {"model": "a", "limits": {"max_in_flight": 4}}, "steps": {"task": {}}, "out": "x"}
SEED = Seed.derive(None, text="booking a trip", form="scenario", source="s#1")
HOLDER = """
import sys
from pathlib import Path
from button.run_folder import locked

with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def pinned(out: Path, config: dict[str, Any], *, calls: int = 1) -> None:
    """A run of `config` that has made so many `calls`."""
    with locked(out), opened_journal(out, config) as journal:
        pin_config(out, journal, config)
        outcome = Drop(reason="invalid", detail="")
        journal.put_outcome(Key("task", SEED.id, 0), SEED, outcome, Usage(calls=calls))


def test_a_folder_is_made_and_held_for_one_process(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "first"
    command = [sys.executable, "-c", HOLDER, str(out)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": {"PYTHONPATH": str(ROOT)}}
    with subprocess.Popen(command, **pipes) as holder:  # type: ignore[call-overload]
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=f"out={out} is in use by another run"), locked(out):
            pass
        holder.kill()
    with locked(out):
        assert out.is_dir()


def test_a_folder_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    with locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UserError, match=r"cannot be written: .*; choose another folder with out="), locked(out):
            pass


def test_the_same_config_opens_the_journal_again(tmp_path: Path) -> None:
    pinned(tmp_path, RUN)
    pinned(tmp_path, {**RUN, "out": "y", "lm": {"model": "a", "limits": {"max_in_flight": 99}}})


def test_another_config_is_refused_with_the_keys_that_differ(tmp_path: Path) -> None:
    pinned(tmp_path, RUN)
    with pytest.raises(UserError) as caught:
        pinned(tmp_path, {**RUN, "n": 9, "lm": {"model": "b"}})
    assert str(caught.value) == (
        f"out={tmp_path} holds a run of another config:\n  lm.model: 'a' there, 'b' here\n  n: 8 there, 9 here\n"
        "run with that config, or choose another `out`"
    )
    pinned(tmp_path, RUN)


def test_a_config_that_was_never_pinned_binds_nobody(tmp_path: Path) -> None:
    with locked(tmp_path), opened_journal(tmp_path, RUN):
        pass
    pinned(tmp_path, {**RUN, "n": 9})


def test_a_config_without_an_answer_of_a_model_makes_way_with_all_that_it_decided(tmp_path: Path) -> None:
    pinned(tmp_path, RUN, calls=0)
    with opened_journal(tmp_path, RUN) as journal:
        assert journal.resumed
    with opened_journal(tmp_path, {**RUN, "n": 9}) as journal:
        assert not journal.resumed


async def test_an_answer_that_led_to_no_outcome_yet_binds_the_folder_too(tmp_path: Path) -> None:
    with locked(tmp_path), opened_journal(tmp_path, RUN) as journal:
        pin_config(tmp_path, journal, RUN)
        await journal.put_answer(Key("task", "a record", 0), "first", b"{}")
    with pytest.raises(UserError, match="holds a run of another config"):
        pinned(tmp_path, {**RUN, "n": 9})


def test_a_journal_of_another_format_is_refused(tmp_path: Path) -> None:
    pinned(tmp_path, RUN)
    journal = Journal(tmp_path / JOURNAL)
    journal.set_meta("format", "0")
    journal.close()
    with pytest.raises(UserError, match="has format 0, this version reads 1; choose another `out`"):
        pinned(tmp_path, RUN)


def test_the_journal_is_closed_whatever_happens(tmp_path: Path) -> None:
    with pytest.raises(KeyError), opened_journal(tmp_path, RUN) as journal:
        raise KeyError
    with pytest.raises(Exception, match="closed"):
        journal.meta("format")


def test_the_pinned_config_is_written_for_people(tmp_path: Path) -> None:
    pinned(tmp_path, {**RUN, "name": "né\n東京"})
    text = (tmp_path / CONFIG).read_text(encoding="utf-8")
    assert text.startswith("n: 8\nlm:\n  model: a\n")
    assert "東京" in text
    assert yaml.safe_load(text) == {**RUN, "name": "né\n東京"}


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_whole(path, "old")
    with path.open() as reader:
        write_whole(path, "new and longer")
        assert reader.read() == "old"
    assert path.read_text() == "new and longer"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
