"""The MLflow runs of `button optimize`: one for each step, and one that several nest under."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from button.errors import Interrupted, StopRun
from button.run_folder import CONFIG
from button.tracking import Tracking, nested_under, open_tracking
from experiments.metrics.metric import Metric
from experiments.optimizing.optimisation import Optimisation
from experiments.optimizing.optimizer import Optimizer
from experiments.optimizing.plan import metric_config
from experiments.optimizing.settings import ALL
from experiments.optimizing.tracked import used

FINISHED = "finished"  # also the key of what the journal says of it
TRIALS, HEADING = "finished.trials", "heading"


@asynccontextmanager
async def tracked_step(
    optimisation: Optimisation, name: str, metric: Metric, optimizer: Optimizer
) -> AsyncIterator[Tracking]:
    """The MLflow run of one step, closed by what ends it.

    Its params say every hyper-parameter, given or not, and the one metric.
    """
    settings = optimisation.settings
    alone = settings.step != ALL
    unused = {"metrics"} | ({"seeds"} if settings.items is not None else set())
    config = {key: value for key, value in optimisation.config.items() if key not in unused}
    scored = metric_config(optimisation.config["metric"], optimisation.config["metrics"], name)
    config |= {
        "step": name,
        "optimizer": {**config["optimizer"], "name": optimizer.name},
        "metric": {**scored, "name": metric.name},
    }
    tracking = await open_tracking(
        settings.tracking,
        verb="optimize",
        config=config,
        out=settings.out if alone else settings.out / name,
        resumed=optimisation.journal.resumed,
    )
    status = "failed"
    try:
        yield tracking
        status = FINISHED
    except StopRun as stop:
        status = "interrupted" if isinstance(stop, Interrupted) else "budget"
        raise
    finally:
        await tracking.end(status, metrics={}, files=[settings.out / CONFIG])


@asynccontextmanager
async def heading(optimisation: Optimisation, *, several: bool) -> AsyncIterator[None]:
    """For several steps: the MLflow run that theirs nest under, with the gain of each."""
    if not several:
        yield
        return
    settings, journal = optimisation.settings, optimisation.journal
    identity = journal.meta(HEADING) or uuid4().hex
    journal.set_meta(HEADING, identity)
    tracking = await open_tracking(
        settings.tracking,
        verb="optimize",
        config=optimisation.config,
        out=settings.out,
        resumed=journal.resumed,
        heads=identity,
    )
    status = "failed"
    try:
        with nested_under(identity):
            yield
        status = FINISHED
    except StopRun as stop:
        status = "interrupted" if isinstance(stop, Interrupted) else "budget"
        raise
    finally:
        done = optimisation.done.items()
        found = {f"{name}/{key}": value for name, one in done for key, value in one.gains.items()}
        spent = used(optimisation.answers.spending.total)
        await tracking.end(status, metrics={**found, **spent}, files=[settings.out / CONFIG])
