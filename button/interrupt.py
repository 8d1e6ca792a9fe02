"""Ctrl-C or SIGTERM: the first lets the calls under way finish, the second ends at once."""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

log = logging.getLogger(__name__)
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruptible(Protocol):
    """Work that makes no further call once it is `interrupted`."""

    interrupted: bool


@contextmanager
def interruptible(work: Interruptible, stopped: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Marks `work` as interrupted at the first signal and calls `stopped`; the second cancels the current task."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def stop() -> None:
        if work.interrupted:
            task.cancel()
        else:
            log.warning("stopping: calls under way finish first; once more to stop at once")
            work.interrupted = True
            stopped()

    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
