"""Runs a pipeline in child processes that are killed at random moments, until one ends by itself.

    python killed_walks.py FOLDER SEED    writes FOLDER/killed.db and FOLDER/whole.db, prints {"kills", "paid_twice"}

A child notes each answer it was given back as kept in FOLDER/paid (one write, so that a kill leaves it whole).
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from walks import FirstOfItsKind, Scripted, Steps, seeds, walk

from button.work import Work
from signatures.records import AtomicTask, Example, Record, Scenario, Seed


class Paying(Scripted):
    """Takes a few milliseconds an answer, and writes down what it has paid for."""

    paid_file = -1

    async def _answer(self, record: Record, work: Work, key: str) -> None:
        if work.ledger.recall(key) is None:
            await asyncio.sleep(0.004)
            await super()._answer(record, work, key)
            os.write(self.paid_file, f"{self.name} {record.id} {work.draw} {key}\n".encode())


def steps(paid_file: int) -> Steps:
    Paying.paid_file = paid_file
    return {
        "name": Paying("name", Seed, Scenario, answers=2),
        "evolve": Paying("evolve", Scenario, Scenario, answers=1, most=3),
        "dedup": FirstOfItsKind(Scenario, kinds=30),
        "write": Paying("write", Scenario, AtomicTask, answers=2, drops=0.2),
        "finish": Paying("finish", AtomicTask, Example, answers=1),
    }


def child(path: Path, paid: Path) -> int:
    """Start one run; returns its process id."""
    pid = os.fork()
    if pid == 0:
        paid_file = os.open(paid, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        asyncio.run(walk(steps(paid_file), seeds(25), path, rows=8))
        os._exit(0)
    return pid


def main(folder: Path, seed: int) -> None:
    rng = random.Random(seed)
    paid = folder / "paid"
    os.waitpid(child(folder / "whole.db", folder / "ignored"), 0)
    kills = 0
    while True:
        pid = child(folder / "killed.db", paid)
        time.sleep(rng.uniform(0.02, 0.06))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status):
            break
        kills += 1
    counts = Counter(paid.read_text().splitlines())
    sys.stdout.write(json.dumps({"kills": kills, "paid_twice": [line for line, count in counts.items() if count > 1]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
