"""Tracking of a run in MLflow, from outside: a child process (button/mlflow_run.py) keeps the MLflow run.

In a process of its own the import (2.5 s), the first migration of the store and its memory cost the data run nothing,
and whatever happens there (a full disk, a locked store, a server gone) cannot harm it: it is warned of once. When this
process is killed, the child sees the pipe end and closes the MLflow run as killed.
"""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, cast

from button.config import SWEEP_VARIABLE, JsonObject, TrackingSettings
from button.funnel import Funnel
from button.secrecy import placeless
from signatures.records import Example

log = logging.getLogger(__name__)
ROOT = Path(__file__).parents[1]
SAMPLES = 4  # trajectories kept as text beside the MLflow run
STATE_SECONDS = 10.0  # between two points of a metric's curve
CLOSE_SECONDS = 90.0  # that the child gets to write the end of the run
PATIENCE_SECONDS = 2.0  # of waiting for that in silence
BACKLOG = 4 * 2**20  # bytes waiting for the child, beyond which conversations are not sent


class Tracking(Protocol):
    """What a verb tells of its run as it goes. No method raises for a fault of the tracking."""

    def state(self, funnel: Funnel, accepted: int) -> None:
        """The run as it stands; cheap, call it often."""
        ...

    def accepted(self, example: Example) -> None: ...

    async def close(
        self, status: str, funnel: Funnel, accepted: int, *, measures: Mapping[str, float], files: Sequence[Path]
    ) -> None:
        """The end: its status (finished, exhausted, budget, interrupted, failed), last figures, and files to keep."""
        ...

    def tag(self, tags: Mapping[str, str], *, made_in: Path | None = None) -> None:
        """Tags of the run; the `button generate` run that filled the folder `made_in` gets them too, where known."""
        ...

    def measured(self, metrics: Mapping[str, float], *, of: Path) -> None:
        """Metrics of the `button generate` run that filled the folder `of`."""
        ...

    def curve(self, metrics: Mapping[str, float], step: int) -> None:
        """A point of each metric's curve."""
        ...

    def note(self, kind: str, **content: Any) -> None:
        """Something else to keep: see `button.mlflow_notes`, which has a function for each kind."""
        ...

    async def end(self, status: str, *, metrics: Mapping[str, float], files: Sequence[Path]) -> None:
        """The end of a run that has no funnel."""
        ...


async def open_tracking(
    settings: TrackingSettings | None,
    *,
    verb: str,
    config: JsonObject,
    out: Path,
    resumed: bool = False,
    heads: str | None = None,
) -> Tracking:
    """Starts to track a run; `config` is without secrets (`button.config.as_config`); it is sent without addresses and
    local paths.

    A `resumed` run goes on in the MLflow run that its earlier part left unfinished. Runs whose environment has `heads`
    as SWEEP_VARIABLE nest under this one.
    """
    if settings is None:
        return NoTracking()
    opening = {
        "verb": verb,
        "uri": tracking_uri(settings.uri),
        "experiment": settings.experiment,
        "config": placeless(config),
        "out": str(out),
        "resumed": resumed,
        "heads": heads,
    }
    try:
        process = await asyncio.create_subprocess_exec(
            # -P: a datasets.py in the user's folder must not stand in for the library.
            *(sys.executable, "-P", "-m", "button.mlflow_run"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for us; we tell the child how the run ended
        )
    except OSError as error:
        log.warning("this run is not tracked: cannot start a process (%s)", error)
        return NoTracking()
    tracking = MlflowTracking(process, settings.trace_ratio)
    tracking.send(opening)
    return tracking


@contextmanager
def nested_under(identity: str) -> Iterator[None]:
    """Runs that are tracked in here nest under the one that was opened with `heads=identity`, or a new one."""
    before = os.environ.get(SWEEP_VARIABLE)
    os.environ[SWEEP_VARIABLE] = identity
    try:
        yield
    finally:
        os.environ.pop(SWEEP_VARIABLE)
        if before is not None:
            os.environ[SWEEP_VARIABLE] = before


class NoTracking:
    """tracking=none."""

    def state(self, funnel: Funnel, accepted: int) -> None: ...

    def accepted(self, example: Example) -> None: ...

    async def close(
        self, status: str, funnel: Funnel, accepted: int, *, measures: Mapping[str, float], files: Sequence[Path]
    ) -> None: ...

    def tag(self, tags: Mapping[str, str], *, made_in: Path | None = None) -> None: ...

    def measured(self, metrics: Mapping[str, float], *, of: Path) -> None: ...

    def curve(self, metrics: Mapping[str, float], step: int) -> None: ...

    def note(self, kind: str, **content: Any) -> None: ...

    async def end(self, status: str, *, metrics: Mapping[str, float], files: Sequence[Path]) -> None: ...


class MlflowTracking:
    """The near end of the pipe to the child process; one JSON object a line."""

    def __init__(self, process: asyncio.subprocess.Process, trace_ratio: float) -> None:
        self._process = process
        self._pipe = cast("asyncio.StreamWriter", process.stdin)
        self._trace_ratio = trace_ratio
        self._samples = 0
        self._started = self._told = time.monotonic()
        self._closing = False
        self._lost = False
        self._watch = asyncio.create_task(self._watch_child(cast("asyncio.StreamReader", process.stderr)))

    def state(self, funnel: Funnel, accepted: int) -> None:
        now = time.monotonic()
        if now - self._told >= STATE_SECONDS:
            self._told = now
            self.send({"metrics": figures(funnel, accepted), "step": self._step()})

    def accepted(self, example: Example) -> None:
        self._samples += 1
        sample, trace = self._samples <= SAMPLES, is_traced(example.id, self._trace_ratio)
        if (sample or trace) and self._pipe.transport.get_write_buffer_size() < BACKLOG:
            self.send({"example": example.model_dump(mode="json"), "sample": sample, "trace": trace})

    async def close(
        self, status: str, funnel: Funnel, accepted: int, *, measures: Mapping[str, float], files: Sequence[Path]
    ) -> None:
        await self.end(status, metrics={**figures(funnel, accepted, reasons=True), **measures}, files=files)

    def tag(self, tags: Mapping[str, str], *, made_in: Path | None = None) -> None:
        self.send({"tags": dict(tags), "made_in": str(made_in) if made_in is not None else None})

    def measured(self, metrics: Mapping[str, float], *, of: Path) -> None:
        self.send({"metrics": dict(metrics), "step": self._step(), "of": str(of)})

    def curve(self, metrics: Mapping[str, float], step: int) -> None:
        self.send({"metrics": dict(metrics), "step": step})

    def note(self, kind: str, **content: Any) -> None:
        self.send({"note": kind, **content})

    async def end(self, status: str, *, metrics: Mapping[str, float], files: Sequence[Path]) -> None:
        self.send({"metrics": dict(metrics), "step": self._step()})
        self._closing = not self._lost
        self.send({"status": status, "files": [str(path) for path in files]})
        self._pipe.close()
        done, _ = await asyncio.wait({self._watch}, timeout=PATIENCE_SECONDS)
        if not done:
            log.info("waiting for MLflow to write the end of the run (tracking=none does without)")
            done, _ = await asyncio.wait({self._watch}, timeout=CLOSE_SECONDS)
        if not done:
            log.warning("MLflow is still writing after %.0f s; it goes on by itself", CLOSE_SECONDS)

    def send(self, message: Mapping[str, Any]) -> None:
        """Hand a message to the child, with the time in ms since the epoch, as it may come to it late; never waits."""
        if not self._lost:
            timed = {**message, "at": int(time.time() * 1000)}
            self._pipe.write(json.dumps(timed, ensure_ascii=False).encode() + b"\n")

    def _step(self) -> int:
        return round(time.monotonic() - self._started)

    async def _watch_child(self, complaints: asyncio.StreamReader) -> None:
        last = b""
        while line := await complaints.readline():
            last = line.strip() or last
        code = await self._process.wait()
        if code != 0 or not self._closing:
            self._lost = True
            reason = last.decode(errors="replace") or f"exit code {code}"
            log.warning("this run is no longer tracked, the data is not affected: %s", reason)


def tracking_uri(uri: str | None) -> str:
    """`tracking.uri`, else MLFLOW_TRACKING_URI, else outputs/mlflow.db here; a path in it made absolute."""
    uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///outputs/mlflow.db"
    head, path = uri[: len("sqlite:///")], uri[len("sqlite:///") :]
    return f"{head}{Path.cwd() / path}" if head == "sqlite:///" else uri


def figures(funnel: Funnel, accepted: int, *, reasons: bool = False) -> dict[str, float]:
    """The funnel as metrics: `accepted`, `lm_calls`, `tokens`, `cost`, `<step>/in`, ...

    With `reasons` also `<step>/dropped/<reason>`.
    """
    found: dict[str, float] = {
        "accepted": accepted,
        "lm_calls": funnel.lm_calls,
        "tokens": funnel.tokens,
        "cost": funnel.cost,
    }
    for name, counts in funnel.as_dict().items():
        dropped = counts.pop("dropped")
        found.update({f"{name}/{key}": value for key, value in counts.items()})
        found[f"{name}/dropped"] = sum(dropped.values())
        if reasons:
            found.update({f"{name}/dropped/{reason}": times for reason, times in dropped.items()})
    return found


def is_traced(example_id: str, ratio: float) -> bool:
    """Whether a conversation is among the sampled ones: decided by its id, so the same in each try of a run."""
    return int(example_id[:8], 16) < ratio * 2**32


def _environment() -> dict[str, str]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "GIT_PYTHON_REFRESH": "quiet",
        "LITELLM_LOCAL_MODEL_COST_MAP": "true",
    }
