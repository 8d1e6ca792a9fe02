from pathlib import Path

import pytest
from dspy.lm15 import Message, Response, TextPart, Usage

from button.errors import BudgetReached, Interrupted
from button.journal import Journal
from experiments.optimizing.spending import Answers, Spending, TrialsSpent


def response(text: str) -> Response:
    message = Message.assistant([TextPart(text)])
    return Response(
        id=None, model="m", message=message, finish_reason="stop", usage=Usage(input_tokens=10, output_tokens=5)
    )


async def test_an_answer_is_told_again_and_counted_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.db")
    answers = Answers(journal, Spending())
    ledger = answers.ledger("step")
    assert ledger.recall("a") is None
    await ledger.keep("a", response("one"), 2.0, 0.5)
    again = ledger.recall("a")
    assert again is not None
    assert again.text == "one"
    total = answers.spending.total
    assert (total.calls, total.prompt_tokens, total.completion_tokens, total.cost) == (1, 10, 5, 0.5)
    journal.close()


async def test_a_later_run_counts_a_kept_answer_when_it_first_uses_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.db")
    await Answers(journal, Spending()).ledger("step").keep("a", response("one"), 2.0, 0.5)
    journal.close()
    journal = Journal(tmp_path / "run.db")
    answers = Answers(journal, Spending())
    assert answers.spending.total.calls == 0
    for _ in range(2):
        assert answers.ledger("judge").recall("a") is not None
    assert answers.spending.usage["judge"].calls == 1
    journal.close()


async def test_budgets_of_calls_and_dollars_end_everything(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.db")
    for spending in (Spending(max_calls=2), Spending(max_cost=1.0)):
        ledger = Answers(journal, spending).ledger("step")
        for name in "ab":
            ledger.spend()
            await ledger.keep(f"{name}{spending.max_calls}", response("x"), 0.1, 0.5)
        with pytest.raises(BudgetReached, match=r"budget\.max_(calls=2|cost=1\.0) "):
            ledger.spend()
    journal.close()


def test_trials_end_a_search_and_not_the_last_measurement() -> None:
    spending = Spending(max_trials=2)
    spending.trial()
    spending.trial()
    with pytest.raises(TrialsSpent, match=r"budget\.max_metric_calls=2 is reached"):
        spending.trial()
    spending.unbounded = True
    spending.trial()
    assert spending.trials == 2


def test_an_interrupt_ends_everything() -> None:
    with pytest.raises(Interrupted):
        Spending(interrupted=True, unbounded=True).trial()
