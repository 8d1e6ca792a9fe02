"""Covers the simulated server over HTTP, with a stand-in for the player of the parts; and the engine, limiter and
retries against its faults."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from canned import TEXT, Canned, request
from dspy import lm15
from pydantic import ValidationError

from button.errors import UserError
from button.faults import Faults
from button.lms.endpoint import Endpoint
from button.lms.limiter import Limiter
from button.lms.retry import RetryBudget, answer
from button.simulate import SimulateSettings, Simulator, serve


@asynccontextmanager
async def simulator(**given: Any) -> AsyncIterator[Simulator]:
    settings = SimulateSettings.model_validate({"port": 0, "latency_ms": 1, **given})
    async with serve(settings, Canned()) as running:
        yield running


@asynccontextmanager
async def client(running: Simulator, model: str = "simulated", **given: Any) -> AsyncIterator[Endpoint]:
    engine = Endpoint(model=model, api_base=running.url, **given)
    try:
        yield engine
    finally:
        await engine.aclose()


async def get(running: Simulator, path: str, method: str = "GET") -> Any:
    address = running.url.removesuffix("/v1") + path
    async with aiohttp.ClientSession() as session, session.request(method, address) as reply:
        return await reply.json()


async def test_a_call_is_answered_by_the_player_and_counted() -> None:
    async with simulator(keep_bodies=5) as running, client(running) as engine:
        await engine.check()
        for text in ("one", "two", "one"):
            response = await engine.complete(request(text))
        assert response.text == TEXT
        assert response.usage.total_tokens == 10
        stats = await get(running, "/stats")
        assert {name: stats[name] for name in ("calls", "statuses", "distinct", "repeats", "tokens")} == {
            "calls": 3,
            "statuses": {"200": 3},
            "distinct": 2,
            "repeats": 1,
            "tokens": 30,
        }
        bodies = await get(running, "/bodies")
        assert [json.loads(body)["messages"][0]["content"] for body in bodies] == ["one", "two"]
        await get(running, "/stats", "DELETE")
        assert (await get(running, "/stats"))["calls"] == 0


async def test_only_its_own_model_is_known() -> None:
    async with simulator() as running, client(running, "gpt") as engine:
        with pytest.raises(lm15.UnsupportedModelError, match="'gpt' does not exist; 'simulated' does"):
            await engine.complete(request())


async def test_a_key_is_asked_for_where_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVED", "sk-1")
    monkeypatch.setenv("WRONG", "sk-2")
    async with simulator(api_key_env="SERVED") as running:
        async with client(running, api_key_env="SERVED") as engine:
            await engine.check()
            await engine.complete(request())
        async with client(running, api_key_env="WRONG") as engine:
            with pytest.raises(UserError):
                await engine.check()
            with pytest.raises(lm15.AuthError):
                await engine.complete(request())


async def test_a_long_prompt_overflows_the_context() -> None:
    async with simulator(context_tokens=100) as running, client(running) as engine:
        await engine.complete(request("short"))
        with pytest.raises(lm15.ContextLengthError):
            await engine.complete(request("long " * 200))


async def test_a_body_that_is_no_request_is_refused() -> None:
    async with simulator() as running, aiohttp.ClientSession() as session:
        for body in (b"", b"[]", b"{}", b'{"model": "simulated", "messages": [7]}'):
            async with session.post(f"{running.url}/chat/completions", data=body) as reply:
                assert reply.status == 400
                assert "no chat-completions request" in (await reply.json())["error"]["message"]


async def test_calls_beyond_the_cap_get_429() -> None:
    async with simulator(max_in_flight=2, latency_ms=100) as running, client(running) as engine:
        calls = [engine.complete(request(str(number))) for number in range(6)]
        outcomes = Counter(type(outcome) for outcome in await asyncio.gather(*calls, return_exceptions=True))

    assert outcomes == {lm15.Response: 2, lm15.RateLimitError: 4}


async def test_calls_beyond_the_rate_are_told_when_to_come_back() -> None:
    async with simulator(requests_per_minute=60) as running, client(running) as engine:
        await engine.complete(request())
        with pytest.raises(lm15.RateLimitError) as caught:
            await engine.complete(request())

    assert caught.value.retry_after == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("rate_limit", lm15.RateLimitError),
        ("server_error", lm15.ServerError),
        ("cut", lm15.TransportError),
        ("garbage", lm15.ServerError),
    ],
)
async def test_each_fault_reaches_the_client(fault: str, kind: type[lm15.LM15Error]) -> None:
    faults = Faults.model_validate({fault: 1.0, "retry_after_s": 2})
    async with simulator(faults=faults) as running, client(running) as engine:
        with pytest.raises(kind) as caught:
            await engine.complete(request())
        assert running.traffic.summary()["faults"] == {fault: 1}

    if fault == "rate_limit":
        assert caught.value.retry_after == 2.0


@pytest.mark.parametrize(("fault", "reason"), [("malformed", "stop"), ("truncated", "length")])
async def test_a_broken_off_answer_comes_with_its_finish_reason(fault: str, reason: str) -> None:
    async with simulator(faults={fault: 1.0}) as running, client(running) as engine:
        response = await engine.complete(request())

    assert response.text == TEXT[: int(len(TEXT) * 0.6)]
    assert response.finish_reason == reason


async def test_the_same_calls_meet_the_same_faults_in_any_order() -> None:
    async def outcomes(order: list[int], seed: int) -> dict[int, str]:
        seen = {}
        async with simulator(faults={"server_error": 0.5}, seed=seed) as running, client(running) as engine:
            for number in order:
                try:
                    await engine.complete(request(str(number)))
                    seen[number] = "answered"
                except lm15.ServerError:
                    seen[number] = "failed"
        return seen

    numbers = list(range(40))
    first = await outcomes(numbers, seed=1)

    assert set(first.values()) == {"answered", "failed"}
    assert await outcomes(numbers[::-1], seed=1) == first
    assert await outcomes(numbers, seed=2) != first


async def test_a_taken_port_is_the_users_to_mend() -> None:
    async with simulator() as running:
        port = int(running.url.split(":")[2].removesuffix("/v1"))
        with pytest.raises(UserError, match=f"cannot listen on 127.0.0.1:{port}"):
            async with simulator(port=port):
                pass


@pytest.mark.parametrize("key", ["flaws", "weakness"])
async def test_the_player_has_the_flaws_and_weaknesses_that_are_set(key: str) -> None:
    settings = SimulateSettings.model_validate({"port": 0, key: {"sloth": 1.0}})
    with pytest.raises(UserError, match=f"{key} has the unknown kind 'sloth'"):
        async with serve(settings):
            pass


def test_a_misspelt_fault_is_refused() -> None:
    with pytest.raises(ValidationError, match="cuts"):
        SimulateSettings.model_validate({"faults": {"cuts": 0.1}})


@pytest.mark.parametrize("fault", ["rate_limit", "server_error", "cut", "garbage"])
async def test_nothing_is_lost_where_one_call_in_twenty_fails(fault: str) -> None:
    calls, answered = 300, Counter[str]()
    async with simulator(faults={fault: 0.05}, latency_ms=5) as running, client(running) as engine:
        limiter, budget, left = Limiter(max_in_flight=64), RetryBudget(first_wait_s=0.01), iter(range(calls))

        class Counting:
            row = 0

            def begin(self) -> None:
                """Any call may be made."""

            async def keep(self, response: lm15.Response) -> None:
                answered[str(response.text)] += 1

        async def row() -> None:
            for number in left:
                asked = request(str(number))
                await answer(engine, asked, Counting(), limiter=limiter, budget=budget, rng=random.Random(number))

        async with asyncio.timeout(20):
            await asyncio.gather(*[row() for _ in range(64)])
        stats = running.traffic.summary()

    assert answered == {TEXT: calls}
    assert stats["faults"][fault] == stats["calls"] - calls > 0
    assert stats["peak_in_flight"] == 64
