"""The candidates of a search: every program that was tried, in the order of their first trial, and how good each is."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from button.programs import Program
from experiments.optimizing.bench import Trial
from experiments.optimizing.items import Item
from signatures.records import JsonObject


@dataclass(slots=True)
class Candidate:
    """A program, the number of trials made when it first came up, and its trials on validation items by item."""

    number: int
    program: Program
    since: int
    trials: dict[str, Trial] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The mean objective over the validation items it was tried on; 0 without any."""
        values = [trial.value for trial in self.trials.values()]
        return sum(values) / len(values) if values else 0.0


class Listener(Protocol):
    """Is told when a candidate has been tried on all validation items."""

    def __call__(self, candidate: Candidate, candidates: "Candidates") -> None: ...


class Candidates:
    """Candidates by hash. `tell` hears of each that becomes complete."""

    def __init__(self, validation: Sequence[Item], tell: Listener) -> None:
        self.validation = validation
        self.made = 0
        self._tell = tell
        self._by_hash: dict[str, Candidate] = {}

    def note(self, program: Program, trial: Trial) -> None:
        """Take in a new trial; those on test items and of further draws are no part of the search."""
        if trial.item.split == "test":
            return
        self.made += 1
        candidate = self._by_hash.setdefault(program.hash, Candidate(len(self._by_hash), program, self.made))
        if trial.item.split == "validation" and trial.draw == 0:
            candidate.trials[trial.item.id] = trial
            if self._is_complete(candidate):
                self._tell(candidate, self)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self._by_hash.values())

    def __getitem__(self, program: Program) -> Candidate:
        return self._by_hash[program.hash]

    @property
    def complete(self) -> list[Candidate]:
        """Those tried on all validation items."""
        return [candidate for candidate in self if self._is_complete(candidate)]

    @property
    def best(self) -> Candidate:
        """The complete one with the highest mean; of equals the first, so the start stays unless it is beaten."""
        return max(self.complete, key=lambda candidate: (round(candidate.value, 9), -candidate.number))

    def front(self) -> dict[int, list[int]]:
        """The Pareto front: by number, the candidates that no other beats on some item, and the places of these."""
        front: dict[int, list[int]] = {}
        for place, item in enumerate(self.validation):
            values = {candidate.number: candidate.trials[item.id].value for candidate in self.complete}
            highest = max(values.values(), default=0.0)
            for number, value in values.items():
                if value >= highest:
                    front.setdefault(number, []).append(place)
        return dict(sorted(front.items()))

    def table(self, tuned: Collection[str]) -> list[JsonObject]:
        """One row for each of the `tuned` predictors of each candidate."""
        front = self.front()
        return [
            {
                "candidate": candidate.number,
                "validation": round(candidate.value, 4) if candidate.trials else None,
                "predictor": name,
                "instructions": state.instructions,
                "demos": len(state.demos),
                "items": len(candidate.trials),
                "on_front": len(front.get(candidate.number, [])),
                "since_trial": candidate.since,
                "hash": candidate.program.hash,
            }
            for candidate in self
            for name, state in candidate.program.predictors.items()
            if name in tuned
        ]

    def _is_complete(self, candidate: Candidate) -> bool:
        return len(candidate.trials) == len(self.validation)
