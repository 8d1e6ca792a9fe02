"""`button simulate`: an OpenAI-compatible server that plays every part of BUTTON by rule, to try configs and faults.

    POST /v1/chat/completions   an answer after `latency_ms`, or a fault
    GET  /v1/models             the one model
    GET  /stats                 what came in (`button.traffic`); DELETE /stats starts counting anew
    GET  /bodies                the first `keep_bodies` distinct request bodies, as a JSON list of strings

Faults and jitter are drawn from the seed, the body and how often that body came, so a run meets the same faults
whatever the order of its calls. There is no TLS and nothing is checked but the key: keep it on loopback.
"""

import asyncio
import hashlib
import itertools
import logging
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import orjson
from aiohttp import web
from dspy.lm15 import Request, Response
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from button.errors import UserError
from button.faults import SLOWDOWN, Fault, Faults, Rate
from button.lms.bucket import Bucket
from button.lms.retry import CHARACTERS_A_TOKEN
from button.lms.wire import answer_body, request_of
from button.traffic import Traffic
from signatures.records import JsonObject

REFUSAL_S = 0.002
LARGEST_BODY = 64 * 2**20  # bytes
KEPT_SHARE = 0.6  # how much of its text a broken-off answer keeps

logger = logging.getLogger(__name__)


class Player(Protocol):
    """Who answers: `button.lms.simulated.Simulated`, or a stand-in."""

    async def complete(self, request: Request) -> Response: ...


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: HTTP status, JSON body, headers, and the tokens it cost both ways."""

    status: int
    body: bytes
    headers: dict[str, str] | None = None
    tokens: int = 0


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Said:
    body = {"error": {"message": message, "type": code, "param": None, "code": code}}
    return Said(status, orjson.dumps(body), headers)


WRONG_KEY = _error(401, "invalid_api_key", "the API key is missing or wrong")


class SimulateSettings(BaseModel):
    """A simulated server. Port 0 takes a free one; `jitter` spreads the latency by that share, in [0, 1], each way.
    `flaws` and `weakness` spoil answers as those of `button.lms.simulated.Simulated` do.

    Where they are set: `api_key_env` names the environment variable with the key to ask for, more than `max_in_flight`
    calls at once or more than `requests_per_minute` are answered by 429, longer prompts than `context_tokens` by 400.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8001, ge=0, le=65535)
    model: str = "simulated"
    latency_ms: NonNegativeFloat = 100
    jitter: float = Field(default=0, ge=0, le=1)
    seed: int = 0
    flaws: dict[str, Rate] | Rate = {}
    weakness: dict[str, Rate] = {}
    faults: Faults = Faults()
    max_in_flight: PositiveInt | None = None
    requests_per_minute: PositiveFloat | None = None
    context_tokens: PositiveInt | None = None
    api_key_env: str | None = None
    keep_bodies: NonNegativeInt = 0


class Simulator:
    """The server's behaviour; `serve` puts it behind a port."""

    def __init__(self, settings: SimulateSettings, player: Player) -> None:
        self.settings = settings
        self.player = player
        self.traffic = Traffic(keep_bodies=settings.keep_bodies)
        self.url = ""
        self._key = _key(settings.api_key_env)
        self._requests = Bucket(settings.requests_per_minute) if settings.requests_per_minute else None
        self._ids = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/stats", self._stats)
        app.router.add_delete("/stats", self._forget)
        app.router.add_get("/bodies", self._bodies)
        return app

    async def _chat(self, http: web.Request) -> web.Response:
        raw = await http.read()
        digest = hashlib.blake2b(raw, digest_size=8).digest()
        traffic = self.traffic
        before = traffic.arrive(digest, raw)
        rng = random.Random(int.from_bytes(digest) + before * 2**64 + self.settings.seed * 2**80)
        fault = self.settings.faults.draw(rng)
        status, tokens = 0, 0
        try:
            said = self._refusal(http, traffic, fault) or await self._answer(raw, fault)
            await asyncio.sleep(REFUSAL_S if said.status in (401, 429) else self._latency_s(fault, rng))
            if fault == "cut" and http.transport is not None:
                http.transport.abort()
            else:
                status, tokens = said.status, said.tokens
            return web.Response(
                status=said.status, body=said.body, headers=said.headers, content_type="application/json"
            )
        finally:
            traffic.leave(digest, status=status, fault=fault, tokens=tokens)

    def _refusal(self, http: web.Request, traffic: Traffic, fault: Fault | None) -> Said | None:
        """What is said before the body is looked at."""
        settings = self.settings
        if not self._knows_the_key(http):
            return WRONG_KEY
        headers = {} if settings.faults.retry_after_s is None else {"Retry-After": f"{settings.faults.retry_after_s:g}"}
        if fault == "rate_limit" or traffic.in_flight > (settings.max_in_flight or traffic.in_flight):
            return _error(429, "rate_limit_exceeded", "too many requests at once", headers)
        if self._requests is not None:
            wait = self._requests.wait(1, asyncio.get_running_loop().time())
            if wait > 0:
                return _error(429, "rate_limit_exceeded", "too many requests a minute", {"Retry-After": f"{wait:.3f}"})
            self._requests.take(1)
        return _error(500, "server_error", "a simulated failure") if fault == "server_error" else None

    async def _answer(self, raw: bytes, fault: Fault | None) -> Said:
        settings = self.settings
        try:
            body = orjson.loads(raw)
            request = request_of(body)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return _error(400, "invalid_request_error", f"this is no chat-completions request: {error!r}")
        if request.model != settings.model:
            return _error(
                404, "model_not_found", f"the model {request.model!r} does not exist; {settings.model!r} does"
            )
        if body.get("stream"):
            return _error(400, "invalid_request_error", "this server does not stream; leave out 'stream'")
        tokens = len(raw) // CHARACTERS_A_TOKEN
        if settings.context_tokens is not None and tokens > settings.context_tokens:
            limit = f"maximum context length is {settings.context_tokens} tokens, the request has about {tokens}"
            return _error(400, "context_length_exceeded", limit)
        return self._said(await self.player.complete(request), fault)

    def _said(self, response: Response, fault: Fault | None) -> Said:
        answer: JsonObject = {"id": f"chatcmpl-{next(self._ids)}", "created": 0, **answer_body(response)}
        answer["model"] = self.settings.model
        choice = answer["choices"][0]
        if fault in ("malformed", "truncated"):
            text = choice["message"]["content"]
            choice["message"]["content"] = text[: int(len(text) * KEPT_SHARE)]
            choice["finish_reason"] = "length" if fault == "truncated" else "stop"
        body = b"<html>a proxy's error page</html>" if fault == "garbage" else orjson.dumps(answer)
        return Said(200, body, tokens=answer["usage"]["total_tokens"])

    def _latency_s(self, fault: Fault | None, rng: random.Random) -> float:
        settings = self.settings
        times = SLOWDOWN if fault == "slow" else 1
        return settings.latency_ms / 1000 * times * (1 + settings.jitter * rng.uniform(-1, 1))

    def _knows_the_key(self, http: web.Request) -> bool:
        return not self._key or http.headers.get("Authorization") == f"Bearer {self._key}"

    async def _models(self, http: web.Request) -> web.Response:
        if not self._knows_the_key(http):
            return web.Response(status=401, body=WRONG_KEY.body, content_type="application/json")
        entry = {"id": self.settings.model, "object": "model", "created": 0, "owned_by": "button"}
        return _json({"object": "list", "data": [entry]})

    async def _stats(self, _http: web.Request) -> web.Response:
        return _json(self.traffic.summary())

    async def _forget(self, _http: web.Request) -> web.Response:
        self.traffic = Traffic(keep_bodies=self.settings.keep_bodies)
        return _json({})

    async def _bodies(self, _http: web.Request) -> web.Response:
        return _json([body.decode() for body in self.traffic.bodies])


@asynccontextmanager
async def serve(settings: SimulateSettings, player: Player | None = None) -> AsyncIterator[Simulator]:
    """A running server; its `url` is what `lm.api_base` takes. `player` defaults to the rule-based one.

    Raises UserError where the port cannot be had.
    """
    if player is None:
        from button.lms.simulated import Simulated

        player = Simulated(seed=settings.seed, flaws=settings.flaws, weakness=settings.weakness)
    simulator = Simulator(settings, player)
    runner = web.AppRunner(simulator.app(), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port, backlog=2048)
        try:
            await site.start()
        except OSError as error:
            raise UserError(
                f"cannot listen on {settings.host}:{settings.port} ({error.strerror}); choose another one with port=..."
            ) from error
        port = runner.addresses[0][1]
        simulator.url = f"http://{settings.host}:{port}/v1"
        yield simulator
    finally:
        await runner.cleanup()


async def run_server(settings: SimulateSettings) -> None:
    """Serve until cancelled."""
    async with serve(settings) as simulator:
        logger.info("serving model %r at %s; stop with Ctrl-C", settings.model, simulator.url)
        await asyncio.Event().wait()


def _key(variable: str | None) -> str:
    if variable is None:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UserError(f"the environment variable {variable} is not set; it must hold the key to ask for")
    return key


def _json(value: object) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")
