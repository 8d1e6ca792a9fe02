"""How far a model can be trusted as a judge: `python -m experiments.benchmarks.judges lm=openai lm.model=NAME`.

Its agreement with the hand-labelled set, step by step, beside that of code alone and of both together. The words are
those of `button generate`: lm=..., lm@lms.judge=..., seed=..., out=...; what the judge said stays in `out`.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Mapping, Sequence

import dspy
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from button.cli import CONF, ENVIRONMENT, guarded
from button.config import GenerateSettings, settings_from
from button.errors import UserError
from button.lms.build import opened_lms
from button.overrides import hydra_refusal, plain
from experiments.agreement import Agreement, Estimate
from experiments.calibration import Calibration, calibrate
from experiments.metrics.atomic_task import AtomicTaskMetric
from experiments.metrics.composition import CompositionMetric
from experiments.metrics.functions import FunctionsMetric
from experiments.metrics.trajectory import TrajectoryMetric

OUT = "out=outputs/judges"


def main(words: Sequence[str]) -> int:
    """Calibrate, and show tables; the exit code is that of a verb."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    logging.getLogger("dspy.clients.lm").setLevel(logging.ERROR)  # it warns of every answer of one word
    show(asyncio.run(measured(settings_of(words))))
    return 0


def settings_of(words: Sequence[str]) -> GenerateSettings:
    """The settings of `button generate` with these words. Raises UserError for a wrong one."""
    try:
        with initialize_config_dir(str(CONF), version_base="1.3"):
            config = plain(compose("generate", [OUT, *words]))
    except HydraException as error:
        raise UserError(hydra_refusal(error, words, CONF, "generate")) from error
    return settings_from(config, GenerateSettings)


async def measured(settings: GenerateSettings) -> Calibration:
    """The calibration of the judge of `settings` in all steps that are labelled."""
    metrics = [AtomicTaskMetric(), CompositionMetric(), FunctionsMetric(), TrajectoryMetric()]
    with Progress(console=Console(stderr=True)) as bar, dspy.context(disable_history=True, max_trace_size=0):
        asked = bar.add_task("judging", total=None)
        async with opened_lms(settings.lm, settings.lms, settings.allow_targets) as lms:
            return await calibrate(
                lms.of_role,
                metrics,
                folder=settings.out,
                seed=settings.seed,
                progress=lambda done, count: bar.update(asked, completed=done, total=count),
            )


def show(found: Calibration) -> None:
    """The agreement by reader and step, and the items on which judge and label differ."""
    console = Console()
    console.print(_agreements({"judge": found.judge, "code alone": found.code, "both": found.both}))
    missed = Table("item", "label", "flaw", "the judge's unmet criteria, and why", title="where the judge differs")
    for row in found.table():
        if row["judge"] not in (None, row["label"]):
            missed.add_row(
                str(row["id"]), str(row["label"]), str(row["flaw"] or ""), f"{row['unmet']}: {row['analysis']}"
            )
    console.print(missed)


def _agreements(readers: Mapping[str, Mapping[str, Agreement]]) -> Table:
    table = Table(
        "reader", "step", "items", "accuracy", "kappa", "bad found", "good kept", title="agreement with people"
    )
    for reader, steps in readers.items():
        for step, one in steps.items():
            shares = (f"{one.found:.0%}", f"{one.kept:.0%}")
            table.add_row(reader, step, str(one.items), _shown(one.accuracy), _shown(one.kappa), *shares)
    return table


def _shown(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


if __name__ == "__main__":
    sys.exit(guarded("judges", lambda: main(sys.argv[1:])))
