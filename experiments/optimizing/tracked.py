"""What MLflow is told of an optimisation: inputs, curves, candidates, the Pareto front, texts, and the program."""

import json
from collections.abc import Sequence
from pathlib import Path

from button.programs import PROGRAMS
from button.run_folder import write_whole
from button.tracking import Tracking
from experiments.optimizing.candidates import Candidate, Candidates
from experiments.optimizing.items import Item
from experiments.optimizing.spending import Spending
from experiments.optimizing.study import Result
from experiments.optimizing.texts import before_and_after, report, verdict
from signatures.records import SPLITS, JsonObject, content_hash

CANDIDATES, FRONT, HELD_OUT, REPORT = "candidates.json", "pareto_front.json", "held_out.json", "report.md"


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
                "source": {**source, "items": len(ids)},
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
    """What has been used so far, in all and by purpose."""
    total = spending.total
    found: dict[str, float] = {
        "trials": spending.trials,
        "lm_calls": total.calls,
        "tokens": total.prompt_tokens + total.completion_tokens,
        "cost": total.cost,
        "lm_seconds": total.seconds,
    }
    for purpose, usage in spending.usage.items():
        found[f"{purpose}/lm_calls"] = usage.calls
        found[f"{purpose}/tokens"] = usage.prompt_tokens + usage.completion_tokens
        found[f"{purpose}/cost"] = usage.cost
    return found


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
            values = [trial.score.parts[part] for trial in trials if part in trial.score.parts]
            found[f"test/part/{part}/{name}"] = sum(values) / len(values)
    return found


def written(folder: Path, result: Result, candidates: Candidates, spending: Spending) -> list[Path]:
    """Writes the tables and the report of one optimisation into `folder`, and gives the files."""
    rows = before_and_after(result.before, result.after)
    contents = {
        CANDIDATES: json.dumps(candidates.table(), indent=1, ensure_ascii=False),
        FRONT: json.dumps(_front(candidates), indent=1, ensure_ascii=False),
        HELD_OUT: json.dumps(rows, indent=1, ensure_ascii=False),
        REPORT: report(result, rows, spending.total, spending.trials),
        "result.json": json.dumps({"verdict": verdict(result), **gains(result)}, indent=1),
    }
    for name, text in contents.items():
        write_whole(folder / name, text)
    return [folder / name for name in contents]


def result_noted(
    tracking: Tracking, result: Result, candidates: Candidates, program: Path, files: Sequence[Path]
) -> None:
    """The tables, the program and the registry's new version."""
    tracking.note("table", name=CANDIDATES, rows=candidates.table())
    tracking.note("table", name=HELD_OUT, rows=before_and_after(result.before, result.after))
    tracking.note("table", name=FRONT, rows=_front(candidates))
    tracking.note("artifacts", paths=[str(program)], folder=PROGRAMS)
    tracking.note("artifacts", paths=[str(path) for path in files if path.name not in TABLES], folder="")
    if result.best.hash != result.start.hash:
        tracking.note(
            "program",
            program=result.best.model_dump(mode="json"),
            message=verdict(result),
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
