"""A search over a step with planted weaknesses, for tests: the simulated model, real optimisers, a metric by code."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dspy
from dspy.lm15 import Request, Response

from button.journal import Journal
from button.lms.build import build_lms
from button.lms.simulated import Simulated
from button.seeds.builtin import BuiltinSeeds
from button.work import DEFAULT_ROLE, Work
from experiments.metrics.metric import Metric, Score
from experiments.optimizing.bench import Bench
from experiments.optimizing.candidates import Candidates
from experiments.optimizing.items import Item
from experiments.optimizing.optimizer import Optimizer
from experiments.optimizing.reflection import reflecting_lm
from experiments.optimizing.spending import Answers, Spending
from experiments.optimizing.study import Study
from signatures.records import Drop, Outcome, Record, Scenario, Split

SIZES: dict[Split, int] = {"train": 8, "validation": 6, "test": 6}


class Counted(Simulated):
    """The simulated model, and how often any of it was called."""

    calls = 0

    async def complete(self, request: Request) -> Response:
        Counted.calls += 1
        return await super().complete(request)


@dataclass
class Kept:
    """1 for what is kept, 0 for a drop; `value` overrides it."""

    step: str
    name: str = "kept"
    value: float | None = None

    async def score(self, given: Record, outcome: Outcome, work: Work) -> Score:
        found = 0.0 if isinstance(outcome, Drop) else 1.0
        said = f"dropped: {outcome.reason}: {outcome.detail}" if isinstance(outcome, Drop) else "nothing is wrong"
        return Score(found if self.value is None else self.value, said, {})


def scenarios(sizes: dict[Split, int] = SIZES) -> list[Item]:
    """Items of the shipped scenarios."""
    seeds = iter(BuiltinSeeds())
    return [
        Item(Scenario.derive(seed, text=seed.text), seed.text, part)
        for part, count in sizes.items()
        for seed in [next(seeds) for _ in range(count)]
    ]


@asynccontextmanager
async def study_of(
    out: Path,
    step: dspy.Module,
    optimizer: Optimizer,
    items: list[Item],
    *,
    name: str = "task",
    trials: int = 120,
    metric: Metric | None = None,
    **lm: Any,
) -> AsyncIterator[Study]:
    """A study of `step` on a simulated model with these settings."""
    out.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a test waits for nothing else
    lms = build_lms({"_target_": "searching.Counted", **lm}, {}, ("searching",))
    journal = Journal(out / "run.db")
    answers = Answers(journal, Spending(max_trials=trials))
    loop = asyncio.get_running_loop()
    candidates = Candidates([item for item in items if item.split == "validation"], lambda one, known: None)
    names = {where: predictor.signature.__name__ for where, predictor in step.named_predictors()}
    bench = Bench(
        name=name,
        signatures=names,
        metric=metric or Kept(name),
        lms=lms.of_role,
        answers=answers,
        seed=0,
        discount=0.2,
        at_once=4,
        loop=loop,
        watch=candidates.note,
    )
    reflection = reflecting_lm(lms.of_role[DEFAULT_ROLE], answers, loop, seed=0, max_tokens=2000, temperature=1.0)
    try:
        yield Study(step, bench, items, optimizer, candidates, reflection, 0, out / "optimizer.log", "gain")
    finally:
        await bench.close()
        await lms.aclose()
        journal.close()
