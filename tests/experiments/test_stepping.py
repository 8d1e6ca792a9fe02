import pytest
from dspy import lm15
from scripted import Scripted, lm_of

from button.allowance import Allowance
from button.errors import BudgetReached, UserError
from button.work import DEFAULT_ROLE
from experiments.stepping import Tally, run_step, work_on
from modules.task import AtomicTaskWriting
from signatures.records import AtomicTask, Drop, Scenario

SCENARIO = Scenario.derive(None, text="watching the weather")
GOOD = {"task": "Get the pollen forecast for Tampere on 24 April 2027."}


async def test_a_step_gives_what_it_would_give_in_a_run() -> None:
    lms = {DEFAULT_ROLE: lm_of(Scripted(GOOD))}
    outcome = await run_step(AtomicTaskWriting(), SCENARIO, work_on(SCENARIO, "task", lms, seed=0))
    assert isinstance(outcome, tuple)
    assert isinstance(outcome[0], AtomicTask)
    assert outcome[0].task == GOOD["task"]
    assert outcome[0].parent == SCENARIO.id


async def test_answers_that_stay_unusable_are_a_drop_with_the_reason() -> None:
    lms = {DEFAULT_ROLE: lm_of(Scripted({"task": "Go."}, {"task": "Go."}))}
    outcome = await run_step(AtomicTaskWriting(tries=2), SCENARIO, work_on(SCENARIO, "task", lms, seed=0))
    assert isinstance(outcome, Drop)
    assert outcome.reason == "invalid"


async def test_a_model_that_refuses_the_key_is_no_drop() -> None:
    lms = {DEFAULT_ROLE: lm_of(Scripted(lm15.AuthError("no key")))}
    with pytest.raises(UserError, match="no key"):
        await run_step(AtomicTaskWriting(), SCENARIO, work_on(SCENARIO, "task", lms, seed=0))


async def test_a_tally_counts_calls_and_tokens() -> None:
    tally = Tally()
    lms = {DEFAULT_ROLE: lm_of(Scripted({"task": "Go."}, GOOD))}
    await run_step(AtomicTaskWriting(), SCENARIO, work_on(SCENARIO, "task", lms, seed=0, ledger=tally))
    assert (tally.usage.calls, tally.usage.prompt_tokens, tally.usage.completion_tokens) == (2, 200, 40)


async def test_tallies_that_share_an_allowance_end_together() -> None:
    allowance = Allowance(max_calls=1)
    lms = {DEFAULT_ROLE: lm_of(Scripted(GOOD, GOOD))}
    work = work_on(SCENARIO, "task", lms, seed=0, ledger=Tally(allowance))
    await run_step(AtomicTaskWriting(), SCENARIO, work)
    with pytest.raises(BudgetReached):
        await run_step(AtomicTaskWriting(), SCENARIO, work_on(SCENARIO, "task", lms, seed=0, ledger=Tally(allowance)))


def test_work_draws_what_a_run_with_the_same_seed_would() -> None:
    one, same, other = (work_on(SCENARIO, "task", {}, seed=seed) for seed in (1, 1, 2))
    assert one.seed("details") == same.seed("details") != other.seed("details")
