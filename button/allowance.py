"""Whether a run may make another LM call: its budget, and the user's wish to stop."""

from dataclasses import dataclass

from button.errors import BudgetReached, Interrupted


@dataclass(slots=True)
class Allowance:
    """Counts calls as they start and dollars as they are spent. None means no limit."""

    max_calls: int | None = None
    max_cost: float | None = None
    calls: int = 0
    cost: float = 0.0
    interrupted: bool = False
    closed: bool = False

    def spend(self) -> None:
        """Allow one call, or raise BudgetReached or Interrupted."""
        if self.interrupted or self.closed:
            raise Interrupted
        if self.max_calls is not None and self.calls >= self.max_calls:
            raise BudgetReached(f"budget.max_calls={self.max_calls} is reached")
        if self.max_cost is not None and self.cost >= self.max_cost:
            raise BudgetReached(f"budget.max_cost={self.max_cost} US dollars is reached ({self.cost:.4f} spent)")
        self.calls += 1

    def recalled(self) -> None:
        """Count a call that an interrupted run has made already."""
        self.calls += 1

    def paid(self, cost: float) -> None:
        """Note what an answer has cost, in US dollars."""
        self.cost += cost
