"""What `button optimize` is asked to do: which steps, scored by what, searched by what."""

from collections.abc import Mapping

from button.config import JsonObject
from button.errors import UserError
from button.programs import WithPredictors
from button.targets import TARGET, build
from experiments.metrics.metric import Metric
from experiments.optimizing.optimizer import Optimizer
from experiments.optimizing.settings import ALL, OptimizeSettings


def to_optimise(settings: OptimizeSettings, steps: Mapping[str, object]) -> list[str]:
    """The names of the steps, in the order of the pipeline."""
    able = [name for name, step in steps.items() if isinstance(step, WithPredictors)]
    if settings.step == ALL:
        if TARGET in (settings.metric or {}):
            raise UserError(f"metric is for one step; with step={ALL} each has its own: metrics.NAME=..., metric=null")
        return [name for name in able if name in settings.metrics]
    if settings.step not in able:
        known = ", ".join([*(name for name in able if name in settings.metrics), ALL])
        what = "asks no model" if settings.step in steps else "is no step of this run"
        raise UserError(
            f"step={settings.step}: {what}; those that can be optimised are: {known}; another one that"
            " asks a model needs a metric of yours, with metric=... and its _target_"
        )
    return [settings.step]


def metric_of(settings: OptimizeSettings, name: str, steps: Mapping[str, object]) -> Metric:
    """What scores the step. Raises UserError where there is none, or it scores another step."""
    config, where = metric_config(settings.metric, settings.metrics, name), "metric"
    if TARGET not in config:
        raise UserError(
            f"step={name} has no metric of its own: name one with metric=...; {', '.join(settings.metrics)} have"
        )
    metric: Metric = build(config, where, allow=settings.allow_targets)
    if metric.step != name:
        others = [step for step in steps if step == metric.step]
        meant = f"; step={others[0]} is what it scores" if others else ""
        raise UserError(f"{where}: the metric {metric.name} scores the step '{metric.step}', not '{name}'{meant}")
    return metric


def metric_config(given: JsonObject | None, metrics: Mapping[str, JsonObject], name: str) -> JsonObject:
    """The metric that was given, or that of the step with what was given beside."""
    return given if given is not None and TARGET in given else {**metrics.get(name, {}), **(given or {})}


def optimizer_of(settings: OptimizeSettings, count: int) -> Optimizer:
    """The optimiser. Raises UserError where the items or the budget are too few for it."""
    optimizer: Optimizer = build(settings.optimizer, "optimizer", allow=settings.allow_targets)
    sizes, budget = settings.sizes, settings.budget.max_metric_calls
    needed = optimizer.least(sizes.train, sizes.validation)
    if budget < needed:
        each = " for each step" if count > 1 else ""
        raise UserError(
            f"budget.max_metric_calls={budget} is too small: optimizer={optimizer.name} with {sizes.train} train and"
            f" {sizes.validation} validation items needs at least {needed}{each}; raise it, or have fewer items"
        )
    return optimizer
