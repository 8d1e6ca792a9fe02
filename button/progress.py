"""What a user sees of a run: a live funnel on a terminal, a log line now and then elsewhere, and the trajectories."""

import asyncio
import contextlib
import logging
import math
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from button.export.render import render, render_text
from button.funnel import Funnel, StepCount
from signatures.records import Example

log = logging.getLogger(__name__)
TERMINAL_SECONDS = 0.25
LOG_SECONDS = 10.0
PACE_SECONDS = 15.0  # speeds are those of the last quarter of a minute


class Limiter(Protocol):
    """The calls in flight at one endpoint, and how many it may have."""

    @property
    def in_flight(self) -> int: ...

    @property
    def limit(self) -> int: ...


class Server(Protocol):
    """Where calls go."""

    def trouble(self) -> str | None:
        """What is wrong with it while calls are asked again; None where it answers."""
        ...


@dataclass(slots=True)
class RunView:
    """What the display reads; the pipeline keeps it up to date. `accepted` starts above 0 in a resumed run.

    `n` None is as many as the seeds give.
    """

    n: int | None
    funnel: Funnel
    limiters: Sequence[Limiter]
    accepted: int = 0
    servers: Sequence[Server] = ()

    @property
    def troubles(self) -> list[str]:
        return [trouble for server in self.servers if (trouble := server.trouble()) is not None]

    @property
    def goal(self) -> str:
        """What follows a count: " of 8", or nothing."""
        return f" of {self.n}" if self.n is not None else ""


@dataclass(frozen=True, slots=True)
class Figures:
    """A run at one moment; seconds, US dollars, per second. None is not known yet."""

    calls_in_flight: int
    call_limit: int
    calls_rate: float
    tokens_rate: float
    cost: float
    projected_cost: float | None
    elapsed: float
    remaining: float | None


class Pace:
    """The figures of a run as it goes; `clock` gives seconds."""

    def __init__(self, view: RunView, clock: Callable[[], float] = time.monotonic) -> None:
        self.view = view
        self.clock = clock
        self.started = clock()
        self.accepted_before = view.accepted
        self._samples = deque([(self.started, view.funnel.lm_calls, view.funnel.tokens)])

    def figures(self) -> Figures:
        view, now = self.view, self.clock()
        calls, tokens, cost = view.funnel.lm_calls, view.funnel.tokens, view.funnel.cost
        self._samples.append((now, calls, tokens))
        while len(self._samples) > 2 and self._samples[1][0] <= now - PACE_SECONDS:
            self._samples.popleft()
        then, calls_then, tokens_then = self._samples[0]
        span = max(now - then, 1e-9)
        made = view.accepted - self.accepted_before
        return Figures(
            calls_in_flight=sum(limiter.in_flight for limiter in view.limiters),
            call_limit=sum(limiter.limit for limiter in view.limiters),
            calls_rate=(calls - calls_then) / span,
            tokens_rate=(tokens - tokens_then) / span,
            cost=cost,
            projected_cost=cost * view.n / view.accepted if view.accepted and view.n else None,
            elapsed=now - self.started,
            remaining=(now - self.started) * (view.n - view.accepted) / made if made and view.n else None,
        )


class Display(Protocol):
    """Shows the state of a run, every `seconds`, and single trajectories."""

    seconds: float

    def start(self) -> None: ...

    def state(self, figures: Figures) -> None: ...

    def trajectory(self, number: int, example: Example) -> None: ...

    def stop(self) -> None: ...


class TerminalDisplay:
    """The funnel table and a progress bar, redrawn in place; trajectories scroll by above it."""

    seconds = TERMINAL_SECONDS

    def __init__(self, view: RunView, console: Console) -> None:
        self.view = view
        self.console = console
        self.live = Live(console=console, auto_refresh=False)

    def start(self) -> None:
        self.live.start()

    def state(self, figures: Figures) -> None:
        troubles = [Text(trouble, style="yellow") for trouble in self.view.troubles]
        self.live.update(Group(funnel_table(self.view.funnel), _bar(self.view, figures), *troubles), refresh=True)

    def trajectory(self, number: int, example: Example) -> None:
        self.console.print(Rule(f"{number}{self.view.goal}"), render(example), "")

    def stop(self) -> None:
        self.live.stop()


class LogDisplay:
    """Plain text: trajectories on the console's file, the state as log lines."""

    seconds = LOG_SECONDS

    def __init__(self, view: RunView, console: Console) -> None:
        self.view = view
        self.console = console

    def start(self) -> None: ...

    def state(self, figures: Figures) -> None:
        log.info(
            "%d%s accepted | %s | %s", self.view.accepted, self.view.goal, summary(figures), _drops(self.view.funnel)
        )
        for trouble in self.view.troubles:
            log.warning("%s", trouble)

    def trajectory(self, number: int, example: Example) -> None:
        file = self.console.file
        try:
            file.write(f"--- {number}{self.view.goal}\n{render_text(example)}\n")
            file.flush()
        except BrokenPipeError:  # as after `| head`; the run is about its files, so it goes on
            log.warning("nobody reads the trajectories any more, so they are no longer shown; the run goes on")
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, file.fileno())
            os.close(nowhere)

    def stop(self) -> None: ...


class Progress:
    """Shows one run, from `async with` to its end.

    `show` trajectories are shown as they are accepted ("all", "none" or a number of this session's); of the others
    only the count is seen.
    """

    def __init__(
        self, view: RunView, *, show: Literal["all", "none"] | int = 4, console: Console | None = None
    ) -> None:
        console = console or Console()
        self.view = view
        self.left = {"all": math.inf, "none": 0}.get(str(show), 0) if isinstance(show, str) else show
        self.display: Display = (TerminalDisplay if console.is_terminal else LogDisplay)(view, console)
        self.pace = Pace(view)
        self._ticking: asyncio.Task[None] | None = None

    def accepted(self, example: Example) -> None:
        """Counts an accepted trajectory and shows it."""
        self.view.accepted += 1
        if self.left > 0:
            self.left -= 1
            self.display.trajectory(self.view.accepted, example)

    async def __aenter__(self) -> Self:
        self.display.start()
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticking
        self.display.state(self.pace.figures())
        self.display.stop()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self.display.seconds)
            self.display.state(self.pace.figures())


def funnel_table(funnel: Funnel) -> Table:
    """The funnel as a table: a row a step."""
    table = Table("step", box=None, pad_edge=False, header_style="dim")
    for heading in ("in", "out", "dropped", "live", "LM calls"):
        table.add_column(heading, justify="right")
    table.add_column("why", style="dim", overflow="ellipsis", no_wrap=True)
    for name, count in funnel.steps.items():
        dropped = sum(count.dropped.values())
        numbers = (count.taken, count.given, dropped, count.live, count.lm_calls)
        table.add_row(name, *(f"{number:,}" if number else "-" for number in numbers), _reasons(count))
    return table


def summary(figures: Figures) -> str:
    """Calls, speed, cost and time in one line."""
    cost = f"${figures.cost:.2f}"
    if figures.cost and figures.projected_cost is not None:
        cost += f" of about ${figures.projected_cost:.2f}"
    left = "" if figures.remaining is None else f", about {_clock(figures.remaining)} left"
    return (
        f"{figures.calls_in_flight}/{figures.call_limit} calls in flight, {figures.calls_rate:.1f} calls/s,"
        f" {figures.tokens_rate:,.0f} tokens/s | {cost} | {_clock(figures.elapsed)}{left}"
    )


def _bar(view: RunView, figures: Figures) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    bar = ProgressBar(total=view.n, completed=min(view.accepted, view.n or 0), width=30)
    grid.add_row(bar, Text(f"{view.accepted}{view.goal} accepted", style="bold"))
    return Group("", grid, Text(summary(figures), style="dim"))


def _reasons(count: StepCount) -> str:
    return ", ".join(f"{reason} {times}" for reason, times in count.dropped.most_common(3))


def _drops(funnel: Funnel) -> str:
    drops = [f"{name}: {_reasons(count)}" for name, count in funnel.steps.items() if count.dropped]
    return f"dropped by {'; '.join(drops)}" if drops else "none dropped"


def _clock(seconds: float) -> str:
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"
