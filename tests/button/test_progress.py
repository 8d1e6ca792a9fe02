import asyncio
import io
import logging
import os
from dataclasses import dataclass

import pytest
from rich.console import Console
from strategies import weather_example

from button.funnel import Funnel
from button.progress import LogDisplay, Pace, Progress, RunView, TerminalDisplay, funnel_table, summary


@dataclass
class Room:
    in_flight: int
    limit: int


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def view(n: int = 8, accepted: int = 0) -> RunView:
    funnel = Funnel(["compose", "judge"])
    for _ in range(3):
        funnel.enter("judge")
        funnel.drop("judge", "not_feasible")
    return RunView(n=n, funnel=funnel, limiters=[Room(3, 4), Room(1, 8)], accepted=accepted)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_speeds_are_those_of_the_last_seconds_and_the_rest_is_projected_from_this_session() -> None:
    run, clock = view(n=10, accepted=4), Clock()
    pace = Pace(run, clock)
    for second in range(1, 61):
        clock.now = 100.0 + second
        rate = 2 if second <= 30 else 6
        run.funnel.call("judge", calls=rate, prompt_tokens=90 * rate, completion_tokens=10 * rate, cost=0.001 * rate)
        if second == 60:
            run.accepted += 2
        found = pace.figures()
    assert (found.calls_in_flight, found.call_limit) == (4, 12)
    assert found.calls_rate == pytest.approx(6)
    assert found.tokens_rate == pytest.approx(600)
    assert found.cost == pytest.approx(0.24)
    assert found.projected_cost == pytest.approx(0.4)
    assert found.elapsed == 60
    assert found.remaining == pytest.approx(120)


def test_nothing_is_projected_before_the_first_trajectory() -> None:
    found = Pace(view(), Clock()).figures()
    assert found.remaining is None
    assert found.projected_cost is None
    assert "left" not in summary(found)


def test_a_line_says_calls_speed_cost_and_time() -> None:
    run, clock = view(n=4, accepted=0), Clock()
    pace = Pace(run, clock)
    run.funnel.call("judge", calls=20, prompt_tokens=20_000, cost=1.5)
    run.accepted, clock.now = 1, 3_800.0
    assert summary(pace.figures()).endswith("| $1.50 of about $6.00 | 1:01:40, about 3:05:00 left")
    assert "4/12 calls in flight" in summary(pace.figures())


def test_the_table_has_a_row_a_step_with_the_reasons_of_its_drops() -> None:
    console = Console(file=io.StringIO(), width=100)
    console.print(funnel_table(view().funnel))
    rows = [line.split() for line in printed(console).splitlines()]
    assert rows[0] == ["step", "in", "out", "dropped", "live", "LM", "calls", "why"]
    assert rows[1] == ["compose", "-", "-", "-", "-", "-"]
    assert rows[2] == ["judge", "3", "-", "3", "-", "-", "not_feasible", "3"]


async def test_a_terminal_gets_the_table_the_bar_and_the_trajectories() -> None:
    run, console = view(n=2), Console(file=io.StringIO(), force_terminal=True, width=100, height=40, color_system=None)
    async with Progress(run, show=1, console=console) as progress:
        assert isinstance(progress.display, TerminalDisplay)
        progress.accepted(weather_example())
        progress.accepted(weather_example(first="Lima"))
        await asyncio.sleep(0.3)
    text = printed(console)
    assert "2 of 2 accepted" in text
    assert "not_feasible 3" in text
    assert "Oslo" in text
    assert "Lima" not in text


async def test_a_file_gets_plain_lines_without_control_codes(caplog: pytest.LogCaptureFixture) -> None:
    run, console = view(n=2), Console(file=io.StringIO())
    with caplog.at_level(logging.INFO, logger="button"):
        async with Progress(run, show="all", console=console) as progress:
            assert isinstance(progress.display, LogDisplay)
            progress.accepted(weather_example())
    assert printed(console).startswith("--- 1 of 2\n")
    assert "Oslo" in printed(console)
    assert "\x1b" not in printed(console)
    assert "1 of 2 accepted | 4/12 calls in flight" in caplog.text
    assert "dropped by judge: not_feasible 3" in caplog.text


@dataclass
class Failing:
    said: str | None

    def trouble(self) -> str | None:
        return self.said


async def test_a_server_in_trouble_is_told_of_on_a_terminal_and_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    trouble = "http://127.0.0.1:1/v1 answers 503: retrying, 12 calls wait for another try"
    for terminal in (True, False):
        console = Console(file=io.StringIO(), force_terminal=terminal, width=100, height=40, color_system=None)
        run = view()
        run.servers = [Failing(None), Failing(trouble)]
        async with Progress(run, show="none", console=console) as progress:
            progress.display.state(progress.pace.figures())
        assert (trouble in printed(console)) == terminal
    assert {record.levelname for record in caplog.records if trouble in record.message} == {"WARNING"}


@pytest.mark.parametrize(("show", "shown"), [("all", 3), ("none", 0), (0, 0), (2, 2)])
async def test_as_many_trajectories_are_shown_as_asked_for(show: "int | str", shown: int) -> None:
    run, console = view(n=5), Console(file=io.StringIO())
    async with Progress(run, show=show, console=console) as progress:  # type: ignore[arg-type]
        for _ in range(3):
            progress.accepted(weather_example())
    assert printed(console).count("--- ") == shown
    assert run.accepted == 3


async def test_a_reader_who_goes_away_does_not_end_the_run(caplog: pytest.LogCaptureFixture) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as file:
        async with Progress(view(n=3), show="all", console=Console(file=file)) as progress:
            for _ in range(3):
                progress.accepted(weather_example())
    assert caplog.text.count("nobody reads the trajectories any more") == 1


async def test_an_error_of_the_run_passes_through_the_display() -> None:
    with pytest.raises(ZeroDivisionError):
        async with Progress(view(), console=Console(file=io.StringIO())):
            raise ZeroDivisionError
