"""`button publish`: a run, or a folder of tuned prompts, becomes a repo at the Hugging Face Hub."""

import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub.utils import (  # type: ignore[attr-defined]  # public by its documentation
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)

from button.config import JsonObject, as_config
from button.publish.publishing import Publishing
from button.publish.refusals import cleaned
from button.publish.settings import PublishSettings
from button.tracking import open_tracking


async def publish(settings: PublishSettings) -> None:
    """Publishes, or says that it is published already. Raises UserError where the Hub or the data does not allow it.

    Repo, commit and tag stand in the MLflow run, and in that of the `button generate` that made the run folder.
    """
    publishing = Publishing(settings)
    if settings.dry_run:
        with _interruptible():
            publishing.rehearse()
        return
    with _interruptible():
        publishing.check()
    tracking = await open_tracking(
        settings.tracking, verb="publish", config=_tracked_config(settings), out=settings.source
    )
    status, metrics = "failed", dict[str, float]()
    try:
        with _interruptible(), _progress_on_terminals_only(), _signatures_masked():
            published = publishing.run()
        status, metrics = "finished", published.figures
        tracking.tag(published.tags, made_in=settings.run)
    except KeyboardInterrupt:
        status = "interrupted"
        raise
    finally:
        await tracking.end(status, metrics=metrics, files=[])


def _tracked_config(settings: PublishSettings) -> JsonObject:
    """The settings with the names of folders in place of their paths: where they lie is nobody else's business."""
    named = {key: path.name for key in ("run", "programs") if (path := getattr(settings, key)) is not None}
    return {**as_config(settings), **named}


@contextmanager
def _progress_on_terminals_only() -> Iterator[None]:
    """The client draws its progress bars into files and pipes too, where they are only noise."""
    if sys.stderr.isatty() or are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()


@contextmanager
def _signatures_masked() -> Iterator[None]:
    """The client logs the addresses that it tries again; those of uploads are signed, so whoever has one may upload."""

    def masked(record: logging.LogRecord) -> bool:
        record.msg, record.args = cleaned(record.getMessage()), ()
        return True

    logger = logging.getLogger("huggingface_hub.utils._http")
    logger.addFilter(masked)
    try:
        yield
    finally:
        logger.removeFilter(masked)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends the blocking calls inside at once; asyncio's own handler would wait for their end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
