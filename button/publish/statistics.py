"""What a set holds, counted as its rows pass: memory grows with the distinct functions and scenarios only."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from button.export.markup import json_text
from button.publish.finished_run import TracedExample
from button.publish.forms import domain_of
from button.publish.licences import SeedLicence
from button.publish.model_terms import shown_name
from signatures.records import AssistantTurn, Example, Turn, UserTurn, content_hash

CHARACTERS_A_TOKEN = 4  # a rule of thumb for English text and JSON; no tokenizer is asked
PAPER = {  # BUTTONInstruct (Chen et al., 2025): its published figures
    "rows": "8,000",
    "rounds": 2.60,
    "turns": 3.60,
    "calls_a_calling_turn": "more than 1",
    "two_calls": "most",
}
_ROW_NUMBER = re.compile(r"#\d+$")


@dataclass(slots=True)
class Statistics:
    """Counts of rows by what they have; see `add`."""

    splits: Counter[str] = field(default_factory=Counter)
    calls: Counter[int] = field(default_factory=Counter)
    rounds: Counter[int] = field(default_factory=Counter)
    turns: Counter[int] = field(default_factory=Counter)
    chains: Counter[int] = field(default_factory=Counter)
    strategies: Counter[str] = field(default_factory=Counter)
    domains: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)
    seeds: Counter[SeedLicence] = field(default_factory=Counter)
    offered: int = 0
    parallel_rows: int = 0
    parallel_mode: int = 0
    grounded_rows: int = 0
    characters: int = 0
    functions: set[str] = field(default_factory=set)
    function_names: set[str] = field(default_factory=set)
    scenarios: set[str] = field(default_factory=set)

    @property
    def rows(self) -> int:
        return self.splits.total()

    def add(self, traced: TracedExample, split: str) -> None:
        """Count one row: `rounds` are tool turns, `turns` the assistant's, `chains` the longest data flow, in calls."""
        example, measures = traced.example, traced.example.measures
        problem = example.trajectory.problem
        self.splits[split] += 1
        self.calls[measures.calls] += 1
        self.rounds[measures.rounds] += 1
        self.turns[measures.assistant_turns] += 1
        self.chains[measures.longest_chain] += 1
        self.strategies[problem.composition.strategy] += 1
        self.domains[domain_of(traced) or ""] += 1
        self.origins.update(source.origin for source in example.sources)
        self.parallel_rows += measures.parallel_rounds > 0
        self.parallel_mode += example.trajectory.parallel
        self.grounded_rows += measures.grounded_share == 1.0
        self.offered += len(problem.functions)
        self.functions.update(content_hash(function.model_dump(mode="json")) for function in problem.functions)
        self.function_names.update(function.name for function in problem.functions)
        self.scenarios.add(content_hash(problem.composition.scenario))
        self.characters += _characters(example)
        if seed := traced.seed:
            self.seeds[SeedLicence(shown_name(_ROW_NUMBER.sub("", seed.source)), seed.license)] += 1
        else:
            self.seeds[SeedLicence("rows without a seed", None)] += 1

    @property
    def tokens(self) -> int:
        """About how many, functions included."""
        return self.characters // CHARACTERS_A_TOKEN

    @property
    def calls_a_calling_turn(self) -> float:
        rounds = _total(self.rounds)
        return _total(self.calls) / rounds if rounds else 0.0

    @property
    def two_calls(self) -> float:
        """The share of rows with at least two calls."""
        return sum(rows for calls, rows in self.calls.items() if calls >= 2) / self.rows

    @property
    def grounded_share(self) -> float:
        """The share of argument values traced to the person, a result or the schema; 1 without arguments."""
        values = self.origins.total()
        return 1 - self.origins["ungrounded"] / values if values else 1.0


def mean(counted: Counter[int]) -> float:
    """The mean of what a counter counts: its keys, weighted."""
    return _total(counted) / counted.total() if counted else 0.0


def size_category(rows: int) -> str:
    """The Hub's `size_categories` value."""
    bounds = ("1K", "10K", "100K", "1M", "10M", "100M", "1B", "10B", "100B", "1T")
    for index, bound in enumerate(bounds):
        if rows < 1000 * 10**index:
            return f"n<{bound}" if index == 0 else f"{bounds[index - 1]}<n<{bound}"
    return "n>1T"


def _total(counted: Counter[int]) -> int:
    return sum(value * rows for value, rows in counted.items())


def _characters(example: Example) -> int:
    functions = [function.model_dump(mode="json") for function in example.trajectory.problem.functions]
    return len(json_text(functions)) + sum(map(len, _said(example.trajectory.turns)))


def _said(turns: Iterable[Turn]) -> Iterable[str]:
    for turn in turns:
        if isinstance(turn, UserTurn):
            yield turn.content
        elif isinstance(turn, AssistantTurn):
            yield turn.thought + (turn.final or "")
            yield json_text([call.model_dump(mode="json") for call in turn.calls])
        else:
            yield json_text([result.results for result in turn.results])
