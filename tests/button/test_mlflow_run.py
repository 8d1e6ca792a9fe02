"""The far end of the pipe, called as such; the pipe and the process: test_tracking."""

from pathlib import Path
from typing import Any

import pytest


@pytest.mark.slow
def test_a_run_that_was_published_is_tagged_with_it_and_no_other_is(tmp_path: Path) -> None:
    from button.mlflow_run import MlflowRun

    def run(verb: str, out: str, *events: dict[str, Any]) -> MlflowRun:
        opening = {"verb": verb, "uri": f"sqlite:///{tmp_path}/mlflow.db", "experiment": "button", "config": {}}
        found = MlflowRun({**opening, "out": out, "resumed": False, "at": 1_700_000_000_000})
        found.follow(iter([*events, {"status": "finished", "files": [], "at": 1_700_000_001_000}]))
        return found

    runs = {
        "made": run("generate", "/runs/it's mine"),
        "other": run("generate", "/runs/other"),
        "evaluated": run("evaluate", "/runs/it's mine"),
    }
    tags = {"publish.repo": "me/set", "publish.commit": "0a1b2c"}
    runs["published"] = run("publish", "/runs/it's mine", {"tags": tags, "made_in": "/runs/it's mine"})
    runs["alone"] = run("publish", "/runs/unknown", {"tags": tags, "made_in": "/runs/unknown"})
    client = runs["made"].client
    found = {name: client.get_run(made.id).data.tags for name, made in runs.items()}
    tagged = {name for name, tags_of in found.items() if tags.items() <= tags_of.items()}
    assert tagged == {"made", "published", "alone"}
    assert not [name for name in ("other", "evaluated") if "publish.repo" in found[name]]
