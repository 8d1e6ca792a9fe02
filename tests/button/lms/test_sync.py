"""Covers the blocking form: from many threads at once, with the caller's context, and to a clean end."""

import asyncio
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextvars import ContextVar

import pytest
from canned import Canned, request, response
from dspy import lm15

from button.lms.sync import SyncEngine

ROW: ContextVar[str] = ContextVar("ROW", default="none")


class Meeting(Canned):
    """Answers a call only when another one is under way, with the caller's row."""

    def __init__(self) -> None:
        self.arrived = 0
        self.is_closed = False
        self.both = asyncio.Event()

    async def complete(self, request: lm15.Request) -> lm15.Response:
        self.arrived += 1
        if self.arrived == 2:
            self.both.set()
        await self.both.wait()
        return response(ROW.get())

    async def aclose(self) -> None:
        self.is_closed = True


def test_threads_share_one_loop_and_keep_their_own_context() -> None:
    def work(row: str) -> str:
        ROW.set(row)
        return str(engine.complete(request()).text)

    engine = SyncEngine(Meeting())
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, ["a", "b"])) == ["a", "b"]
    engine.close()


def test_an_engines_error_reaches_the_caller() -> None:
    class Failing(Canned):
        async def complete(self, request: lm15.Request) -> lm15.Response:
            raise lm15.ContextLengthError("too long")

    engine = SyncEngine(Failing())
    with pytest.raises(lm15.ContextLengthError):
        engine.complete(request())
    engine.close()


def test_closing_cancels_what_is_under_way_closes_the_engine_and_ends_the_thread() -> None:
    inner = Meeting()
    engine = SyncEngine(inner)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(engine.complete, request())
        while not inner.arrived:
            time.sleep(0.001)
        engine.close()
        with pytest.raises(CancelledError):
            waiting.result()

    assert inner.is_closed
    assert "lm" not in [thread.name for thread in threading.enumerate()]


def test_it_closes_twice_and_opens_again() -> None:
    engine = SyncEngine(Canned())
    engine.close()
    assert engine.complete(request()) == response()
    engine.close()
    engine.close()
    assert engine.complete(request()) == response()
    engine.close()
