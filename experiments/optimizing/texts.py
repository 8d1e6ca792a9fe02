"""What programs made, as people read it: the before/after table, and the report of an optimisation."""

from collections.abc import Sequence

from button.config import JsonObject
from button.journal import Usage
from experiments.optimizing.bench import Trial
from experiments.optimizing.gain import Gain
from experiments.optimizing.study import Result
from modules.judge_trajectory import transcript
from modules.wording import definitions, numbered
from signatures.records import AtomicTask, Composition, Drop, Outcome, Problem, Record, Trajectory, canonical_json


def text_of(record: Record) -> str:
    """What a record says."""
    if isinstance(record, AtomicTask):
        return record.task
    if isinstance(record, Composition):
        return f"{record.task}\n{numbered(record.sub_tasks)}"
    if isinstance(record, Problem):
        return f"{numbered(record.composition.sub_tasks, record.uses)}\n{definitions(record.functions)}"
    if isinstance(record, Trajectory):
        return transcript(record.turns)
    text = getattr(record, "text", None)
    return str(text) if text is not None else canonical_json(record.model_dump(mode="json"))


def outcome_text(outcome: Outcome) -> str:
    """What a step made, or why it made nothing."""
    if isinstance(outcome, Drop):
        return f"(dropped: {outcome.reason}) {outcome.detail}"
    return "\n\n".join(map(text_of, outcome))


def before_and_after(before: Sequence[Trial], after: Sequence[Trial]) -> list[JsonObject]:
    """One row a held-out item, with the texts of both programs."""
    return [
        {
            "item": one.item.id,
            "scenario": one.item.scenario,
            "given": text_of(one.item.record),
            "before": outcome_text(one.outcome),
            "after": outcome_text(other.outcome),
            "objective_before": round(one.value, 4),
            "objective_after": round(other.value, 4),
            "gain": round(other.value - one.value, 4),
            "score_before": round(one.score.value, 4),
            "score_after": round(other.score.value, 4),
            "refused_before": len(one.refused),
            "refused_after": len(other.refused),
            "feedback_before": one.feedback,
            "feedback_after": other.feedback,
        }
        for one, other in zip(before, after, strict=True)
    ]


def report(result: Result, rows: Sequence[JsonObject], usage: Usage, trials: int) -> str:
    """The page of one optimisation, in Markdown."""
    gains = {"objective": result.objective, "score": result.score, "kept": result.kept}
    flattering = "Validation items, on which the program was chosen (so this gain flatters):"
    tokens = f"{usage.prompt_tokens} prompt and {usage.completion_tokens} completion tokens"
    lines = [
        f"# {result.start.step}: {verdict(result)}",
        "",
        "| held-out items | before | after | gain (95 % interval) |",
        "|---|---|---|---|",
        *(f"| {name} | {one.before:.3f} | {one.after:.3f} | {told(one)} |" for name, one in gains.items()),
        "",
        f"{flattering} {result.validation.before:.3f} before, {result.validation.after:.3f} after.",
        "",
        f"{trials} trials in the search; {usage.calls} LM calls in all, {tokens}, {usage.cost:.4f} US dollars,",
        f"{usage.seconds:.0f} s waited for models.",
    ]
    for name in result.tuned:
        old, new = result.start.predictors[name], result.best.predictors[name]
        lines += ["", f"## {name}", "", f"Before, with {len(old.demos)} demos:", "", _quoted(old.instructions)]
        lines += ["", f"After, with {len(new.demos)} demos:", "", _quoted(new.instructions)]
    lines += ["", "## Held-out items"]
    for row in rows:
        lines += [
            "",
            f"### {row['scenario']}",
            "",
            f"Gain {row['gain']:+.3f}; answers refused: {row['refused_before']} before, {row['refused_after']} after.",
            "",
            "Before:",
            "",
            _quoted(row["before"]),
        ]
        lines += ["", "After:", "", _quoted(row["after"])]
    return "\n".join(lines) + "\n"


def verdict(result: Result) -> str:
    """What became of the best program, in a few words."""
    if result.best.hash == result.start.hash:
        return "nothing better was found; the start stays"
    one = result.objective
    said = f"{one.before:.3f} -> {one.after:.3f} on {one.pairs} held-out items, gain {told(one)}"
    return said if result.is_better else f"{said}: not adopted, the start stays"


def told(one: Gain) -> str:
    """A gain with its interval."""
    return f"{one.difference:+.3f} ({one.low:+.3f} to {one.high:+.3f})"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
