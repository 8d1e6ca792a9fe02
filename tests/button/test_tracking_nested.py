"""Runs below a run that heads them, in one store: whoever comes first, and figures added to a run that has ended."""

import os
from pathlib import Path

import pytest

from button.config import SWEEP_VARIABLE, TrackingSettings
from button.funnel import Funnel
from button.tracking import open_tracking


@pytest.mark.slow
async def test_runs_nest_under_the_run_that_heads_them_and_get_figures_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = TrackingSettings(uri=f"sqlite:///{tmp_path}/store.db")
    head = await open_tracking(settings, verb="compare", config={"a": 1}, out=tmp_path / "all", heads="0123")
    monkeypatch.setenv(SWEEP_VARIABLE, "0123")
    below = await open_tracking(settings, verb="generate", config={}, out=tmp_path / "all" / "one")
    monkeypatch.delenv(SWEEP_VARIABLE)
    await below.close("finished", Funnel([]), 3, measures={}, files=[])
    head.measured({"compared/accepted": 50.0}, of=tmp_path / "all" / "one")
    head.measured({"compared/accepted": 50.0}, of=tmp_path / "all" / "never run")
    await head.end("finished", metrics={"accepted/one": 2.0}, files=[])
    assert SWEEP_VARIABLE not in os.environ

    from mlflow.tracking import MlflowClient

    client = MlflowClient(settings.uri)
    (experiment,) = [found.experiment_id for found in client.search_experiments() if found.name == "button"]
    runs = {run.info.run_name: run for run in client.search_runs([experiment])}
    assert runs.keys() == {"compare all", "generate one"}
    parent, child = runs["compare all"], runs["generate one"]
    assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert (child.data.metrics["compared/accepted"], child.data.metrics["accepted"]) == (50.0, 3.0)
    assert (parent.data.metrics, parent.data.tags["button.verb"], parent.info.status) == (
        {"accepted/one": 2.0},
        "compare",
        "FINISHED",
    )
