"""The blocking form of an engine, for DSPy's threaded optimisers: the one place where sync is made from async."""

import asyncio
import threading
from typing import Protocol

from dspy.lm15 import Request, Response


class Answerer(Protocol):
    """An engine, or what wraps one."""

    async def complete(self, request: Request) -> Response: ...

    async def aclose(self) -> None: ...


class SyncEngine:
    """Runs an async engine on an event loop of its own, in one background thread. Any thread may call `complete`.

    The engine must not be used from another loop at the same time: its limits count within one loop.
    """

    def __init__(self, engine: Answerer) -> None:
        self.engine = engine
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def complete(self, request: Request) -> Response:
        """Block until the answer is there; raises what the engine raises. An interrupt cancels the call."""
        call = asyncio.run_coroutine_threadsafe(self.engine.complete(request), self._running_loop())
        try:
            return call.result()
        except BaseException:  # raised again, an interrupt too: the call is not left running
            call.cancel()
            raise

    def close(self) -> None:
        """Cancel the calls under way, close the engine and end the thread. It starts anew if called again."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._finish(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="lm", daemon=True)
                self._thread.start()
            return self._loop

    async def _finish(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.engine.aclose()
