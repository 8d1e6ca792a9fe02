"""One call with the retries it deserves, and a run that ends with a clear message where none will help.

asked again     429, 5xx, a cut or refused connection, a timeout, an answer that is no chat completion
ends the run    a refused key, no credit, an unknown model; a server that has fallen silent; retries without end
raised as is    everything else: the trouble is this request's own, and its row's
"""

import asyncio
import itertools
import random
from typing import Annotated, Protocol

from dspy import lm15
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from button.errors import UserError
from button.lms.engine import Engine
from button.lms.limiter import Limiter
from button.lms.trouble import Trouble

HOPELESS = (lm15.AuthError, lm15.BillingError, lm15.UnsupportedModelError, lm15.ConfigurationError)
CHARACTERS_A_TOKEN = 4
USUAL_ANSWER = 300  # tokens, where only the most that an answer may have is known


class Retries(BaseModel):
    """How patient a user is with one endpoint.

    A call is tried `tries` times, three times at most where it runs into its timeout; ten tries take about 50 s, each
    further one half a minute more. Where the server says nothing but 429, the run ends after `patience_s` seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tries: PositiveInt = 10
    patience_s: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 600.0


class RetryBudget:
    """What a run may spend on retries, shared by all its calls to one server.

    One call may be tried as `Retries` says. All calls together may be retried `floor` times (None: as often as a
    hundred calls may) plus `share` times the number of calls. A 429 counts for neither, since it is not the call's
    fault. Waits double from `first_wait_s` to `longest_wait_s`.
    """

    def __init__(
        self,
        *,
        tries: int = 10,
        share: float = 0.5,
        floor: int | None = None,
        patience_s: float = 600.0,
        first_wait_s: float = 0.1,
        longest_wait_s: float = 30.0,
    ) -> None:
        self.tries = tries
        self.share = share
        self.floor = 100 * tries if floor is None else floor
        self.patience_s = patience_s
        self.first_wait_s = first_wait_s
        self.longest_wait_s = longest_wait_s
        self.calls = 0
        self.answers = 0
        self.retries = 0
        self.rejections = 0
        self._rejected_since: float | None = None
        self._given_up = 0  # calls since the last answer
        self._refused = 0
        self._failure: lm15.LM15Error | None = None  # the last one since the last answer
        self._retrying: dict[object, float] = {}  # the calls between two tries, and when each gives up

    def called(self) -> None:
        self.calls += 1

    def answered(self) -> None:
        self.answers += 1
        self._given_up = 0
        self._rejected_since = None
        self._failure = None

    def retries_after(self, wait_s: float, call: object, error: lm15.LM15Error, *, failures: int, now: float) -> None:
        """Note that `call` will be tried again; `settled` ends it."""
        self._failure = error
        if isinstance(error, lm15.RateLimitError):
            since = self._rejected_since if self._rejected_since is not None else now
            self._retrying[call] = since + self.patience_s + (error.retry_after or 0.0)
        else:
            tries = self._tries(error)
            further = sum(self._wait_s(attempt) for attempt in range(failures, tries - 1))
            self._retrying[call] = now + wait_s + further

    def settled(self, call: object) -> None:
        """Note that `call` is tried no more."""
        self._retrying.pop(call, None)

    def trouble(self, now: float) -> Trouble | None:
        """How things stand where the server has answered nothing since it last failed."""
        if self._failure is None or not self._retrying:
            return None
        return Trouble(self._failure, len(self._retrying), min(self._retrying.values()) - now)

    def wait_out(self, error: lm15.RateLimitError, now: float) -> None:
        """Allow one more try after a 429 at `now` seconds. Raises UserError where there is no end of them."""
        self.rejections += 1
        since = self._rejected_since = now if self._rejected_since is None else self._rejected_since
        if now - since > self.patience_s + (error.retry_after or 0.0):
            raise UserError(
                f"the server has answered nothing but 429 for {now - since:.0f} s: {error.message.splitlines()[0]}."
                " Finished work is kept; run the same command again when the limit allows it"
            ) from error

    def spend(self, error: lm15.LM15Error, *, failures: int, answers_before: int) -> None:
        """Allow one more try after `failures` of one call. `answers_before`: those to all calls when it last failed.

        Raises `error` where the call has had its tries, and UserError where no call will fare better.
        """
        self.retries += 1
        if self.retries > self.floor + self.share * self.calls:
            raise UserError(
                f"{self.retries} retries for {self.calls} calls: the server fails too often. The last failure: {error}."
                " Finished work is kept; mend the server and run the same command again"
            ) from error
        if failures < self._tries(error):
            return
        self._given_up += 1
        one_bad_request = isinstance(error, lm15.ServerError) and error.status in (200, 500, None)
        if self.answers == answers_before and (self._given_up >= 3 or not one_bad_request):
            raise UserError(
                f"the server has stopped answering: {failures} tries of one call failed, and no other call was answered"
                f" meanwhile. The last failure: {error}. Finished work is kept; run the same command again"
            ) from error
        raise error

    def refused(self, error: lm15.LM15Error) -> None:
        """Raise UserError where the server refuses requests as such, by its third refusal without one answer."""
        self._refused += 1
        if isinstance(error, lm15.InvalidRequestError) and self._refused >= 3 and self.answers == 0:
            raise UserError(f"the server refuses every request: {error}") from error

    def wait_s(self, error: lm15.LM15Error, attempt: int, rng: random.Random) -> float:
        """Seconds until the next try: what the server asked for, or a wait that doubles with `attempt`, from 0."""
        asked = getattr(error, "retry_after", None)
        if asked is not None:
            return float(asked) * (1 + 0.1 * rng.random())
        return self._wait_s(attempt) * (0.5 + rng.random())

    def _wait_s(self, attempt: int) -> float:
        return min(self.first_wait_s * 2.0 ** min(attempt, 60), self.longest_wait_s)

    def _tries(self, error: lm15.LM15Error) -> int:
        return min(3, self.tries) if isinstance(error, lm15.TimeoutError) else self.tries


class Call(Protocol):
    """Whom one call is made for."""

    @property
    def row(self) -> int:
        """Calls of a lower row come first."""
        ...

    def begin(self) -> None:
        """The call is about to be sent for the first time. Raises StopRun where the run may make no further one."""
        ...

    async def keep(self, response: lm15.Response) -> None:
        """Return once the answer is durable."""
        ...


async def answer(
    engine: Engine, request: lm15.Request, call: Call, *, limiter: Limiter, budget: RetryBudget, rng: random.Random
) -> lm15.Response:
    """The engine's answer, once `call` has made it durable: the call's slot is held until then.

    So no more answers can be lost than there are slots. Waits between tries are spent outside the slot.
    Raises UserError or StopRun where the run should end, and the call's own lm15 error where only this request failed.
    """
    budget.called()
    try:
        return await _tried(engine, request, call, limiter=limiter, budget=budget, rng=rng)
    finally:
        budget.settled(call)


async def _tried(
    engine: Engine, request: lm15.Request, call: Call, *, limiter: Limiter, budget: RetryBudget, rng: random.Random
) -> lm15.Response:
    loop = asyncio.get_running_loop()
    tokens = expected_tokens(request) if limiter.counts_tokens else 0
    answers_before, failures = budget.answers, 0
    for attempt in itertools.count():
        try:
            async with limiter.slot(tokens, row=call.row) as slot:
                if attempt == 0:
                    call.begin()
                try:
                    response = await engine.complete(request)
                except lm15.RateLimitError as error:
                    slot.rejected(error.retry_after)
                    raise
                slot.answered(response.usage.total_tokens)
                budget.answered()
                await call.keep(response)
                return response
        except lm15.RETRYABLE_ERRORS as error:
            if isinstance(error, lm15.RateLimitError):
                budget.wait_out(error, loop.time())
            else:
                failures += 1
                budget.spend(error, failures=failures, answers_before=answers_before)
                answers_before = budget.answers
            wait = budget.wait_s(error, attempt, rng)
            budget.retries_after(wait, call, error, failures=failures, now=loop.time())
        except HOPELESS as error:
            raise UserError(f"the server refuses this run: {error}") from error
        except lm15.LM15Error as error:
            if not isinstance(error, lm15.ContextLengthError):
                budget.refused(error)
            raise
        await limiter.pause(wait)
    raise AssertionError("unreachable: the count of failures has no end")


def expected_tokens(request: lm15.Request) -> int:
    """What a call may cost both ways, in tokens, guessed before it is made."""
    system = request.system if isinstance(request.system, str) else ""
    characters = len(system) + sum(len(message.text or "") for message in request.messages)
    return characters // CHARACTERS_A_TOKEN + min(request.config.max_tokens or USUAL_ANSWER, USUAL_ANSWER)
