"""The simulated endpoint of `button simulate`, served from a thread of the test's process."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from button.simulate import Player, SimulateSettings, Simulator, serve


@contextmanager
def served(player: Player | None = None, **settings: Any) -> Iterator[Simulator]:
    """A running server at `url`, on a free port; its `traffic` says what came in."""
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    stop = asyncio.Event()
    found: list[Simulator] = []

    async def run() -> None:
        async with serve(SimulateSettings.model_validate({"port": 0, "latency_ms": 1, **settings}), player) as server:
            found.append(server)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), daemon=True)
    thread.start()
    assert ready.wait(60)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def endpoint(server: Simulator) -> list[str]:
    """The words that make it the language model of a command."""
    return ["lm=endpoint", f"lm.api_base={server.url}", f"lm.model={server.settings.model}"]
