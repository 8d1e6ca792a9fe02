"""Covers DSPy's own path, with a real local server behind its `openai/` route; other providers are DSPy's business."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import dspy
import pytest
from canned import request
from dspy import lm15
from tiny_server import Scripted, TinyServer, completion, tiny_server

from button.errors import UserError
from button.lms.stock import Stock

ASKED = {"type": "json_schema", "name": "Call", "schema": {"type": "object", "properties": {}}}


@asynccontextmanager
async def asked(
    said: Scripted, monkeypatch: pytest.MonkeyPatch, **given: Any
) -> AsyncIterator[tuple[Stock, TinyServer]]:
    monkeypatch.setenv("MY_KEY", "sk-mine")
    async with tiny_server(said) as server:
        engine = Stock(model="openai/some-model", api_base=server.url, api_key_env="MY_KEY", **given)
        try:
            yield engine, server
        finally:
            await engine.aclose()


async def test_an_answer_comes_through_dspy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asked(Scripted(body=completion("hi")), monkeypatch) as (engine, server):
        response = await engine.complete(request("hello", temperature=0.5, seed=7))

    assert response.text == "hi"
    assert response.usage.total_tokens == 15
    assert server.bodies[0]["model"] == "some-model"
    assert server.bodies[0]["seed"] == 7
    assert server.headers[0]["Authorization"] == "Bearer sk-mine"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, lm15.AuthError), (429, lm15.RateLimitError), (500, lm15.ServerError), (400, lm15.InvalidRequestError)],
)
async def test_a_failure_is_an_lm15_error_after_one_try(
    status: int, kind: type[lm15.LM15Error], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = Scripted(status, {"error": {"message": "no", "type": "x", "code": None}}, {"Retry-After": "3"})
    async with asked(said, monkeypatch) as (engine, server):
        with pytest.raises(kind) as caught:
            await engine.complete(request())

    assert len(server.bodies) == 1
    if status == 429:
        assert caught.value.retry_after == 3.0


async def test_a_schema_is_sent_only_where_the_provider_decodes_under_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for json_schema in (False, True):
        async with asked(Scripted(body=completion("{}")), monkeypatch, json_schema=json_schema) as (engine, server):
            await engine.complete(request(response_format=ASKED))
        assert ("response_format" in server.bodies[0]) is json_schema


async def test_the_inner_call_is_neither_cached_nor_counted_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asked(Scripted(body=completion("hi")), monkeypatch) as (engine, server):
        with dspy.track_usage() as usage:
            await engine.complete(request())
            await engine.complete(request())

    assert len(server.bodies) == 2
    assert usage.get_total_tokens() == {}


async def test_a_check_fails_where_the_key_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(UserError, match="MY_KEY is not set"):
        await Stock(model="anthropic/some-model", api_key_env="MY_KEY").check()


def test_a_model_without_its_provider_is_refused() -> None:
    with pytest.raises(UserError, match="expected provider/model"):
        Stock(model="gpt-4o")
