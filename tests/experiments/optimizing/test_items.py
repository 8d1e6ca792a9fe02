import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from generating import generate
from hypothesis import given, settings
from hypothesis import strategies as st

from button.dedup import SemanticDedup
from button.errors import UserError
from button.lms.build import build_lms
from button.seeds.builtin import BuiltinSeeds
from experiments.optimizing.items import made, recorded, scenario_of, split
from experiments.stepping import Tally
from modules.scenario import ScenarioExtraction
from modules.task import AtomicTaskWriting
from signatures.records import AtomicTask, Composition, Problem, Record, Scenario, Split

SIZES: dict[Split, int] = {"train": 3, "validation": 2, "test": 4}


def task(scenario: str, text: str = "Do it.") -> AtomicTask:
    return AtomicTask.derive(None, scenario=scenario, task=text)


@settings(max_examples=25)
@given(st.lists(st.integers(1, 3), min_size=9, max_size=15), st.integers(0, 9))
def test_a_scenario_lies_in_one_part_and_parts_have_their_size(counts: list[int], seed: int) -> None:
    records = [
        task(f"scenario {number}", f"Do {again}.") for number, count in enumerate(counts) for again in range(count)
    ]
    items = split(records, SIZES, seed)
    assert Counter(item.split for item in items) == SIZES
    parts: dict[str, set[str]] = {}
    for item in items:
        parts.setdefault(item.scenario, set()).add(item.split)
    assert all(len(found) == 1 for found in parts.values())
    assert split(records[::-1], SIZES, seed) == items


def test_the_seed_decides_the_parts() -> None:
    records = [task(f"scenario {number}") for number in range(20)]
    assert split(records, SIZES, 0) == split(records, SIZES, 0)
    assert split(records, SIZES, 0) != split(records, SIZES, 1)


def test_too_few_scenarios_are_refused_with_what_is_wanted() -> None:
    records = [task(f"scenario {number % 2}", f"Do {number}.") for number in range(30)]
    with pytest.raises(UserError, match=r"30 items of 2 scenarios are too few for the \d+ of sizes"):
        split(records, SIZES, 0)


@pytest.mark.parametrize(
    "record",
    [
        Scenario.derive(None, text="Booking  a table"),
        task("booking a table"),
        Composition.derive(None, scenario="booking a table", task="x", strategy="sequential", sub_tasks=()),
        Problem.derive(
            None,
            composition=Composition.derive(
                None, scenario="Booking a table", task="x", strategy="sequential", sub_tasks=()
            ),
            functions=(),
            uses=(),
        ),
    ],
)
def test_every_record_knows_its_scenario_in_one_spelling(record: Record) -> None:
    assert scenario_of(record) == "booking a table"


def make(count: int, limit: int | None = None, **lm: Any) -> list[Record]:
    async def run() -> list[Record]:
        lms = build_lms({"_target_": "button.lms.simulated.Simulated", **lm}, {}, ())
        steps: Any = {"scenario": ScenarioExtraction(), "dedup": SemanticDedup(), "task": AtomicTaskWriting()}
        seeds = iter(BuiltinSeeds(limit=limit))
        return await made(steps, seeds, count=count, lms=lms.of_role, seed=0, ledger=Tally(), at_once=4)

    return asyncio.run(run())


def test_items_are_what_the_steps_before_make_of_the_seeds_in_one_order() -> None:
    records = make(6)
    assert len(records) >= 6
    assert all(isinstance(record, AtomicTask) for record in records)
    assert [record.id for record in records] == [record.id for record in make(6)]
    assert len({scenario_of(record) for record in records}) == len(records)


def test_seeds_that_drop_are_made_up_for_by_others() -> None:
    assert len(make(6, flaws={"long_task": 0.6}, persistent=1.0)) >= 6


def test_seeds_that_do_not_suffice_give_what_they_can() -> None:
    assert len(make(6, limit=3)) == 3


def test_items_can_be_what_a_step_took_in_a_run(tmp_path: Path) -> None:
    assert generate(tmp_path / "run", "n=3").code == 0
    found = recorded(tmp_path / "run", "compose", AtomicTask)
    assert len(found) >= 3
    assert [record.id for record in found] == sorted(record.id for record in found)
    with pytest.raises(UserError, match="no step 'compose' took a Scenario"):
        recorded(tmp_path / "run", "compose", Scenario)
    with pytest.raises(UserError, match=r"there is no run\.db in it"):
        recorded(tmp_path, "compose", AtomicTask)
