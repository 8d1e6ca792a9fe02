"""An engine as a run uses it: limited, retried, counted, and every answer journaled before its slot is freed."""

import hashlib
import random
import time
from typing import Protocol

import orjson
from dspy.lm15 import Request, Response

from button.lms.engine import Engine
from button.lms.limiter import Limiter
from button.lms.retry import RetryBudget, answer
from button.work import CURRENT_CALL


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

    @property
    def in_flight(self) -> int:
        return self.limiter.in_flight

    @property
    def small(self) -> bool:
        return getattr(self.engine, "small", False)

    async def complete(self, request: Request) -> Response:
        """The kept answer of an interrupted try, or a new one."""
        call = CURRENT_CALL.get()
        key = request_key(self.identity, request)
        response = call.ledger.recall(key)
        if response is None:
            started = time.perf_counter()

            async def record(response: Response) -> None:
                seconds = time.perf_counter() - started
                await call.ledger.keep(key, response, seconds, _cost(self.prices, response))

            response = await answer(
                self.engine, request, limiter=self.limiter, budget=self.retries, rng=self._jitter, record=record
            )
        call.finish_reason = response.finish_reason
        return response

    async def aclose(self) -> None:
        await self.engine.aclose()


def _cost(prices: Prices, response: Response) -> float:
    used = response.usage
    return ((used.input_tokens or 0) * prices.prompt + (used.output_tokens or 0) * prices.completion) / 1e6


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
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()[:24]
