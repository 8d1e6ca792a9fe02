"""The first pass over the rows of a run: which go into which split, what they hold, and whether all may be shown.

Nothing is written before this pass has ended well.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from button.checks.gate import check_shares, split_of
from button.errors import UserError
from button.publish.finished_run import FinishedRun, TracedExample
from button.publish.secret_patterns import Finding, SecretPatterns
from button.publish.statistics import Statistics
from signatures.records import SPLITS, Split

SHOWN_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows of a run go into which split. Shares of None leave the splits as the run made them."""

    leave_out: frozenset[str] = frozenset()
    test_share: float | None = None
    validation_share: float | None = None

    def of(self, run: FinishedRun) -> Iterator[tuple[TracedExample, Split]]:
        """The rows in the order of their acceptance. Raises UserError for shares above 1 together."""
        test, validation = self.test_share, self.validation_share
        recut = test is not None or validation is not None
        check_shares(test or 0.0, validation or 0.0)
        for traced in run.examples():
            example = traced.example
            if example.id not in self.leave_out:
                scenario = example.trajectory.problem.composition.scenario
                yield traced, split_of(scenario, test or 0.0, validation or 0.0) if recut else example.split


@dataclass(frozen=True, slots=True)
class Inspected:
    """What the rows hold, and the one that the card shows: the first of the first split with rows."""

    statistics: Statistics
    shown: TracedExample


def inspect(run: FinishedRun, selection: Selection, patterns: SecretPatterns, accepted: Collection[str]) -> Inspected:
    """Counts all rows and looks for secrets in them, but for the rows `accepted` by a person, by id.

    Raises UserError that names the rows with secrets, or an id of `selection` or `accepted` that no row has.
    """
    statistics = Statistics()
    shown: dict[Split, TracedExample] = {}
    suspect: list[str] = []
    unseen = {*accepted, *selection.leave_out}
    if unseen:
        unseen -= {traced.example.id for traced in run.examples()}
    if unseen:
        raise UserError(f"leave_out or accept_rows name {', '.join(sorted(unseen))}: the run has no such row")
    for traced, split in selection.of(run):
        statistics.add(traced, split)
        shown.setdefault(split, traced)
        if traced.example.id not in accepted:
            suspect += [_line(traced, split, found) for found in findings_in(traced, patterns)]
    if not statistics.rows:
        raise UserError("no row is left to publish: leave_out names them all")
    if suspect:
        raise _refusal(suspect)
    return Inspected(statistics, next(shown[split] for split in SPLITS if split in shown))


def findings_in(traced: TracedExample, patterns: SecretPatterns) -> list[Finding]:
    """What looks like a secret in anything that the row publishes."""
    seed = traced.seed
    told = seed.model_dump(include={"source", "domain", "license"}) if seed else {}
    return patterns.in_value({**traced.example.trajectory.model_dump(), "seed": told})


def _line(traced: TracedExample, split: str, found: Finding) -> str:
    return f"row {traced.example.id} ({split}), {found.where}: {found.kind} {found.shown}"


def _refusal(suspect: list[str]) -> UserError:
    lines = "\n  ".join(suspect[:SHOWN_FINDINGS])
    more = f"\n  and {len(suspect) - SHOWN_FINDINGS} more" if len(suspect) > SHOWN_FINDINGS else ""
    return UserError(
        f"{len(suspect)} place(s) look as if they held a secret, so nothing is published:\n  {lines}{more}\nlook at the"
        " rows (`id` in dataset/*.parquet); leave them out with leave_out=[id], or, where they are harmless, say"
        " accept_rows=[id]"
    )
