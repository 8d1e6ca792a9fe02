"""Covers which failures are asked again, for how long, and which end the run: scripted engines on virtual time."""

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from canned import request, response
from dspy import lm15
from virtual_time import run

from button.errors import BudgetReached, Interrupted, UserError
from button.lms.limiter import Limiter
from button.lms.retry import Retries, RetryBudget, answer, expected_tokens

REFUSED = lm15.TransportError("connection refused")
BROKEN = lm15.ServerError("oops", status=500)
FULL = lm15.RateLimitError("slow down", status=429)


class Scripted:
    """An engine that raises or answers as told, one a call, each after `seconds`."""

    concurrency = 64
    json_schema = True

    def __init__(self, *script: lm15.LM15Error | None, seconds: float = 0.0) -> None:
        self.left: Iterator[lm15.LM15Error | None] = itertools.chain(script, itertools.repeat(script[-1]))
        self.seconds = seconds
        self.calls = 0

    async def complete(self, request: lm15.Request) -> lm15.Response:
        self.calls += 1
        await asyncio.sleep(self.seconds)
        failure = next(self.left)
        if failure is not None:
            raise failure
        return response()

    async def aclose(self) -> None:
        """Nothing to close."""


@dataclass(eq=False)
class Asked:
    """Whom a call is made for: `begun` and `kept` are called as it begins and as its answer is kept."""

    row: int = 0
    begun: Callable[[], None] = lambda: None
    kept: Callable[[lm15.Response], None] = lambda _: None

    def begin(self) -> None:
        self.begun()

    async def keep(self, response: lm15.Response) -> None:
        await asyncio.sleep(0)
        self.kept(response)


async def ask(
    engine: Scripted,
    *,
    limiter: Limiter | None = None,
    budget: RetryBudget | None = None,
    asked: Asked | None = None,
) -> lm15.Response:
    return await answer(
        engine,
        request(),
        asked or Asked(),
        limiter=limiter or Limiter(max_in_flight=4),
        budget=budget or RetryBudget(),
        rng=random.Random(0),
    )


@pytest.mark.parametrize("failure", [REFUSED, BROKEN, FULL, lm15.TimeoutError("late")])
def test_what_may_pass_is_asked_again(failure: lm15.LM15Error) -> None:
    engine = Scripted(failure, failure, None)

    assert run(ask(engine)) == response()
    assert engine.calls == 3


@pytest.mark.parametrize(
    "failure", [lm15.InvalidRequestError("bad"), lm15.ContextLengthError("long"), lm15.UnsupportedFeatureError("image")]
)
def test_what_is_wrong_with_the_request_is_raised_at_once(failure: lm15.LM15Error) -> None:
    engine = Scripted(failure)

    with pytest.raises(type(failure)):
        run(ask(engine))
    assert engine.calls == 1


@pytest.mark.parametrize(
    "failure",
    [
        lm15.AuthError("wrong key"),
        lm15.BillingError("no credit"),
        lm15.UnsupportedModelError("no such model"),
        lm15.NotConfiguredError("no key"),
    ],
)
def test_what_no_call_will_survive_ends_the_run(failure: lm15.LM15Error) -> None:
    with pytest.raises(UserError, match="refuses this run"):
        run(ask(Scripted(failure)))


def test_a_bug_is_raised_plainly() -> None:
    class Buggy(Scripted):
        async def complete(self, request: lm15.Request) -> lm15.Response:
            raise KeyError("bug")

    with pytest.raises(KeyError):
        run(ask(Buggy(None)))


def test_the_answer_is_recorded_before_its_slot_is_free() -> None:
    async def main() -> list[int]:
        limiter, seen = Limiter(max_in_flight=1), list[int]()
        asked = Asked(kept=lambda _: seen.append(limiter.in_flight))
        await ask(Scripted(None), limiter=limiter, asked=asked)
        seen.append(limiter.in_flight)
        return seen

    assert run(main()) == [1, 0]


def test_a_call_begins_once_it_has_its_slot_and_only_once() -> None:
    async def main() -> list[int]:
        limiter, seen = Limiter(max_in_flight=1), list[int]()
        asked = Asked(begun=lambda: seen.append(limiter.in_flight))
        await ask(Scripted(BROKEN, FULL, None), limiter=limiter, asked=asked)
        return seen

    assert run(main()) == [1]


def test_a_call_that_may_not_begin_is_not_sent_and_gives_its_slot_back() -> None:
    def begin() -> None:
        raise BudgetReached

    async def main() -> None:
        limiter, engine = Limiter(max_in_flight=1), Scripted(None)
        with pytest.raises(BudgetReached):
            await ask(engine, limiter=limiter, asked=Asked(begun=begin))
        assert (engine.calls, limiter.in_flight) == (0, 0)

    run(main())


def test_a_call_that_waits_for_its_next_try_gives_up_when_the_run_ends() -> None:
    async def main() -> float:
        limiter = Limiter(max_in_flight=1)
        engine = Scripted(lm15.ServerError("x", status=503, retry_after=100.0), None)
        waiting = asyncio.create_task(ask(engine, limiter=limiter))
        await asyncio.sleep(1)
        limiter.close()
        with pytest.raises(Interrupted):
            await waiting
        assert engine.calls == 1
        return asyncio.get_running_loop().time()

    assert run(main()) == 1.0


def test_waits_are_spent_outside_the_slot() -> None:
    async def main() -> float:
        limiter = Limiter(max_in_flight=1)
        slow = asyncio.create_task(
            ask(Scripted(lm15.ServerError("x", status=503, retry_after=100.0), None), limiter=limiter)
        )
        await asyncio.sleep(1)
        await ask(Scripted(None), limiter=limiter)
        done_at = asyncio.get_running_loop().time()
        await slow
        assert asyncio.get_running_loop().time() >= 100
        return done_at

    assert run(main()) == 1.0


def test_waits_double_with_jitter_up_to_a_longest() -> None:
    budget, rng = RetryBudget(first_wait_s=0.1, longest_wait_s=2.0), random.Random(0)

    waits = [[budget.wait_s(BROKEN, attempt, rng) for _ in range(200)] for attempt in (0, 1, 4, 5, 5000)]

    for spread, middle in zip(waits, (0.1, 0.2, 1.6, 2.0, 2.0), strict=True):
        assert min(spread) == pytest.approx(middle * 0.5, rel=0.05)
        assert max(spread) == pytest.approx(middle * 1.5, rel=0.05)


def test_a_dead_server_ends_the_run_within_two_minutes() -> None:
    async def main() -> float:
        with pytest.raises(UserError, match=r"stopped answering.*connection refused.*run the same command again"):
            await ask(Scripted(REFUSED))
        return asyncio.get_running_loop().time()

    assert 20 < run(main()) < 120


def test_a_server_that_dies_after_good_answers_ends_the_run_rather_than_dropping_its_rows() -> None:
    async def main() -> None:
        budget = RetryBudget()
        dying = asyncio.create_task(ask(Scripted(REFUSED), budget=budget))
        await asyncio.sleep(1)
        await ask(Scripted(None), budget=budget)  # the last answer of all, after the first failures
        with pytest.raises(UserError, match="stopped answering"):
            await dying

    run(main())


def test_one_request_that_breaks_a_living_server_fails_alone() -> None:
    async def main() -> None:
        limiter, budget = Limiter(max_in_flight=4), RetryBudget()

        async def others() -> None:
            while True:
                await ask(Scripted(None, seconds=1.0), limiter=limiter, budget=budget)

        living = asyncio.create_task(others())
        for failure in (BROKEN, REFUSED):
            with pytest.raises(type(failure)):
                await ask(Scripted(failure), limiter=limiter, budget=budget)
        living.cancel()

    run(main())


def test_a_server_that_only_breaks_ends_the_run_at_the_third_call() -> None:
    async def main() -> None:
        budget = RetryBudget()
        for _ in range(2):
            with pytest.raises(lm15.ServerError):
                await ask(Scripted(BROKEN), budget=budget)
        with pytest.raises(UserError, match="stopped answering"):
            await ask(Scripted(BROKEN), budget=budget)

    run(main())


def test_a_call_that_times_out_is_tried_three_times() -> None:
    engine = Scripted(lm15.TimeoutError("late"), seconds=600)

    with pytest.raises(UserError):
        run(ask(engine))
    assert engine.calls == 3


def test_retries_of_the_whole_run_are_bounded() -> None:
    async def main() -> RetryBudget:
        budget = RetryBudget(share=0.1, floor=10)
        for _ in range(100):
            await ask(Scripted(BROKEN, None), budget=budget)
        return budget

    with pytest.raises(UserError, match="12 retries for 12 calls"):
        run(main())


def test_any_number_of_429s_is_waited_out_while_answers_come() -> None:
    async def main() -> RetryBudget:
        budget = RetryBudget(tries=2, floor=0, share=0.0)
        await ask(Scripted(*[FULL] * 15, None), budget=budget)
        return budget

    budget = run(main())
    assert (budget.rejections, budget.retries) == (15, 0)


def test_nothing_but_429s_for_ten_minutes_ends_the_run() -> None:
    async def main() -> float:
        with pytest.raises(UserError, match="nothing but 429"):
            await ask(Scripted(FULL))
        return asyncio.get_running_loop().time()

    assert 600 < run(main()) < 700


def test_answers_between_429s_start_the_ten_minutes_anew() -> None:
    budget = RetryBudget()
    for minute in range(0, 120, 9):
        budget.wait_out(FULL, 60.0 * minute)
        budget.answered()


def test_a_wait_that_the_server_asked_for_is_no_silence() -> None:
    async def main() -> float:
        await ask(Scripted(lm15.RateLimitError("daily limit", status=429, retry_after=7200.0), None))
        return asyncio.get_running_loop().time()

    assert 7200 <= run(main()) < 8000


def test_a_server_that_refuses_every_request_ends_the_run_at_the_third() -> None:
    async def main() -> None:
        budget = RetryBudget()
        for _ in range(2):
            with pytest.raises(lm15.InvalidRequestError):
                await ask(Scripted(lm15.InvalidRequestError("no seeds here")), budget=budget)
        with pytest.raises(UserError, match="refuses every request: no seeds here"):
            await ask(Scripted(lm15.InvalidRequestError("no seeds here")), budget=budget)

    run(main())


def test_rejections_reach_the_limiter() -> None:
    async def main() -> int:
        limiter, budget = Limiter(max_in_flight=8), RetryBudget()
        engine = Scripted(*[FULL] * 40, None)
        await asyncio.gather(*[ask(engine, limiter=limiter, budget=budget) for _ in range(8)])
        return limiter.limit

    assert run(main()) < 8


def test_tokens_are_guessed_from_the_length_of_the_prompt_and_a_usual_answer() -> None:
    assert expected_tokens(request("x" * 400)) == 400
    assert expected_tokens(request("x" * 400, max_tokens=50)) == 150


# What is said meanwhile


async def said(budget: RetryBudget, script: list[lm15.LM15Error | None], after: float) -> str:
    """What the trouble is, `after` so many seconds of one call over this script."""
    asked = asyncio.create_task(ask(Scripted(*script), budget=budget))
    await asyncio.sleep(after)
    found = str(budget.trouble(asyncio.get_running_loop().time()))
    asked.cancel()
    return found


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (lm15.ServerError("x", status=503), "answers 503: retrying, 1 call waits for another try, gives up in about"),
        (REFUSED, "cannot be reached: retrying, 1 call waits"),
        (lm15.TimeoutError("late"), "does not answer in time: retrying"),
        (lm15.ServerError("the answer is not JSON", status=200), "answers what is no chat completion: retrying"),
        (FULL, "answers 429: retrying"),
    ],
)
def test_a_server_that_fails_is_told_of_while_it_is_asked_again(failure: lm15.LM15Error, told: str) -> None:
    assert run(said(RetryBudget(), [failure], 0.01)).startswith(told)


def test_the_moment_of_giving_up_is_known_about() -> None:
    async def main(failure: lm15.LM15Error) -> tuple[float, float]:
        budget, loop = RetryBudget(), asyncio.get_running_loop()
        asked = asyncio.create_task(ask(Scripted(failure), budget=budget))
        await asyncio.sleep(5)
        trouble = budget.trouble(loop.time())
        assert trouble is not None
        guessed = loop.time() + trouble.gives_up_s
        with pytest.raises(UserError):
            await asked
        return guessed, loop.time()

    for failure in (REFUSED, FULL):
        guessed, real = run(main(failure))
        assert guessed == pytest.approx(real, rel=0.5)


def test_a_server_that_answers_again_is_in_no_trouble() -> None:
    async def main() -> None:
        budget = RetryBudget()
        waiting = asyncio.create_task(ask(Scripted(*[BROKEN] * 5, None), budget=budget))
        await asyncio.sleep(0.01)
        assert budget.trouble(0.0) is not None
        await ask(Scripted(None), budget=budget)
        assert budget.trouble(0.0) is None
        await waiting
        assert budget.trouble(0.0) is None

    run(main())


def test_a_patient_user_waits_longer_for_a_dead_server() -> None:
    async def main(retries: Retries) -> float:
        with pytest.raises(UserError, match="stopped answering"):
            await ask(Scripted(REFUSED), budget=RetryBudget(**retries.model_dump()))
        return asyncio.get_running_loop().time()

    hasty, usual, patient = (run(main(Retries(tries=tries))) for tries in (2, 10, 20))
    assert hasty < 1
    assert 20 < usual < 120
    assert 250 < patient < 500
