"""Covers what a whole `button generate`, in a process of its own, loses when it is killed or interrupted: nothing.

BUTTON_KILLS=10 kills it so often. The journal's own durability: button/test_journal; the pipeline's: test_pipeline.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from generating import Ran, data_of, generate
from served import endpoint, served

from button.simulate import Simulator
from signatures.records import JsonObject

ROOT = Path(__file__).parents[1]
KILLS = int(os.environ.get("BUTTON_KILLS", "3"))
IN_FLIGHT = 8
N = 8 * KILLS


@pytest.fixture(scope="module")
def server() -> Iterator[Simulator]:
    with served(latency_ms=20) as running:
        yield running


@pytest.fixture(scope="module")
def whole(server: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """An uninterrupted run."""
    ran = generate(tmp_path_factory.mktemp("whole") / "run", *words(server))
    assert ran.code == 0
    assert server.traffic.summary()["repeats"] == 0
    return ran


def words(server: Simulator) -> list[str]:
    return [*endpoint(server), f"n={N}", f"lm.limits.max_in_flight={IN_FLIGHT}"]


def started(server: Simulator, out: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "button.cli", "generate", *words(server), f"out={out}"]
    return subprocess.Popen(
        [*command, "tracking=none", "show=none"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended_by(number: signal.Signals, server: Simulator, out: Path, *, calls: int) -> "subprocess.Popen[str]":
    """A run that gets a signal soon after its first `calls` have come in, or comes to its own end before."""
    last = server.traffic.summary()["calls"] + calls
    process = started(server, out)
    while process.poll() is None and server.traffic.summary()["calls"] < last:
        time.sleep(0.002)
    time.sleep(random.uniform(0, 0.03))
    process.send_signal(number)
    return process


def forgotten(server: Simulator) -> None:
    """Let the server count anew."""
    server.traffic = type(server.traffic)(keep_bodies=0)


def settled(server: Simulator) -> JsonObject:
    """What the server saw, once it has let go of the calls of a process that is gone."""
    deadline = time.monotonic() + 5
    while server.traffic.in_flight and time.monotonic() < deadline:
        time.sleep(0.01)
    return server.traffic.summary()


@pytest.mark.slow
def test_a_run_killed_at_random_moments_makes_the_same_bytes_and_repeats_no_more_calls_than_were_in_flight(
    server: Simulator, whole: Ran, tmp_path: Path
) -> None:
    forgotten(server)
    kills = 0
    while kills < KILLS:
        moment = random.randint(1, whole.calls // KILLS)  # another one each time; the claim holds for all
        process = ended_by(signal.SIGKILL, server, tmp_path, calls=moment)
        _, said = process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, said
        kills += 1
    process = started(server, tmp_path)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert data_of(tmp_path) == whole.data
    seen = settled(server)
    assert kills > 0
    assert seen["repeats"] <= kills * IN_FLIGHT
    assert seen["peak_in_flight"] <= IN_FLIGHT


@pytest.mark.slow
def test_an_interrupted_run_ends_in_order_and_goes_on_without_repeating_a_call(
    server: Simulator, whole: Ran, tmp_path: Path
) -> None:
    forgotten(server)
    moment = random.randint(whole.calls // 3, whole.calls * 2 // 3)
    process = ended_by(signal.SIGINT, server, tmp_path, calls=moment)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "stopping: calls under way finish first; once more to stop at once" in said
    assert "interrupted: the same command goes on from here" in said.splitlines()[-1]
    assert (tmp_path / "funnel.json").exists()
    kept = (tmp_path / "button.jsonl").read_bytes()
    assert whole.data["button.jsonl"].startswith(kept)
    again = generate(tmp_path, *words(server))
    assert again.code == 0
    assert again.data == whole.data
    assert settled(server)["repeats"] == 0


@pytest.mark.slow
def test_after_an_interrupt_no_further_call_reaches_the_server(tmp_path: Path) -> None:
    with served(latency_ms=400) as server:
        process = ended_by(signal.SIGINT, server, tmp_path, calls=IN_FLIGHT)
        time.sleep(0.2)  # for the signal to arrive: the calls under way take twice as long
        sent = server.traffic.summary()["calls"]
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert settled(server)["calls"] == sent <= 2 * IN_FLIGHT
        assert server.traffic.summary()["statuses"] == {"200": sent}


def test_each_role_may_have_an_endpoint_of_its_own(server: Simulator, whole: Ran, tmp_path: Path) -> None:
    forgotten(server)
    with served(model="strict") as judge:
        ran = generate(
            tmp_path / "run",
            *words(server),
            *("lm@lms.judge=endpoint", f"lms.judge.api_base={judge.url}", "lms.judge.model=strict"),
        )
    assert ran.code == 0
    judged = ran.funnel["judge"]["lm_calls"]
    assert judged >= N
    assert judge.traffic.summary()["calls"] >= judged
    assert ran.examples[0].trajectory.problem.composition.verdict is not None
    assert server.traffic.summary()["calls"] >= ran.calls - judged
    assert server.traffic.summary()["statuses"].keys() == {"200"}
