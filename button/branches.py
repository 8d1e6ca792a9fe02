"""The branches of one row: what a step made several records of goes on as several flows, none of which outlives it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

from button.errors import StopRun
from signatures.records import Record

Flow = Coroutine[Any, Any, list[Record]]


@asynccontextmanager
async def branches(flows: Iterable[Flow], *, at_once: bool = True) -> AsyncIterator[list[Awaitable[list[Record]]]]:
    """The flows, started `at_once`, or each when it is awaited.

    Where one fails its row does at once, whatever it waits for, and the others are cancelled; where one may not go
    on, they end by themselves. So the answers under way in the others when a budget ends are kept.
    """
    waiting = list(flows)
    tasks = [asyncio.ensure_future(flow) for flow in waiting] if at_once else []
    row = asyncio.current_task()
    assert row is not None

    failed: list[BaseException] = []

    def notice(task: asyncio.Task[list[Record]]) -> None:
        error = task.exception() if not task.cancelled() else None
        if error is not None and not isinstance(error, StopRun):
            failed.append(error)
            if len(failed) == 1:
                row.cancel()

    for task in tasks:
        task.add_done_callback(notice)
    try:
        yield [*tasks] if at_once else [*waiting]
    except StopRun:
        if tasks:
            await asyncio.wait(tasks)
        raise
    except asyncio.CancelledError:
        if failed and not row.uncancel():
            raise failed[0] from None
        raise
    finally:
        for task in tasks:
            task.remove_done_callback(notice)
        for branch in tasks or waiting:
            branch.cancel() if isinstance(branch, asyncio.Task) else branch.close()


async def all_of(flows: Iterable[Flow]) -> list[list[Record]]:
    """What all of them give."""
    async with branches(flows) as tasks:
        return await asyncio.gather(*tasks)
