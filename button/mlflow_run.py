"""The far end of button/tracking.py: a process that keeps one MLflow run, told of it by JSON lines on stdin.

It stops at the first fault that three tries do not mend; the last line on stderr then says what it was.
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any

import mlflow
import yaml
from filelock import FileLock
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, SpanType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from button.config import SWEEP_VARIABLE, flattened
from button.export.render import render_text
from button.mlflow_notes import NOTES
from button.run_folder import CONFIG
from button.secrecy import placeless
from signatures.records import AssistantTurn, Example, ToolTurn, UserTurn, content_hash

ROOT = Path(__file__).parents[1]
PARAM_LENGTH = 5_999  # of 6,000 that MLflow takes
BATCH = 100  # params or metrics a request
PARENT_TAG = "mlflow.parentRunId"
NAME_TAG = "mlflow.runName"
RUN_STATUS = {"finished": "FINISHED", "exhausted": "FINISHED", "budget": "FINISHED", "failed": "FAILED"}


def main() -> None:
    """Reads the opening message, then events until the pipe ends; a pipe that ends early is a killed run."""
    os.nice(5)
    sys.excepthook = _say_at_last
    lines = iter(sys.stdin.buffer.readline, b"")
    first = next(lines, b"")
    if not first:
        return
    run = MlflowRun(json.loads(first))
    run.follow(json.loads(line) for line in lines)


class MlflowRun:
    """One MLflow run in the store and experiment of the opening message."""

    def __init__(self, opening: Mapping[str, Any]) -> None:
        uri, verb, out = opening["uri"], opening["verb"], opening["out"]
        mlflow.set_tracking_uri(uri)
        with FileLock(_lock_path(uri)):  # two processes that open one fresh store at once break it
            self.client = _open_store(uri)
            experiment = mended(_experiment, self.client, uri, opening["experiment"])
            sweep = os.environ.get(SWEEP_VARIABLE)
            parent = _sweep_run(self.client, experiment, sweep, verb) if sweep else None
            heads = opening.get("heads")
            earlier = _sweep_run(self.client, experiment, heads, verb) if heads else None
        self.experiment: str = experiment
        mlflow.set_experiment(experiment_id=experiment)
        tags = {"button.out": _folder(out), "button.version": _version(), "status": "running", **_commit()}
        tags |= {"button.verb": verb, "mlflow.source.name": f"button {verb}"}
        if parent is not None:
            tags[PARENT_TAG] = parent
        name = f"{verb} {Path(out).name}"
        if earlier is not None:
            tags[NAME_TAG] = name
        elif opening["resumed"]:
            earlier = _run_of(self.client, experiment, out, verb, unfinished=True)
        if earlier is None:
            earlier = self.client.create_run(experiment, start_time=opening["at"], run_name=name).info.run_id
        self.id: str = mlflow.start_run(run_id=earlier, tags=tags).info.run_id
        self._log_config(opening["config"])
        self.samples: list[str] = []

    def follow(self, events: Iterator[Mapping[str, Any]]) -> None:
        """Writes down the events; the last one holds the status."""
        for event in events:
            if "note" in event:
                mended(NOTES[event["note"]], self.client, self.id, event)
            elif "metrics" in event:
                self._log_metrics(event["metrics"], event["step"], event["at"], event.get("of"))
            elif "example" in event:
                self._log_example(Example.model_validate(event["example"]), event["sample"], event["trace"])
            elif "tags" in event:
                self._log_tags(event["tags"], event["made_in"])
            else:
                self._end(event["status"], event["files"], event["at"])
                return
        self._end("killed", [], int(time.time() * 1000))

    def _log_config(self, config: Mapping[str, Any]) -> None:
        known = self.client.get_run(self.id).data.params
        params = {_key(key): str(value)[:PARAM_LENGTH] for key, value in flattened(config).items()}
        new = [Param(key, value) for key, value in params.items() if key not in known]
        for start in range(0, len(new), BATCH):
            mended(self.client.log_batch, self.id, params=new[start : start + BATCH])
        if seeds := config.get("seeds"):
            source = {key: str(value) for key, value in flattened(seeds).items()}
            dataset = Dataset("seeds", content_hash(seeds)[:8], "button", json.dumps(source))
            inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", "seeds")])]
            mended(self.client.log_inputs, self.id, datasets=inputs)

    def _log_metrics(self, metrics: Mapping[str, float], step: int, at: int, of: str | None) -> None:
        run = _run_of(self.client, self.experiment, of, "generate") if of is not None else self.id
        if run is None:
            return
        found = [Metric(_key(key), float(value), at, step) for key, value in metrics.items()]
        for start in range(0, len(found), BATCH):
            mended(self.client.log_batch, run, metrics=found[start : start + BATCH])

    def _log_tags(self, tags: Mapping[str, str], made_in: str | None) -> None:
        maker = _run_of(self.client, self.experiment, made_in, "generate") if made_in is not None else None
        for run in filter(None, (self.id, maker)):
            for key, value in tags.items():
                mended(self.client.set_tag, run, _key(key), value)

    def _log_example(self, example: Example, sample: bool, trace: bool) -> None:
        if sample:
            self.samples.append(render_text(example))
        if trace:
            mended(log_conversation, example)

    def _end(self, status: str, files: list[str], at: int) -> None:
        if self.samples:
            mended(self.client.log_text, self.id, "\n\n".join(self.samples), "samples.txt")
        for path in files:
            if Path(path).name == CONFIG and Path(path).is_file():
                config = placeless(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
                mended(self.client.log_text, self.id, yaml.safe_dump(config, sort_keys=False), CONFIG)
            elif Path(path).is_file():
                mended(self.client.log_artifact, self.id, path)
        mended(self.client.set_tag, self.id, "status", status)
        mlflow.end_run(ended := RUN_STATUS.get(status, "KILLED"))
        mended(self.client.set_terminated, self.id, ended, end_time=at)


def log_conversation(example: Example) -> None:
    """One trace for one conversation: the request and the final answer, a span a call, the measures as attributes.

    The spans say what happened, not how long it took.
    """
    trajectory = example.trajectory
    with mlflow.start_span(name="conversation", span_type=SpanType.AGENT) as span:
        span.set_attributes(
            {
                "example": example.id,
                "scenario": trajectory.problem.composition.scenario,
                "strategy": trajectory.problem.composition.strategy,
                "parallel": trajectory.parallel,
                **example.measures.model_dump(),
            }
        )
        for turn in trajectory.turns:
            if isinstance(turn, UserTurn):
                span.set_inputs({"request": turn.content})
            elif isinstance(turn, AssistantTurn):
                with mlflow.start_span(name="assistant", span_type=SpanType.CHAT_MODEL) as part:
                    part.set_outputs(turn.model_dump(mode="json"))
                if turn.final is not None:
                    span.set_outputs({"answer": turn.final})
            elif isinstance(turn, ToolTurn):
                for result in turn.results:
                    with mlflow.start_span(name=result.name, span_type=SpanType.TOOL) as part:
                        part.set_inputs(result.arguments)
                        part.set_outputs(result.results)


def mended(write: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What `write` gives, tried three times: a store that others write to may be locked for a while."""
    for pause in (1.0, 5.0):
        try:
            return write(*arguments, **named)
        except MlflowException:
            time.sleep(pause)
    return write(*arguments, **named)


def _open_store(uri: str) -> MlflowClient:
    """The store's client; a SQLite store is created, which takes seconds."""
    database = _database(uri)
    if database is None or database.exists():
        return MlflowClient(uri)
    client = MlflowClient(uri)
    client.search_experiments(max_results=1)
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA journal_mode=WAL")  # MLflow leaves it off; commits are five times as fast
    return client


def _experiment(client: MlflowClient, uri: str, name: str) -> str:
    """The id of the experiment, made where it is not there."""
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    database = _database(uri)
    # MLflow would take ./mlruns of whatever folder the first run was started in.
    place = (database.parent / "mlartifacts").as_uri() if database is not None else None
    return str(client.create_experiment(name, artifact_location=place))


def _sweep_run(client: MlflowClient, experiment: str, sweep: str, verb: str) -> str:
    """The run that the runs of one multirun, or of one comparison, nest under; the first who needs it makes it."""
    found = client.search_runs([experiment], f"tags.`button.sweep` = '{sweep}'", max_results=1)
    if found:
        return str(found[0].info.run_id)
    run = client.create_run(experiment, tags={"button.sweep": sweep, "button.verb": verb}, run_name=f"{verb} multirun")
    client.set_terminated(run.info.run_id)
    return str(run.info.run_id)


def _run_of(client: MlflowClient, experiment: str, out: str, verb: str, *, unfinished: bool = False) -> str | None:
    """The latest MLflow run of this verb on the run folder `out`; if asked for, one that an earlier part of it left."""
    sought = f"tags.`button.out` = '{_folder(out)}' AND tags.`button.verb` = '{verb}'"
    if unfinished:
        sought += " AND tags.status != 'finished'"
    found = client.search_runs([experiment], sought, order_by=["start_time DESC"], max_results=1)
    return str(found[0].info.run_id) if found else None


def _folder(out: str) -> str:
    """A run folder as it is noted: told apart from others, without saying where it is."""
    return f"{_key(Path(out).name)} {content_hash(out)[:12]}"


def _database(uri: str) -> Path | None:
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def _lock_path(uri: str) -> Path:
    database = _database(uri)
    if database is None:
        return Path(tempfile.gettempdir()) / f"button-{content_hash(uri)}.lock"
    database.parent.mkdir(parents=True, exist_ok=True)
    return database.with_name(f"{database.name}.lock")


def _version() -> str:
    try:
        return version("button-instruct")
    except PackageNotFoundError:
        return "not installed"


def _commit() -> dict[str, str]:
    """The commit of the code, where it lies in a git checkout."""
    if not (ROOT / ".git").exists():
        return {}
    command = ["git", "-C", str(ROOT), "rev-parse", "HEAD"]  # the user's git, wherever it is
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return {"mlflow.source.git.commit": found.stdout.strip()} if found.returncode == 0 else {}


def _say_at_last(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    traceback.print_exception(kind, error, trace)
    sys.stderr.write(f"{kind.__name__}: {' '.join(str(error).split())[:300]}\n")


def _key(key: str) -> str:
    return re.sub(r"[^\w\-. /]", "_", key)[:250]


if __name__ == "__main__":
    main()
