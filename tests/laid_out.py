"""Finished runs for tests of publishing: a real one, made once a session, and small ones of given examples."""

import atexit
import functools
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
from generating import generate

from button.funnel import Funnel
from button.journal import FORMAT, Journal
from button.publish.finished_run import TracedExample, opened_run
from button.publish.layout import LayoutSettings, Publication, lay_out
from signatures.records import AtomicTask, Composition, Example, Problem, Record, Scenario, Seed, Trajectory

REPO = "me/button-test"
SIMULATED = {"_target_": "button.lms.simulated.Simulated"}
STEPS = {
    "scenario": {"_target_": "modules.scenario.ScenarioExtraction"},
    "judge": {"_target_": "modules.judge.CompositionFilter"},
    "gate": {"_target_": "button.checks.gate.TrajectoryGate"},
}


@functools.cache
def finished_run() -> Path:
    """The folder of a run of 24 rows in all three splits, made by the whole command. Read it, change nothing."""
    folder = Path(tempfile.mkdtemp(prefix="button-run-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ran = generate(folder / "run", "n=24", "steps.gate.test_share=0.3", "steps.gate.validation_share=0.3")
    assert ran.code == 0, ran.said
    return ran.out


@functools.cache
def laid_out() -> Publication:
    """That run, laid out. Read it, change nothing."""
    return publication(finished_run(), finished_run().with_name("set"))


def publication(run: Path, folder: Path, *, published_card: str | None = None, **settings: Any) -> Publication:
    overrides = LayoutSettings.model_validate(settings)
    return lay_out(run, folder, repo=REPO, overrides=overrides, published_card=published_card)


def examples_of(run: Path) -> list[TracedExample]:
    with opened_run(run) as opened:
        return list(opened.examples())


def run_of(folder: Path, examples: Iterable[Example], *, config: Mapping[str, Any] | None = None, **seed: Any) -> Path:
    """A finished run that has accepted these examples, each grown from a seed with the content `seed`."""
    folder.mkdir(parents=True)
    with closing(Journal(folder / "run.db")) as journal:
        count = 0
        for count, example in enumerate(examples, start=1):
            lineage = rooted(example, **seed)
            for source, record in zip((None, *lineage), lineage, strict=False):
                journal.put_record(record, "a step", source)
            journal.put_accepted(count - 1, lineage[-1])
        journal.set_meta("format", FORMAT)
        journal.set_meta(
            "config", orjson.dumps({"n": count, "lm": SIMULATED, "steps": STEPS, **(config or {})}).decode()
        )
        journal.set_meta("finished", str(count))
    (folder / "funnel.json").write_bytes(orjson.dumps(Funnel(["seeds", *STEPS]).as_dict()))
    return folder


def rooted(example: Example, **seed: Any) -> tuple[Record, ...]:
    """The example's lineage on a seed with this content."""
    trajectory, problem = example.trajectory, example.trajectory.problem
    scenario = problem.composition.scenario
    chain: list[Record] = [
        Seed.derive(None, **{"source": "seeds.jsonl#1", "text": scenario, "form": "scenario", "license": "mit", **seed})
    ]
    chain.append(Scenario.derive(chain[-1], text=scenario, domain="travel"))
    chain.append(AtomicTask.derive(chain[-1], scenario=scenario, task=problem.composition.sub_tasks[0].task))
    composition = Composition.derive(chain[-1], **_content(problem.composition))
    problem = Problem.derive(composition, **{**_content(problem), "composition": composition})
    trajectory = Trajectory.derive(problem, **{**_content(trajectory), "problem": problem})
    grown = Example.derive(trajectory, **{**_content(example), "trajectory": trajectory})
    return (*chain, composition, problem, trajectory, grown)


def _content(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in type(record).model_fields if name not in ("id", "parent")}
