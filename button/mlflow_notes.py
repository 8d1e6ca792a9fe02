"""What a study tells its MLflow run beside metrics and files: tables, inputs, artifacts in folders, programs."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.tracking import MlflowClient

from button.programs import Program
from button.registry import register

Note = Mapping[str, Any]
REGISTERED = "button.registered"


def table(client: MlflowClient, run: str, note: Note) -> None:
    """`rows`, all with the same keys, as the table `name`; a run that goes on would otherwise append them again."""
    rows, known = note["rows"], {artifact.path for artifact in client.list_artifacts(run)}
    if rows and note["name"] not in known:
        client.log_table(run, {key: [row[key] for row in rows] for key in rows[0]}, note["name"])


def inputs(client: MlflowClient, run: str, note: Note) -> None:
    """`datasets`: name, digest, context and source of each."""
    found = [
        DatasetInput(
            Dataset(one["name"], one["digest"], "button", json.dumps(one["source"])),
            [InputTag("mlflow.data.context", one["context"])],
        )
        for one in note["datasets"]
    ]
    client.log_inputs(run, datasets=found)


def artifacts(client: MlflowClient, run: str, note: Note) -> None:
    """The files at `paths`, in the artifact folder `folder`."""
    for path in note["paths"]:
        if Path(path).is_file():
            client.log_artifact(run, path, note["folder"] or None)


def program(client: MlflowClient, run: str, note: Note) -> None:
    """A program for the prompt registry; its artifact is logged already."""
    found = Program.model_validate(note["program"])
    if client.get_run(run).data.tags.get(REGISTERED) != found.hash:
        register(found, run, message=note["message"], is_best=note["is_best"])
        client.set_tag(run, REGISTERED, found.hash)


NOTES: Mapping[str, Callable[[MlflowClient, str, Note], None]] = {
    "table": table,
    "inputs": inputs,
    "artifacts": artifacts,
    "program": program,
}
