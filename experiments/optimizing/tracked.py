"""What MLflow is told of an optimisation: inputs, curves, candidates, the Pareto front, texts, and the program."""

import json
from collections.abc import Sequence
from pathlib import Path

from button.journal import Usage
from button.programs import PROGRAMS, save
from button.registry import artifact_path
from button.run_folder import write_whole
from button.secrecy import placeless
from button.tracking import Tracking
from experiments.metrics.judged import ANSWERED
from experiments.metrics.metric import KEPT
from experiments.optimizing.candidates import Candidate, Candidates
from experiments.optimizing.items import Item
from experiments.optimizing.spending import Spending, total
from experiments.optimizing.study import Result
from experiments.optimizing.texts import before_and_after, report, verdict
from signatures.records import SPLITS, JsonObject, content_hash

CANDIDATES, FRONT, HELD_OUT, REPORT = "candidates.json", "pareto_front.json", "held_out.json", "report.md"


ONLY_FAILED = {KEPT, ANSWERED}  # parts of a score that are there only where they are 0
TABLES = (CANDIDATES, FRONT, HELD_OUT)  # which MLflow gets in a form of its own


def items_noted(tracking: Tracking, items: Sequence[Item], source: JsonObject) -> None:
    """The items of each part as datasets of the run, known by a hash of their ids."""
    datasets = []
    for part in SPLITS:
        ids = sorted(item.id for item in items if item.split == part)
        datasets.append(
            {
                "name": f"{part} ({len(ids)} items)",
                "digest": content_hash(ids)[:8],
                "context": part,
                "source": {**placeless(source), "items": len(ids)},
            }
        )
    tracking.note("inputs", datasets=datasets)


def candidate_noted(tracking: Tracking, candidate: Candidate, candidates: Candidates, spending: Spending) -> None:
    """A point of each curve, once a candidate has been tried on all validation items; its abscissa is trials made."""
    best = candidates.best
    point = {
        "validation/candidate": candidate.value,
        "validation/best": best.value,
        "validation/best_candidate": best.number,
        "validation/front_size": len(candidates.front()),
        "candidates": candidate.number + 1,
        **spent(spending),
    }
    tracking.curve(point, spending.trials)


def spent(spending: Spending) -> dict[str, float]:
    """What the step has used so far, in all and by purpose."""
    found = {"trials": float(spending.trials), **used(total(spending.usage_of_step))}
    for purpose, usage in spending.usage_of_step.items():
        found[f"{purpose}/lm_calls"] = usage.calls
        found[f"{purpose}/tokens"] = usage.prompt_tokens + usage.completion_tokens
        found[f"{purpose}/cost"] = usage.cost
    return found


def used(usage: Usage) -> dict[str, float]:
    """LM calls, tokens, US dollars and seconds as metrics."""
    return {
        "lm_calls": usage.calls,
        "tokens": usage.prompt_tokens + usage.completion_tokens,
        "cost": usage.cost,
        "lm_seconds": usage.seconds,
    }


def gains(result: Result, *, parts: bool = True) -> dict[str, float]:
    """The gains as metrics: `test/objective/before`, `.../after`, `.../difference`, `.../low`, `.../high`.

    With `parts` also the means of the parts of the metric.
    """
    found = {}
    for name, one in (
        ("test/objective", result.objective),
        ("test/score", result.score),
        ("test/kept", result.kept),
        ("validation/objective", result.validation),
    ):
        found.update({f"{name}/{key}": float(value) for key, value in one.as_dict().items()})
    for name, trials in (("before", result.before), ("after", result.after)):
        found[f"test/refused/{name}"] = sum(len(trial.refused) for trial in trials) / len(trials)
        for part in sorted({part for trial in trials for part in trial.score.parts}) if parts else ():
            values = [
                trial.score.parts.get(part, 1.0) for trial in trials if part in trial.score.parts or part in ONLY_FAILED
            ]
            found[f"test/part/{part}/{name}"] = sum(values) / len(values)
    return found


def written(folder: Path, result: Result, candidates: Candidates, spending: Spending) -> list[Path]:
    """Writes the tables and the report of one optimisation into `folder`, and gives the files."""
    rows = before_and_after(result.before, result.after)
    contents = {
        CANDIDATES: json.dumps(candidates.table(result.tuned), indent=1, ensure_ascii=False),
        FRONT: json.dumps(_front(candidates), indent=1, ensure_ascii=False),
        HELD_OUT: json.dumps(rows, indent=1, ensure_ascii=False),
        REPORT: report(result, rows, total(spending.usage_of_step), spending.trials),
        "result.json": json.dumps({"verdict": verdict(result), **gains(result)}, indent=1),
    }
    for name, text in contents.items():
        write_whole(folder / name, text)
    save(result.best, folder / artifact_path(result.best.step))
    return [folder / name for name in contents]


def result_noted(
    tracking: Tracking, result: Result, candidates: Candidates, folder: Path, files: Sequence[Path], found_with: str
) -> None:
    """The tables, the best program, adopted or not, and the registry's new version; `found_with` is for its message."""
    tracking.note("table", name=CANDIDATES, rows=candidates.table(result.tuned))
    tracking.note("table", name=HELD_OUT, rows=before_and_after(result.before, result.after))
    tracking.note("table", name=FRONT, rows=_front(candidates))
    tracking.note("artifacts", paths=[str(folder / artifact_path(result.best.step))], folder=PROGRAMS)
    tracking.note("artifacts", paths=[str(path) for path in files if path.name not in TABLES], folder="")
    if result.best.hash != result.start.hash:
        tracking.note(
            "program",
            program=result.best.model_dump(mode="json"),
            message=f"{verdict(result)}; {found_with}",
            is_best=result.is_better,
        )


def _front(candidates: Candidates) -> list[JsonObject]:
    """One row a candidate on the front: how good it is overall, and the items on which nothing beats it."""
    by_number = {candidate.number: candidate for candidate in candidates}
    return [
        {
            "candidate": number,
            "validation": round(by_number[number].value, 4),
            "best_on_items": len(places),
            "items": ", ".join(candidates.validation[place].scenario for place in places),
        }
        for number, places in candidates.front().items()
    ]
