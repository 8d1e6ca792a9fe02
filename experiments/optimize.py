"""`button optimize`: better prompts for one step or all, found on some items and measured on others."""

import asyncio
import copy
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dspy

from button.config import JsonObject, as_config
from button.errors import BudgetReached, Interrupted
from button.interrupt import interruptible
from button.lms.build import opened_lms
from button.programs import BEST, PROGRAMS, Program, apply, chosen, load, pinned, save
from button.run_folder import locked, opened_journal, pin_config
from button.step import OrderedStep, Step
from button.steps import build_steps
from button.targets import build, with_defaults
from button.tracking import Tracking
from button.work import DEFAULT_ROLE
from experiments.calibration import trusted
from experiments.metrics.judged import JudgedMetric
from experiments.metrics.metric import Metric
from experiments.optimizing import tracked
from experiments.optimizing.bench import Bench
from experiments.optimizing.candidates import Candidate, Candidates
from experiments.optimizing.items import Item, made, recorded, split
from experiments.optimizing.optimisation import Optimisation
from experiments.optimizing.optimizer import Optimizer
from experiments.optimizing.plan import metric_of, optimizer_of, to_optimise
from experiments.optimizing.reflection import reflecting_lm
from experiments.optimizing.runs import FINISHED, TRIALS, heading, tracked_step
from experiments.optimizing.settings import REFLECTION, OptimizeSettings
from experiments.optimizing.spending import Answers, Spending
from experiments.optimizing.study import Study
from experiments.optimizing.texts import verdict

log = logging.getLogger(__name__)
START = "start"  # the folder of the programs that a run started from


@dataclass(frozen=True, slots=True)
class Ended:
    """How an optimisation ended: 0 done, 3 a budget of calls or dollars is used up, 130 interrupted."""

    exit_code: int


async def optimize(settings: OptimizeSettings) -> Ended:
    """Optimise `settings.step` in the run folder, or go on where an earlier run of it stopped.

    Raises UserError for what the user can mend; every answer that was paid for stays.
    """
    programs = _start(settings)
    steps = build_steps(settings, programs)
    plan = {name: metric_of(settings, name, steps) for name in to_optimise(settings, steps)}
    optimizer = optimizer_of(settings, len(plan))
    for name in plan if settings.items is not None else ():
        _recorded(settings, name, steps)  # what is wrong with them is told before anything is asked
    config = pinned(with_defaults(as_config(settings), settings.allow_targets), programs)
    with locked(settings.out), opened_journal(settings.out, config) as journal:
        if (said := journal.meta(FINISHED)) is not None:
            trials, made = settings.budget.max_metric_calls, int(journal.meta(TRIALS) or 0)
            log.info("%s is finished: nothing to do\n%s", settings.out, said)
            if trials != made:
                log.warning(
                    "budget.max_metric_calls was %d then; for a search with %d choose another out", made, trials
                )
            return Ended(0)
        budget = settings.budget
        spending = Spending(budget.max_metric_calls, budget.max_calls, budget.max_cost)
        async with opened_lms(settings.lm, settings.lms, settings.allow_targets) as lms:
            pin_config(settings.out, journal, config)
            for name, program in programs.items():
                save(program, settings.out / START / f"{name}.json")
            optimisation = Optimisation(settings, config, steps, lms, Answers(journal, spending), journal)
            with interruptible(spending), dspy.context(disable_history=True):
                return await _all(optimisation, plan, optimizer)


async def _all(optimisation: Optimisation, plan: Mapping[str, Metric], optimizer: Optimizer) -> Ended:
    """The steps one after the other; several nest under one MLflow run."""
    settings, spending = optimisation.settings, optimisation.answers.spending
    try:
        async with heading(optimisation, several=len(plan) > 1):
            for name, metric in plan.items():
                spending.begin_step()
                await _one(optimisation, name, metric, optimizer)
    except Interrupted:
        log.warning("interrupted: the same command goes on from here")
        return Ended(130)
    except BudgetReached as error:
        log.warning("%s: the same command with a larger budget goes on from here", error)
        return Ended(3)
    summary = "\n".join(f"{name}: {done.verdict}" for name, done in optimisation.done.items())
    optimisation.journal.set_meta(FINISHED, summary)
    optimisation.journal.set_meta(TRIALS, str(settings.budget.max_metric_calls))
    log.info("%s\n%d LM calls in all; reports: %s", summary, spending.total.calls, settings.out / "*" / tracked.REPORT)
    if any(done.is_better for done in optimisation.done.values()):
        log.info("to use it: button generate %s=%s", PROGRAMS, settings.out / PROGRAMS)
    return Ended(0)


def _start(settings: OptimizeSettings) -> dict[str, Program]:
    """The programs to start from. `best` is what was so when the run began: it may have found better ones since."""
    begun = settings.out / START
    if settings.programs == BEST and begun.is_dir():
        return chosen(settings.model_copy(update={"programs": str(begun)}))
    return chosen(settings)


async def _one(optimisation: Optimisation, name: str, metric: Metric, optimizer: Optimizer) -> None:
    """Optimise one step, and tell it what was found: the items of those after it are made with that."""
    settings, spending = optimisation.settings, optimisation.answers.spending
    program, folder = settings.out / PROGRAMS / f"{name}.json", settings.out / name
    if optimisation.is_done(name):
        apply(load(program), optimisation.steps[name], str(program))
        return
    async with tracked_step(optimisation, name, metric, optimizer) as tracking:
        await _calibrated(optimisation, metric, tracking)
        items = await _items(optimisation, name)
        tracked.items_noted(tracking, items, _source(settings))

        def tell(candidate: Candidate, candidates: Candidates) -> None:
            log.info(
                "%s: candidate %d scores %.3f on %d validation items (best %.3f), after %d of %d trials",
                name, candidate.number, candidate.value, len(candidate.trials), candidates.best.value,
                spending.trials, spending.max_trials,
            )  # fmt: skip
            tracked.candidate_noted(tracking, candidate, candidates, spending)

        candidates = Candidates([item for item in items if item.split == "validation"], tell)
        study = _study(optimisation, name, metric, optimizer, items, candidates, folder / "optimizer.log")
        try:
            result = await study.run()
        finally:
            await study.bench.close()
        apply(result.adopted, optimisation.steps[name], "what was adopted")
        save(result.adopted, program)
        files = tracked.written(folder, result, candidates, spending)
        model = optimisation.lms.of_role.get(name) or optimisation.lms.of_role[DEFAULT_ROLE]
        found_with = f"found by {optimizer.name} with {model.model}, scored by {metric.name}"
        tracked.result_noted(tracking, result, candidates, folder, [*files, study.log_file], found_with)
        tracking.curve({**tracked.gains(result), **tracked.spent(spending)}, spending.trials)
        optimisation.finish(name, verdict(result), tracked.gains(result, parts=False), is_better=result.is_better)


def _study(
    optimisation: Optimisation,
    name: str,
    metric: Metric,
    optimizer: Optimizer,
    items: list[Item],
    candidates: Candidates,
    log_file: Path,
) -> Study:
    settings, lms, answers = optimisation.settings, optimisation.lms.of_role, optimisation.answers
    step: Any = optimisation.steps[name]
    loop = asyncio.get_running_loop()
    bench = Bench(
        name=name,
        signatures={where: predictor.signature.__name__ for where, predictor in step.named_predictors()},
        metric=metric,
        lms=lms,
        answers=answers,
        seed=settings.seed,
        discount=settings.refusal_cost,
        at_once=optimisation.at_once,
        loop=loop,
        watch=candidates.note,
    )
    reflection = reflecting_lm(
        lms.get(REFLECTION) or lms[DEFAULT_ROLE],
        answers,
        loop,
        seed=settings.seed,
        max_tokens=settings.reflection.max_tokens,
        temperature=settings.reflection.temperature,
    )
    return Study(
        copy.deepcopy(step), bench, items, optimizer, candidates, reflection, settings.seed, log_file, settings.adopt
    )


async def _calibrated(optimisation: Optimisation, metric: Metric, tracking: Tracking) -> None:
    """Measure the metric's judge against the hand-labelled set; refuse one that cannot be trusted."""
    if not isinstance(metric, JudgedMetric) or not metric.judge_weight:
        return
    settings = optimisation.settings
    await trusted(
        optimisation.lms.of_role,
        metric,
        tracking,
        folder=settings.out,
        seed=settings.seed,
        table="calibration.json",
        allow=settings.allow_uncalibrated,
        ledger=optimisation.answers.ledger("calibration"),
    )


async def _items(optimisation: Optimisation, name: str) -> list[Item]:
    """The items of the step: those of another run, or what the steps before it make of the seeds."""
    settings, steps = optimisation.settings, optimisation.steps
    sizes = settings.sizes.as_dict()
    if settings.items is not None:
        return _recorded(settings, name, steps)
    order, fresh = list(steps), build_steps(settings)
    # An ordered step remembers what it has seen: the seeds, where the items of an earlier step were made.
    before = {
        step: fresh[step] if isinstance(steps[step], OrderedStep) else steps[step]
        for step in order[: order.index(name)]
    }
    log.info("%s: making %d items with %s", name, sum(sizes.values()), ", ".join(before) or "no step before it")
    records = await made(
        before,
        iter(build(settings.seeds, "seeds", allow=settings.allow_targets)),
        count=sum(sizes.values()),
        lms=optimisation.lms.of_role,
        seed=settings.seed,
        ledger=optimisation.answers.ledger("items"),
        at_once=optimisation.at_once,
    )
    return split(records, sizes, settings.seed)


def _recorded(settings: OptimizeSettings, name: str, steps: Mapping[str, Step | OrderedStep]) -> list[Item]:
    assert settings.items is not None
    return split(recorded(settings.items, name, steps[name].takes), settings.sizes.as_dict(), settings.seed)


def _source(settings: OptimizeSettings) -> JsonObject:
    return {"run": str(settings.items)} if settings.items else {"seeds": str(settings.seeds)}
