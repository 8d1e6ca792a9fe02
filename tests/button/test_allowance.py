import pytest

from button.allowance import Allowance
from button.errors import BudgetReached, Interrupted


def test_without_a_budget_any_number_of_calls_is_allowed() -> None:
    allowance = Allowance()
    for _ in range(1000):
        allowance.spend()
        allowance.paid(1000.0)
    assert allowance.calls == 1000


def test_a_budget_of_calls_is_met_exactly() -> None:
    allowance = Allowance(max_calls=3)
    for _ in range(3):
        allowance.spend()
    with pytest.raises(BudgetReached, match=r"budget\.max_calls=3 is reached"):
        allowance.spend()
    assert allowance.calls == 3


def test_a_budget_of_dollars_ends_with_the_call_that_reaches_it() -> None:
    allowance = Allowance(max_cost=0.5)
    for cost in (0.25, 0.2, 0.1):
        allowance.spend()
        allowance.paid(cost)
    with pytest.raises(BudgetReached, match=r"budget\.max_cost=0\.5 US dollars is reached \(0\.5500 spent\)"):
        allowance.spend()


def test_what_earlier_runs_spent_counts() -> None:
    with pytest.raises(BudgetReached):
        Allowance(5, None, 5, 0.0).spend()
    with pytest.raises(BudgetReached):
        Allowance(None, 1.0, 5, 1.0).spend()


def test_a_budget_of_nothing_allows_nothing() -> None:
    with pytest.raises(BudgetReached):
        Allowance(max_calls=0).spend()
    with pytest.raises(BudgetReached):
        Allowance(max_cost=0.0).spend()


@pytest.mark.parametrize("field", ["interrupted", "closed"])
def test_an_interrupted_or_closed_run_makes_no_call_whatever_its_budget(field: str) -> None:
    allowance = Allowance(max_calls=0)
    setattr(allowance, field, True)
    with pytest.raises(Interrupted):
        allowance.spend()
