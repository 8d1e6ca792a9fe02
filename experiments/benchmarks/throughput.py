"""What the whole pipeline costs beside a bare loop: `make bench`, or `python -m experiments.benchmarks.throughput -h`.

One simulated server in a process of its own; then, in turns, `button generate` against it and a bare aiohttp loop that
sends the very request bodies that the pipeline sent. Both are measured at the server (calls a second from the first
call to the last, calls in flight) and by their process (CPU, peak memory). Not covered: the dataset's quality.

A pipeline's CPU a call is that of the long run less that of a run of one trajectory, so imports do not count.
"""

import argparse
import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import orjson
from rich.console import Console
from rich.table import Table

START_S = 60.0
KEPT_BODIES = 50_000


@dataclass(frozen=True, slots=True)
class Cost:
    """One process: `calls` in `seconds` between the first and the last, as the server saw them.

    `cpu_s` is the process's own CPU time, user and system; `peak_mb` its largest resident memory, in 10^6 bytes.
    """

    calls: int
    seconds: float
    mean_in_flight: float
    cpu_s: float
    peak_mb: float

    @property
    def calls_per_s(self) -> float:
        return self.calls / self.seconds if self.seconds else 0.0


def main() -> None:
    """Measure, write throughput.json and show a table; with `--raw`, be the bare loop."""
    options = _options()
    if options.raw is not None:
        bodies = [body.encode() for body in json.loads(options.raw.read_text())]
        asyncio.run(_send_all(options.url, bodies, options.in_flight))
        return
    with tempfile.TemporaryDirectory(prefix="button-bench-") as scratch, _server(options) as url:
        report = _measure(url, Path(scratch), options)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "throughput.json").write_text(json.dumps(report, indent=1) + "\n")
    _show(report)


def _measure(url: str, scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    start = _pipeline(url, scratch / "start", 1, options)
    rounds = []
    for number in range(options.rounds):
        ours = _pipeline(url, scratch / f"run{number}", options.n, options)
        bodies = scratch / "bodies.json"
        bodies.write_text(json.dumps(_ask(f"{url}/bodies")))
        rounds.append((ours, _raw(url, bodies, options)))
    return {
        "in_flight": options.in_flight,
        "latency_ms": options.latency_ms,
        "trajectories": options.n,
        "pipeline": [asdict(ours) for ours, _ in rounds],
        "raw": [asdict(raw) for _, raw in rounds],
        "pipeline_calls_per_s": median(ours.calls_per_s for ours, _ in rounds),
        "raw_calls_per_s": median(raw.calls_per_s for _, raw in rounds),
        "share_of_raw": median(ours.calls_per_s / raw.calls_per_s for ours, raw in rounds),
        "pipeline_slots_busy": median(ours.mean_in_flight for ours, _ in rounds) / options.in_flight,
        "raw_slots_busy": median(raw.mean_in_flight for _, raw in rounds) / options.in_flight,
        "pipeline_cpu_ms": median(
            1000 * (ours.cpu_s - start.cpu_s) / max(1, ours.calls - start.calls) for ours, _ in rounds
        ),
        "raw_cpu_ms": median(1000 * raw.cpu_s / raw.calls for _, raw in rounds),
        "pipeline_start_cpu_s": start.cpu_s,
        "pipeline_peak_mb": max(ours.peak_mb for ours, _ in rounds),
        "raw_peak_mb": max(raw.peak_mb for _, raw in rounds),
    }


def _pipeline(url: str, out: Path, n: int, options: argparse.Namespace) -> Cost:
    """`button generate` from its start to its end, as a user runs it but for the tracking."""
    return _run(
        url,
        [
            *("-m", "button.cli", "generate", f"n={n}", f"out={out}", "seeds=builtin", "show=none", "tracking=none"),
            *("lm=endpoint", f"lm.api_base={url}/v1", "lm.model=simulated"),
            f"lm.limits.max_in_flight={options.in_flight}",
            *options.overrides,
        ],
    )


def _raw(url: str, bodies: Path, options: argparse.Namespace) -> Cost:
    """The bare loop, in a process of its own."""
    module = "experiments.benchmarks.throughput"
    return _run(url, ["-m", module, "--raw", str(bodies), "--url", url, "--in-flight", str(options.in_flight)])


def _run(url: str, arguments: list[str]) -> Cost:
    _ask(f"{url}/stats", "DELETE")
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen([sys.executable, *arguments], stdout=output, stderr=subprocess.STDOUT)  # noqa: S603  (our own words)
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace")
    if child.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} ended with {child.returncode}:\n{said[-3000:]}")
    stats = _ask(f"{url}/stats")
    printed = said.strip().splitlines()[-1] if "--raw" in arguments else ""
    return Cost(
        calls=stats["calls"],
        seconds=stats["seconds"],
        mean_in_flight=stats["mean_in_flight"],
        cpu_s=json.loads(printed)["cpu_s"] if printed else used.ru_utime + used.ru_stime,
        peak_mb=used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
    )


async def _send_all(url: str, bodies: list[bytes], in_flight: int) -> None:
    """Send each body once, `in_flight` at a time, and parse the answers; prints the CPU seconds of just that."""
    import aiohttp

    left = iter(bodies)
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=headers) as session:

        async def worker() -> None:
            for body in left:
                async with session.post(f"{url}/v1/chat/completions", data=body) as reply:
                    orjson.loads(await reply.read())

        before = _cpu_s()
        await asyncio.gather(*[worker() for _ in range(in_flight)])
        sys.stdout.write(json.dumps({"cpu_s": _cpu_s() - before}) + "\n")


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


@contextmanager
def _server(options: argparse.Namespace) -> Iterator[str]:
    """`button simulate` on a free port, until the block ends; gives its address without /v1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    settings = [f"port={port}", f"latency_ms={options.latency_ms}", f"keep_bodies={KEPT_BODIES}"]
    server = subprocess.Popen(  # noqa: S603  (our own words)
        [sys.executable, "-m", "button.cli", "simulate", *settings],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_start(url, server)
        yield url
    finally:
        server.terminate()
        server.wait()


def _await_start(url: str, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        try:
            _ask(f"{url}/stats")
        except URLError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"`button simulate` did not start at {url} within {START_S:g} s; run it by hand to see why")


def _ask(url: str, method: str = "GET") -> Any:
    with urlopen(Request(url, method=method), timeout=60) as reply:  # noqa: S310  (an address of our own on loopback)
        return json.loads(reply.read())


def _show(report: dict[str, Any]) -> None:
    title = (
        f"{report['in_flight']} in flight, {report['latency_ms']:g} ms a call, {report['trajectories']} trajectories"
    )
    table = Table("", "bare loop", "pipeline", title=title)
    table.add_row("calls", str(report["raw"][-1]["calls"]), str(report["pipeline"][-1]["calls"]))
    table.add_row("calls a second", f"{report['raw_calls_per_s']:.0f}", f"{report['pipeline_calls_per_s']:.0f}")
    table.add_row("share of the bare loop", "100 %", f"{100 * report['share_of_raw']:.0f} %")
    table.add_row(
        "slots kept busy", f"{100 * report['raw_slots_busy']:.0f} %", f"{100 * report['pipeline_slots_busy']:.0f} %"
    )
    table.add_row("CPU ms a call", f"{report['raw_cpu_ms']:.2f}", f"{report['pipeline_cpu_ms']:.2f}")
    table.add_row("peak memory, MB", f"{report['raw_peak_mb']:.0f}", f"{report['pipeline_peak_mb']:.0f}")
    Console().print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m experiments.benchmarks.throughput", description=__doc__)
    parser.add_argument("--n", type=int, default=200, help="accepted trajectories a run (%(default)s)")
    parser.add_argument("--in-flight", type=int, default=64, help="calls at once (%(default)s)")
    parser.add_argument("--latency-ms", type=float, default=100, help="of each answer (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, in turns; medians are shown (%(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("outputs/benchmarks"), help="for throughput.json (%(default)s)"
    )
    parser.add_argument("--raw", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("overrides", nargs="*", help="more of `button generate`, such as steps.judge.x=y")
    return parser.parse_args()


if __name__ == "__main__":
    main()
