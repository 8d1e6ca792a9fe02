"""An engine as a run uses it: limited, retried, counted, and every answer journaled before its slot is freed."""

import asyncio
import hashlib
import random
import time
from collections.abc import Mapping
from typing import Protocol

import orjson
from dspy.lm15 import Request, Response

from button.lms.engine import Engine
from button.lms.limiter import Limiter
from button.lms.retry import RetryBudget, answer
from button.work import CURRENT_CALL, LmCall

# Settings that decide an answer beside those that every request has.
SELDOM_SET = ("top_k", "stop", "frequency_penalty", "presence_penalty", "logprobs", "reasoning", "extensions")


class Prices(Protocol):
    """US dollars a million tokens."""

    @property
    def prompt(self) -> float: ...

    @property
    def completion(self) -> float: ...


class Recorded:
    """The async engine behind a `dspy.LM`. `identity` tells apart endpoints that share a model name."""

    def __init__(
        self, engine: Engine, *, identity: str, limiter: Limiter, retries: RetryBudget, prices: Prices
    ) -> None:
        self.engine = engine
        self.identity = identity
        self.limiter = limiter
        self.retries = retries
        self.prices = prices
        self._jitter = random.Random(0)
        self._calls: set[asyncio.Task[Response]] = set()

    @property
    def in_flight(self) -> int:
        return self.limiter.in_flight

    @property
    def small(self) -> bool:
        return getattr(self.engine, "small", False)

    @property
    def sense_floors(self) -> Mapping[str, float]:
        return getattr(self.engine, "sense_floors", {})

    def trouble(self) -> str | None:
        """What is wrong with the server while its calls are asked again; None where it answers."""
        found = self.retries.trouble(asyncio.get_running_loop().time())
        where = getattr(self.engine, "api_base", None) or repr(self.engine)
        return None if found is None else f"{where} {found}"

    async def complete(self, request: Request) -> Response:
        """The kept answer of an interrupted try, or a new one."""
        call = CURRENT_CALL.get()
        key = request_key(self.identity, request)
        response = call.ledger.recall(key)
        if response is None:
            response = await self._paid(request, _Paid(call, key, self.prices))
        call.finish_reason = response.finish_reason
        if response.logprobs:
            call.first_token = tuple((top.token.strip().lower(), top.logprob) for top in response.logprobs[0].top)
        return response

    async def _paid(self, request: Request, call: "_Paid") -> Response:
        """A new answer. It is kept also where who asks is cancelled meanwhile: it will be paid for."""
        asked = answer(self.engine, request, call, limiter=self.limiter, budget=self.retries, rng=self._jitter)
        task = asyncio.create_task(asked)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Cancel the calls that nobody has waited for; the limiter's `idle` does."""
        for task in self._calls:
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        await self.engine.aclose()


class _Paid:
    """A call that the ledger of `call` pays for: allowed once it has its slot, kept under `key` once it is answered."""

    __slots__ = ("_asked", "call", "key", "prices")

    def __init__(self, call: LmCall, key: str, prices: Prices) -> None:
        self.call = call
        self.key = key
        self.prices = prices
        self._asked = time.perf_counter()

    @property
    def row(self) -> int:
        return self.call.row

    def begin(self) -> None:
        self.call.ledger.spend()

    async def keep(self, response: Response) -> None:
        used, prices = response.usage, self.prices
        cost = ((used.input_tokens or 0) * prices.prompt + (used.output_tokens or 0) * prices.completion) / 1e6
        await self.call.ledger.keep(self.key, response, time.perf_counter() - self._asked, cost)


def request_key(identity: str, request: Request) -> str:
    """A hash of everything that decides the answer: model, prompt, settings and seed."""
    config = request.config
    parts = [
        identity,
        request.system if isinstance(request.system, str) else str(request.system),
        [(message.role, message.text) for message in request.messages],
        [config.temperature, config.max_tokens, config.seed, config.top_p],
        config.response_format,
    ]
    seldom = {name: value for name in SELDOM_SET if (value := getattr(config, name))}
    if seldom:
        parts.append(seldom)
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:24]
