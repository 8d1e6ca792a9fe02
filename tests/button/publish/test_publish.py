"""A run becomes a data set at the Hub, and comes back from it with the real clients, row by row."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from generating import Ran
from hub_server import HubServer
from publishing import publish

from button.export.button_text import to_button
from button.export.openai_messages import to_openai
from button.export.sharegpt import to_sharegpt

# In a process of its own, as a reader has it: `datasets` reads the Hub's address when it is imported.
LOAD = """
import json, sys
import datasets
name, revision, out = sys.argv[1:]
found = {}
for config in datasets.get_dataset_config_names(name, revision=revision):
    loaded = datasets.load_dataset(name, config, revision=revision)
    found[config] = {split: list(rows) for split, rows in loaded.items()}
with open(out, "w") as file:
    json.dump(found, file)
"""


def loaded(hub: HubServer, revision: str, folder: Path) -> dict[str, dict[str, list[Any]]]:
    """The rows of all splits of all configs, as `datasets.load_dataset` gives them to somebody without a token."""
    environment = {key: value for key, value in os.environ.items() if key not in ("HF_TOKEN", "HF_HUB_OFFLINE")}
    environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "home")}
    subprocess.run(
        [sys.executable, "-c", LOAD, "me/set", revision, str(folder / "rows.json")],
        env=environment,
        check=True,
        capture_output=True,
        timeout=300,
    )
    found: dict[str, dict[str, list[Any]]] = json.loads((folder / "rows.json").read_text())
    return found


def without_none(value: Any) -> Any:
    """Arrow gives the keys that a row lacks as None."""
    if isinstance(value, dict):
        return {key: without_none(part) for key, part in value.items() if part is not None}
    return [without_none(part) for part in value] if isinstance(value, list) else value


@pytest.mark.slow
def test_a_published_run_is_loaded_by_its_tag_row_by_row_in_every_form(
    hub: HubServer, run: Ran, tmp_path: Path
) -> None:
    ended = publish(f"run={run.out}", "repo=me/set", "tag=v1.0")
    assert ended.code == 0, ended.said
    assert 'load it: datasets.load_dataset("me/set", revision="v1.0")' in ended.said
    hub.repo("me/set").push({"README.md": b"somebody broke the card since"})
    found = loaded(hub, "v1.0", tmp_path)
    assert list(found) == ["default", "button", "sharegpt", "provenance"]
    splits = {split: [each for each in run.examples if each.split == split] for split in found["default"]}
    assert sum(map(len, splits.values())) == len(run.examples) == 8
    for split, examples in splits.items():
        messages = [to_openai(example)["messages"] for example in examples]
        assert [without_none(row["messages"]) for row in found["default"][split]] == messages
        assert [row["tools"] for row in found["default"][split]] == [to_openai(each)["tools"] for each in examples]
        assert [row["messages"] for row in found["button"][split]] == [to_button(each)["messages"] for each in examples]
        conversations = [to_sharegpt(example)["conversations"] for example in examples]
        assert [row["conversations"] for row in found["sharegpt"][split]] == conversations
        assert [row["id"] for row in found["provenance"][split]] == [example.id for example in examples]


def test_the_same_run_again_is_no_commit_and_sends_nothing(hub: HubServer, run: Ran) -> None:
    for _ in range(2):
        assert publish(f"run={run.out}", "repo=me/set").code == 0
    assert len(hub.repo("me/set").history) == 2
    assert hub.count("PUT /lfs/") == sum(name.endswith(".parquet") for name in hub.repo("me/set").files())
    assert hub.count("POST .*/commit/") == 1


def test_a_figure_that_another_matplotlib_drew_is_no_change(hub: HubServer, run: Ran) -> None:
    publish(f"run={run.out}", "repo=me/set")
    hub.repo("me/set").push({"figures/funnel.png": b"drawn elsewhere"})
    assert "nothing to send" in publish(f"run={run.out}", "repo=me/set").said
    assert hub.repo("me/set").files()["figures/funnel.png"] == b"drawn elsewhere"


def test_a_split_that_is_no_longer_there_leaves_the_repo_in_the_same_commit(hub: HubServer, run: Ran) -> None:
    publish(f"run={run.out}", "repo=me/set")
    assert publish(f"run={run.out}", "repo=me/set", "test_share=1").code == 0
    repo = hub.repo("me/set")
    data = {name.rpartition("/")[2] for name in repo.files() if name.startswith("data/")}
    assert (data, len(repo.history)) == ({"test-00000-of-00001.parquet"}, 3)


def test_a_run_that_the_layout_refuses_leaves_no_repo_behind(hub: HubServer, run: Ran) -> None:
    ended = publish(f"run={run.out}", "repo=me/set", "leave_out=[nobody]")
    assert ended.code == 2
    assert hub.store.repos == {}


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.slow
def test_mlflow_keeps_repo_commit_and_tag_and_nothing_that_is_private(
    hub: HubServer, prompts: Path, tmp_path: Path
) -> None:
    assert publish(f"programs={prompts}", "repo=me/set", "tag=v1.0", tracking="mlflow").code == 0
    database = tmp_path / "mlflow.db"
    assert rows(database, "select name, status from runs") == [("publish tuned", "FINISHED")]
    tags = dict(rows(database, "select key, value from tags where key like 'publish.%'"))
    assert tags == {"publish.repo": "me/set", "publish.commit": hub.repo("me/set").head().oid, "publish.tag": "v1.0"}
    params = dict(rows(database, "select key, value from params"))
    assert (params["repo"], params["tag"], params["programs"]) == ("me/set", "v1.0", "tuned")
    metrics = dict(rows(database, "select key, value from latest_metrics"))
    assert metrics["files"] == 4
    assert metrics["bytes_sent"] > 1000
    assert b"hf_write" not in database.read_bytes()
    assert hub.url.removeprefix("http://").encode() not in database.read_bytes()


def test_a_folder_without_a_run_is_refused_before_anything_is_made(hub: HubServer, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = publish(f"run={tmp_path / 'empty'}", "repo=me/set")
    assert ended.code == 2
    assert str(tmp_path / "empty") in ended.said
    assert hub.store.repos == {}
    assert list((tmp_path / "empty").iterdir()) == []
