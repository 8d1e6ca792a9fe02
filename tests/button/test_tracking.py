import asyncio
import json
import logging
import sqlite3
from pathlib import Path

import pytest
from strategies import weather_example

from button.config import TrackingSettings
from button.funnel import Funnel
from button.tracking import MlflowTracking, NoTracking, figures, is_traced, open_tracking, tracking_uri


def funnel() -> Funnel:
    found = Funnel(["judge"])
    found.enter("judge")
    found.drop("judge", "not_feasible")
    found.call("judge", prompt_tokens=10, completion_tokens=5, seconds=0.5, cost=0.25)
    return found


def rows(database: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(database) as connection:
        return connection.execute(query).fetchall()


def test_the_funnel_becomes_metrics() -> None:
    assert figures(funnel(), 3, reasons=True) == {
        "accepted": 3,
        "lm_calls": 1,
        "tokens": 15,
        "cost": 0.25,
        "judge/in": 1,
        "judge/out": 0,
        "judge/lm_calls": 1,
        "judge/prompt_tokens": 10,
        "judge/completion_tokens": 5,
        "judge/cost": 0.25,
        "judge/seconds": 0.5,
        "judge/dropped": 1,
        "judge/dropped/not_feasible": 1,
    }


def test_the_store_is_an_absolute_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri(None) == f"sqlite:///{tmp_path}/outputs/mlflow.db"
    assert tracking_uri("sqlite:///a.db") == f"sqlite:///{tmp_path}/a.db"
    assert tracking_uri("sqlite:////abs/a.db") == "sqlite:////abs/a.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri(None) == "http://127.0.0.1:5000"
    assert tracking_uri("http://other") == "http://other"


def test_about_the_given_share_of_conversations_is_traced() -> None:
    ids = [f"{number * 2654435761 % 2**32:08x}" for number in range(2000)]
    assert not any(is_traced(found, 0.0) for found in ids)
    assert all(is_traced(found, 1.0) for found in ids)
    assert 150 < sum(is_traced(found, 0.1) for found in ids) < 250


async def test_without_tracking_no_process_is_started() -> None:
    tracking = await open_tracking(None, verb="generate", config={}, out=Path())
    assert isinstance(tracking, NoTracking)
    tracking.state(funnel(), 1)
    await tracking.close("finished", funnel(), 1, measures={}, files=[])


async def test_a_tracking_that_breaks_is_warned_of_once_and_harms_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    uri = f"sqlite:///{tmp_path}/store.db"
    tracking = await open_tracking(TrackingSettings(uri=uri), verb="generate", config={}, out=tmp_path)
    assert isinstance(tracking, MlflowTracking)
    tracking._process.kill()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            tracking.accepted(weather_example())
            await asyncio.sleep(0.05)
        await tracking.close("finished", funnel(), 1, measures={}, files=[])
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "this run is no longer tracked, the data is not affected"
    ]


@pytest.mark.slow
async def test_runs_that_start_at_once_share_a_fresh_store_and_nest_under_their_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUTTON_SWEEP", "sweep-1")
    database = tmp_path / "outputs" / "mlflow.db"
    settings = TrackingSettings(uri=f"sqlite:///{database}", trace_ratio=1.0)
    (tmp_path / "funnel.json").write_text(json.dumps({"judge": 1}))

    async def tracked(number: int) -> None:
        config = {"n": number, "lm": {"model": "m" * 7000}, "seeds": {"_target_": "button.seeds.X"}}
        out = tmp_path / f"run-{number}"
        tracking = await open_tracking(settings, verb="generate", config=config, out=out)
        tracking.accepted(weather_example())
        files = [tmp_path / "funnel.json", tmp_path / "absent.json"]
        await tracking.close("budget", funnel(), 1, measures={"grounded_share": 0.5}, files=files)

    async def killed() -> None:
        tracking = await open_tracking(settings, verb="generate", config={}, out=tmp_path / "killed")
        assert isinstance(tracking, MlflowTracking)
        tracking._pipe.close()
        await tracking._watch

    await asyncio.gather(tracked(1), tracked(2), killed())
    runs = rows(database, "select name, status from runs order by name")
    assert runs == [
        ("generate killed", "KILLED"),
        ("generate multirun", "FINISHED"),
        ("generate run-1", "FINISHED"),
        ("generate run-2", "FINISHED"),
    ]
    assert rows(database, "select count(distinct value) from tags where key = 'mlflow.parentRunId'") == [(1,)]
    assert rows(database, "select count(*) from tags where key = 'mlflow.parentRunId'") == [(3,)]
    assert rows(database, "select value from tags where key = 'status' order by value") == [
        ("budget",),
        ("budget",),
        ("killed",),
    ]
    params = rows(database, "select key, length(value) from params where key in ('n', 'lm.model') order by 1, 2")
    assert params == [("lm.model", 5999), ("lm.model", 5999), ("n", 1), ("n", 1)]
    assert rows(database, "select distinct value from latest_metrics where key = 'grounded_share'") == [(0.5,)]
    assert rows(database, "select count(*) from trace_info") == [(2,)]
    assert rows(database, "select name from datasets") == [("seeds",)]
    assert rows(database, "pragma journal_mode") == [("wal",)]
    found = sorted(path.name for path in (tmp_path / "outputs" / "mlartifacts").rglob("*.*"))
    assert [name for name in found if "trace" not in name] == [
        "funnel.json",
        "funnel.json",
        "samples.txt",
        "samples.txt",
    ]


async def test_a_run_lasts_from_its_beginning_to_its_end_however_late_it_is_written_down(tmp_path: Path) -> None:
    settings = TrackingSettings(uri=f"sqlite:///{tmp_path}/mlflow.db")
    tracking = await open_tracking(settings, verb="optimize", config={}, out=tmp_path / "o")
    await asyncio.sleep(0.7)
    tracking.curve({"a": 1.0}, 1)
    await tracking.end("finished", metrics={}, files=[])
    ((start, end),) = rows(tmp_path / "mlflow.db", "SELECT start_time, end_time FROM runs")
    ((noted,),) = rows(tmp_path / "mlflow.db", "SELECT timestamp FROM metrics")
    assert isinstance(start, int)
    assert isinstance(noted, int)
    assert isinstance(end, int)
    assert start + 700 <= noted <= end <= start + 5000
