"""The simulated model in the ablations: coherent without flaws, and flawed where flaws are planted."""

import asyncio
import json
from typing import Any

import pytest
from simulated_chain import RULES, Chain, numbered

from button.checks.composition import composition_problems
from button.checks.gate import TrajectoryGate
from button.lms.simulated import Simulated
from modules.compose_directly import SHAPES, plan
from modules.wording import definitions
from modules.write_trajectory import transcript
from signatures.records import Drop, Problem, Strategy, Trajectory
from signatures.write_trajectory import RoundDraft

STRATEGIES: tuple[Strategy, ...] = ("sequential", "parallel_then_sequential")
SCENARIOS = ("booking a flight for a family holiday", "adopting a dog", "renting a violin", "growing tomatoes at home")


async def compose(engine: Simulated, strategy: Strategy, seed: int) -> dict[str, Any]:
    inputs = {"scenario": SCENARIOS[seed % len(SCENARIOS)], "details": "", "shape": SHAPES[strategy]}
    return await Chain(engine, seed).ask("ComposeDirectly", inputs)


async def problem_of(seed: int) -> Problem:
    chain = Chain(Simulated(), seed)
    return await chain.problem(await chain.composition(SCENARIOS[seed % len(SCENARIOS)], STRATEGIES[seed % 2]))


async def write(engine: Simulated, problem: Problem, seed: int) -> Trajectory:
    """The trajectory that one answer of the engine is."""
    inputs = {
        "need": problem.composition.task,
        "sub_tasks": numbered(list(problem.composition.sub_tasks), problem.uses),
        "functions": definitions(problem.functions),
        "rule": RULES[seed % 3 > 0],
    }
    answer = await Chain(engine, seed).ask("WriteTrajectory", inputs)
    answer["rounds"] = [RoundDraft.model_validate(drafted) for drafted in answer["rounds"]]
    turns = transcript(type("Answer", (), answer)())
    return Trajectory.derive(problem, problem=problem, parallel=seed % 3 > 0, turns=turns)


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_a_composition_written_directly_passes_the_checks(strategy: Strategy) -> None:
    for seed in range(12):
        found = await compose(Simulated(), strategy, seed)
        assert composition_problems(found["composed_task"], plan(found["sub_tasks"], strategy)) == []


async def test_an_unrelated_sub_task_is_what_the_judge_says_no_to() -> None:
    engine = Simulated(flaws={"unrelated_sub_task": 1.0}, persistent=1.0)
    verdicts = []
    for seed in range(8):
        found = await compose(engine, "sequential", seed)
        asked = {
            "composed_task": found["composed_task"],
            "sub_tasks": numbered(list(plan(found["sub_tasks"], "sequential"))),
        }
        steps = plan(found["sub_tasks"], "sequential")
        functions = await Chain(Simulated(), seed).ask("DefineFunctions", asked)
        served = {draft["sub_task"] for draft in functions["functions"]}
        verdicts.append(2 in served and steps[1].depends_on == (0,))
    assert not any(verdicts)  # what needs nothing of the first has no function that takes its result


async def test_trajectories_written_in_one_call_pass_the_gate() -> None:
    gate = TrajectoryGate()
    for seed in range(10):
        outcome = await gate.aforward(await write(Simulated(), await problem_of(seed), seed), None)
        assert not isinstance(outcome, Drop), outcome


@pytest.mark.parametrize(
    ("flaw", "reasons"),
    [
        ("ungrounded_argument", {"ungrounded_argument", "bad_call"}),
        ("missing_argument", {"bad_call", "dependency_not_used"}),
        ("unknown_function", {"bad_call"}),
        ("invented_answer", {"invented_answer"}),
        ("bad_result", {"bad_result"}),
    ],
)
async def test_a_planted_flaw_is_what_the_gate_finds(flaw: str, reasons: set[str]) -> None:
    engine, found = Simulated(flaws={flaw: 1.0}, persistent=1.0), []
    for seed in range(4):
        outcome = await TrajectoryGate().aforward(await write(engine, await problem_of(seed), seed), None)
        found.append(outcome.reason if isinstance(outcome, Drop) else "")
    assert set(found) & reasons, found


def test_an_answer_is_the_same_in_every_process() -> None:
    one, other = (asyncio.run(compose(Simulated(seed=5), "sequential", 3)) for _ in range(2))
    assert json.dumps(one) == json.dumps(other)
