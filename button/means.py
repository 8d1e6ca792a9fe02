"""The statistics that the paper gives of its dataset, over the accepted examples."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from signatures.records import Example, Measures


@dataclass(slots=True)
class Means:
    """Means of the measures a row, and the share of rows with a parallel round; collected in passing."""

    rows: int = 0
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(Measures.model_fields, 0.0))
    parallel_rows: int = 0

    def over(self, examples: Iterable[Example]) -> Iterator[Example]:
        """The same examples, counted as they pass."""
        for example in examples:
            self.rows += 1
            self.parallel_rows += example.measures.parallel_rounds > 0
            for name in self.sums:
                self.sums[name] += getattr(example.measures, name)
            yield example

    def as_metrics(self) -> dict[str, float]:
        """`mean/rounds`, `mean/calls`, ... and `share/parallel_rows`; empty without rows."""
        if not self.rows:
            return {}
        means = {f"mean/{name}": total / self.rows for name, total in self.sums.items()}
        return {**means, "share/parallel_rows": self.parallel_rows / self.rows}
