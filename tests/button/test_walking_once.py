"""`n=null`: a run that walks its seeds a fixed number of times, whatever comes of them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from generating import generate

from button.config import GenerateSettings, settings_from
from button.errors import UserError

SIX = ("n=null", "draws=1", "seeds.limit=6")


def test_each_seed_is_walked_once_and_the_run_is_then_finished(tmp_path: Path) -> None:
    ran = generate(tmp_path / "run", *SIX)
    assert ran.code == 0
    assert ran.funnel["seeds"]["in"] == 6
    assert 0 < len(ran.examples) <= 12  # a scenario and its evolved one for each seed
    with closing(sqlite3.connect(ran.out / "run.db")) as tables:
        assert tables.execute("SELECT DISTINCT draw FROM outcomes").fetchall() == [(0,)]
    assert "nothing to do" in generate(tmp_path / "run", *SIX).said


def test_the_seeds_make_the_same_data_however_many_rows_are_in_the_works(tmp_path: Path) -> None:
    one = generate(tmp_path / "one", *SIX, "executor.rows=1")
    assert generate(tmp_path / "many", *SIX).data == one.data


def test_two_draws_walk_each_scenario_twice(tmp_path: Path) -> None:
    ran = generate(tmp_path / "run", "n=null", "draws=2", "seeds.limit=2")
    with closing(sqlite3.connect(ran.out / "run.db")) as tables:
        assert tables.execute("SELECT DISTINCT draw FROM outcomes WHERE step = 'task'").fetchall() == [(0,), (1,)]


def test_a_run_without_n_and_without_draws_would_not_end_and_is_refused() -> None:
    node = {"_target_": "button.x"}
    config = {"n": None, "out": "x", "seeds": node, "lm": node, "steps": {"a": node}, "export": node}
    with pytest.raises(UserError, match=r"draws=null.*draws=1 walks each seed once"):
        settings_from(config, GenerateSettings)
    assert settings_from({**config, "draws": 1}, GenerateSettings).n is None
