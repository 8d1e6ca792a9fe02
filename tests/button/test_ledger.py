from collections.abc import Iterator
from pathlib import Path

import pytest
from dspy import lm15

from button.allowance import Allowance
from button.errors import BudgetReached
from button.journal import Journal, Key, Usage
from button.ledger import StepLedger

KEY = Key("task", "0123456789abcdef", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    journal = Journal(path)
    yield journal
    journal.close()


def answer(text: str, **fields: object) -> lm15.Response:
    given = {"finish_reason": "stop", "usage": lm15.Usage(100, 20, 120), **fields}
    return lm15.Response(id="x", model="served", message=lm15.Message.assistant(text), **given)


async def test_an_answer_of_an_interrupted_try_is_recalled(path: Path) -> None:
    journal = Journal(path)
    kept = StepLedger(KEY, journal, Allowance())
    await kept.keep("first", answer("né\n東京"), 1.25, 0.5)
    await kept.keep("second", answer("{", finish_reason="length", usage=lm15.Usage()), 0.5, 0.0)
    journal.file.abandon()  # as a kill would leave it

    journal = Journal(path)
    ledger = StepLedger(KEY, journal, Allowance())
    first, second = ledger.recall("first"), ledger.recall("second")
    assert first is not None
    assert (first.text, first.finish_reason, first.model) == ("né\n東京", "stop", "served")
    assert (first.usage.input_tokens, first.usage.output_tokens) == (100, 20)
    assert second is not None
    assert (second.text, second.finish_reason) == ("{", "length")
    assert ledger.recall("third") is None
    assert StepLedger(KEY._replace(draw=2), journal, Allowance()).recall("first") is None
    journal.close()


async def test_the_probabilities_of_the_first_token_outlive_a_kill(path: Path) -> None:
    journal = Journal(path)
    top = (lm15.TopLogprob("Yes", -0.1), lm15.TopLogprob("No", -2.5))
    logprobs = (
        lm15.TokenLogprob(token="Yes", logprob=-0.1, top=top),
        lm15.TokenLogprob(token=".", logprob=-0.2, top=()),
    )
    await StepLedger(KEY, journal, Allowance()).keep("first", answer("Yes.", logprobs=logprobs), 1.0, 0.0)
    journal.file.abandon()

    journal = Journal(path)
    recalled = StepLedger(KEY, journal, Allowance()).recall("first")
    assert recalled is not None
    assert recalled.logprobs is not None
    assert recalled.logprobs[0].top == top
    journal.close()


async def test_recalled_and_new_answers_count_alike(path: Path) -> None:
    journal = Journal(path)
    new = StepLedger(KEY, journal, Allowance())
    await new.keep("first", answer("a"), 1.5, 0.5)
    await new.keep("second", answer("b"), 2.0, 0.25)
    assert new.usage == Usage(calls=2, prompt_tokens=200, completion_tokens=40, cost=0.75, seconds=3.5)
    journal.close()

    journal = Journal(path)
    again = StepLedger(KEY, journal, Allowance())
    again.recall("first")
    again.recall("second")
    again.recall("third")
    assert again.usage == new.usage
    journal.close()


async def test_an_answer_without_counts_costs_no_tokens(journal: Journal) -> None:
    ledger = StepLedger(KEY, journal, Allowance())
    await ledger.keep("first", answer("a", usage=lm15.Usage()), 0.0, 0.0)
    assert ledger.usage == Usage(calls=1)


async def test_what_is_paid_reaches_the_budget(journal: Journal, path: Path) -> None:
    allowance = Allowance(max_cost=1.0)
    ledger = StepLedger(KEY, journal, allowance)
    ledger.spend()
    await ledger.keep("first", answer("a"), 1.0, 1.0)
    with pytest.raises(BudgetReached):
        ledger.spend()
    assert allowance.calls == 1


async def test_a_recalled_answer_counts_in_the_budget_as_if_it_were_paid_now(path: Path) -> None:
    journal = Journal(path)
    await StepLedger(KEY, journal, Allowance()).keep("first", answer("a"), 1.0, 1.0)
    journal.file.abandon()

    journal = Journal(path)
    allowance = Allowance(None, 1.0, *journal.spent())
    ledger = StepLedger(KEY, journal, allowance)
    assert ledger.recall("first") is not None
    assert allowance.calls == 1
    with pytest.raises(BudgetReached):
        ledger.spend()
    journal.close()
