"""DSPy as a long run wants it: no histories, no thread hops, and a garbage collector that seldom looks."""

import asyncio
import functools
import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import dspy

GC_THRESHOLD = 50_000  # new objects between two collections


@contextmanager
def lean() -> Iterator[None]:
    """DSPy without its histories, so that memory stays flat, and without thread hops, which cost half a call."""
    gc.freeze()  # what is loaded stays; looking through it again and again takes a tenth of a call
    gc.set_threshold(GC_THRESHOLD)
    asyncio.get_running_loop().set_default_executor(_Inline())
    with dspy.context(disable_history=True, max_trace_size=0):  # `configure` refuses the second run of a process
        yield


class _Inline(ThreadPoolExecutor):
    """Runs DSPy's own hops in the calling thread: it makes two a call, of a few microseconds each."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        called = fn.args[0] if isinstance(fn, functools.partial) and fn.args else fn
        if not getattr(called, "__module__", "").startswith("dspy."):
            return super().submit(fn, *args, **kwargs)
        # The loop's own kind of future, which `run_in_executor` gives back as it is: a thread's kind has to wake it.
        future = asyncio.get_running_loop().create_future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - an executor hands on whatever its function raises
            future.set_exception(error)
        return future
