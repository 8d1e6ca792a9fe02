"""Covers the HTTP engine against real servers on loopback: scripted ones for each status, and none at all."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from canned import request
from dspy import lm15
from pydantic import ValidationError
from tiny_server import Scripted, TinyServer, completion, tiny_server

from button.errors import UserError
from button.lms.dialect import Constraint, Dialect
from button.lms.endpoint import Endpoint
from button.lms.limiter import Limits
from button.lms.weights import embedded_weights, is_cached

KEY = "sk-very-secret-0123456789"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
ASKED = {"type": "json_schema", "name": "Call", "schema": SCHEMA}
MODELS = {"object": "list", "data": [{"id": "served"}]}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@asynccontextmanager
async def endpoint(api_base: str, **given: Any) -> AsyncIterator[Endpoint]:
    engine = Endpoint(model="served", api_base=api_base, **given)
    try:
        yield engine
    finally:
        await engine.aclose()


@asynccontextmanager
async def asked(
    *script: Scripted | Callable[[Any], Scripted], **given: Any
) -> AsyncIterator[tuple[Endpoint, TinyServer]]:
    async with tiny_server(*script) as server, endpoint(server.url, **given) as engine:
        yield engine, server


def refused(status: int, message: str, **error: Any) -> Scripted:
    return Scripted(status, {"error": {"message": message, **error}})


async def test_an_answer_comes_back_as_a_response() -> None:
    async with asked(Scripted(body=completion("hi"))) as (engine, server):
        response = await engine.complete(request("hello", temperature=0.5, seed=1))

    assert response.text == "hi"
    assert response.usage.total_tokens == 15
    assert server.paths == ["/v1/chat/completions"]
    assert server.bodies == [
        {"model": "served", "messages": [{"role": "user", "content": "hello"}], "temperature": 0.5, "seed": 1}
    ]
    assert "Authorization" not in server.headers[0]


async def test_the_key_is_sent_and_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    echo = refused(401, f"Incorrect API key provided: {KEY}")
    async with asked(echo, api_key_env="MY_KEY") as (engine, server):
        with pytest.raises(lm15.AuthError) as caught:
            await engine.complete(request())

        assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
        assert KEY not in repr(engine) + str(vars(engine)) + str(caught.value) + repr(caught.value)
        assert "MY_KEY" in str(caught.value)


async def test_a_key_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_KEY", raising=False)
    async with asked(Scripted(body=completion()), api_key_env="MY_KEY") as (engine, _):
        with pytest.raises(lm15.NotConfiguredError, match="MY_KEY is not set"):
            await engine.complete(request())


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (refused(401, "who?"), lm15.AuthError),
        (refused(404, "no such model"), lm15.UnsupportedModelError),
        (refused(400, "too long", code="context_length_exceeded"), lm15.ContextLengthError),
        (refused(400, "too long", type="exceed_context_size_error"), lm15.ContextLengthError),
        (refused(400, "bad temperature"), lm15.InvalidRequestError),
        (refused(429, "slow down"), lm15.RateLimitError),
        (refused(500, "oops"), lm15.ServerError),
        (refused(503, "Loading model"), lm15.ServerError),
        (Scripted(502, "<html>bad gateway</html>"), lm15.ServerError),
        (Scripted(200, "<html>welcome</html>"), lm15.ServerError),
        (Scripted(200, {"object": "chat.completion", "choices": []}), lm15.ServerError),
        (Scripted(200, {"error": {"code": 429, "message": "upstream is busy"}}), lm15.RateLimitError),
        (Scripted(302, "", {"Location": "https://elsewhere/v1"}), lm15.InvalidRequestError),
    ],
)
async def test_each_bad_answer_is_the_error_that_says_what_can_be_done(
    said: Scripted, kind: type[lm15.LM15Error]
) -> None:
    async with asked(said) as (engine, _):
        with pytest.raises(lm15.LM15Error) as caught:
            await engine.complete(request())

    assert type(caught.value) is kind


async def test_a_429_carries_the_wait_that_the_server_asks_for() -> None:
    async with asked(Scripted(429, {}, {"Retry-After": "3"})) as (engine, _):
        with pytest.raises(lm15.RateLimitError) as caught:
            await engine.complete(request())

    assert caught.value.retry_after == 3.0


async def test_an_answer_that_is_not_json_is_shown() -> None:
    async with asked(Scripted(200, "<html>welcome</html>")) as (engine, _):
        with pytest.raises(lm15.ServerError, match="<html>welcome</html>"):
            await engine.complete(request())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_server_that_is_not_there_is_a_transport_error() -> None:
    async with endpoint(f"http://127.0.0.1:{free_port()}/v1") as engine:
        with pytest.raises(lm15.TransportError, match="127"):
            await engine.complete(request())


@asynccontextmanager
async def broken_server(*writes: bytes, hangs: bool = False) -> AsyncIterator[str]:
    """Writes `writes` to each caller, then hangs up: at once, or when the test is over."""
    is_over = asyncio.Event()
    handlers = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.append(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n")
        writer.writelines(writes)
        if hangs:
            await is_over.wait()
        writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        is_over.set()
        await asyncio.gather(*[handler for handler in handlers if handler is not None])
        await asyncio.sleep(0)  # transports close in the loop's next turn


@pytest.mark.parametrize("writes", [(), (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",), (b"SSH-2.0-x\r\n\r\n",)])
async def test_a_cut_connection_is_a_transport_error(writes: tuple[bytes, ...]) -> None:
    async with broken_server(*writes) as url, endpoint(url) as engine:
        with pytest.raises(lm15.TransportError):
            await engine.complete(request())


async def test_no_answer_in_time_is_a_timeout() -> None:
    async with broken_server(hangs=True) as url, endpoint(url, timeout_s=0.05) as engine:
        with pytest.raises(lm15.TimeoutError, match=r"timeout_s=0\.05"):
            await engine.complete(request())


async def test_a_constraint_that_the_server_does_not_know_is_weakened_once_and_for_all(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refusal = refused(400, "response_format type must be one of 'text' or 'json_object'")
    async with asked(refusal, Scripted(body=completion("{}"))) as (engine, server):
        for _ in range(2):
            assert (await engine.complete(request(response_format=ASKED))).text == "{}"

        assert [body["response_format"]["type"] for body in server.bodies] == [
            "json_schema",
            "json_object",
            "json_object",
        ]
        assert not engine.json_schema
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "refuses json_schema; from now on json_object" in caplog.text


async def test_calls_in_flight_at_the_refusal_fall_back_with_one_line_of_log(caplog: pytest.LogCaptureFixture) -> None:
    def takes_no_schema(body: Any) -> Scripted:
        if body["response_format"]["type"] == "json_schema":
            return refused(400, "response_format is not supported")
        return Scripted(body=completion("{}"))

    async with asked(takes_no_schema) as (engine, _):
        await asyncio.gather(*[engine.complete(request(response_format=ASKED)) for _ in range(8)])

    assert caplog.text.count("refuses") == 1


async def test_one_schema_that_the_server_does_not_take_weakens_only_its_own_call() -> None:
    refusal = refused(400, "Invalid schema for response_format 'Call': 'additionalProperties' is required")
    async with asked(refusal, Scripted(body=completion("{}"))) as (engine, server):
        for _ in range(2):
            await engine.complete(request(response_format=ASKED))

        assert [body["response_format"]["type"] for body in server.bodies] == [
            "json_schema",
            "json_object",
            "json_schema",
        ]
        assert engine.json_schema


async def test_a_server_that_takes_no_response_format_gets_none() -> None:
    refusal = refused(400, "unknown field response_format")
    async with asked(refusal, refusal, Scripted(body=completion("{}"))) as (engine, server):
        await engine.complete(request(response_format=ASKED))

    assert "response_format" not in server.bodies[-1]


async def test_a_refusal_without_a_constraint_is_raised() -> None:
    async with asked(refused(400, "response_format?")) as (engine, server):
        with pytest.raises(lm15.InvalidRequestError):
            await engine.complete(request())

    assert len(server.bodies) == 1


async def test_more_than_a_hundred_calls_run_at_once() -> None:
    meeting = asyncio.Barrier(150)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.wait_for(meeting.wait(), 5)
        body = json.dumps(completion("hi")).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=256)
    async with server, endpoint(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1") as engine:
        answers = await asyncio.gather(*[engine.complete(request()) for _ in range(150)])

    assert {answer.text for answer in answers} == {"hi"}


async def test_calls_go_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async with tiny_server(Scripted(body=completion("by proxy"))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.replace("http://", "http://user:word@"))
        async with endpoint("http://models.example/v1") as engine:
            assert (await engine.complete(request())).text == "by proxy"

        assert proxy.headers[0]["Host"] == "models.example"
        assert proxy.headers[0]["Proxy-Authorization"].startswith("Basic ")


async def test_no_proxy_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with asked(Scripted(body=completion("direct"))) as (engine, _):
        assert (await engine.complete(request())).text == "direct"


async def test_a_proxy_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:1080")
    async with endpoint("http://models.example/v1") as engine:
        with pytest.raises(UserError, match="socks5 proxy"):
            await engine.complete(request())


async def test_a_check_of_a_good_server_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with asked(Scripted(body=MODELS)) as (engine, server):
        await engine.check()

    assert server.paths == ["/v1/models"]
    assert not caplog.records


async def test_a_check_fails_where_no_server_listens() -> None:
    async with endpoint(f"http://127.0.0.1:{free_port()}/v1") as engine:
        with pytest.raises(UserError, match="start it, or set lm"):
            await engine.check()


async def test_a_check_fails_where_the_key_is_missing_or_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asked(refused(401, "no key")) as (engine, _):
        with pytest.raises(UserError, match=r"set lm\.api_key_env"):
            await engine.check()
    async with asked(Scripted(body=MODELS), api_key_env="MY_KEY") as (engine, _):
        with pytest.raises(UserError, match="MY_KEY is not set"):
            await engine.check()
    monkeypatch.setenv("MY_KEY", KEY)
    async with asked(refused(403, f"{KEY} is wrong"), api_key_env="MY_KEY") as (engine, _):
        with pytest.raises(UserError, match="MY_KEY") as caught:
            await engine.check()
    assert KEY not in str(caught.value)


async def test_a_check_fails_while_the_server_loads() -> None:
    async with asked(refused(503, "Loading model")) as (engine, _):
        with pytest.raises(UserError, match="not ready to answer: Loading model"):
            await engine.check()


async def test_a_check_finds_a_forgotten_v1() -> None:
    async with tiny_server(Scripted(404, {}), Scripted(body=MODELS)) as server:
        root = server.url.removesuffix("/v1")
        async with endpoint(root) as engine:
            with pytest.raises(UserError, match=f"set lm.api_base={root}/v1"):
                await engine.check()


@pytest.mark.parametrize(
    ("script", "warning"),
    [
        ([Scripted(body={"data": [{"id": "other"}]})], "does not list the model 'served'; it lists [\"other\"]"),
        ([Scripted(404, {}), Scripted(404, {})], "does not list its models"),
        ([Scripted(405, {})], "does not list its models"),
    ],
)
async def test_a_check_only_warns_of_what_may_be_right(
    script: list[Scripted], warning: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with asked(*script) as (engine, _):
        await engine.check()

    assert warning in caplog.text


@pytest.mark.parametrize("given", ["http://h:8000/v1/", "http://h:8000/v1/chat/completions", " http://h:8000/v1 "])
def test_the_address_is_taken_as_people_paste_it(given: str) -> None:
    assert Endpoint(model="m", api_base=given).api_base == "http://h:8000/v1"


@pytest.mark.parametrize("given", ["127.0.0.1:8000/v1", "ftp://h/v1", "", "http://"])
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(UserError, match="expected an address such as"):
        Endpoint(model="m", api_base=given)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UserError, match="environment variable") as caught:
        Endpoint(model="m", api_base="http://me:hush@h/v1")
    assert "hush" not in str(caught.value)


def test_options_are_checked_and_concurrency_follows_the_limits() -> None:
    assert Endpoint(model="m", api_base="http://h/v1", limits=Limits(max_in_flight=7)).concurrency == 7
    assert not Endpoint(model="m", api_base="http://h/v1", dialect={"constraint": "json_object"}).json_schema  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="max_in_flite"):
        Endpoint(model="m", api_base="http://h/v1", limits={"max_in_flite": 7})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def llama_cpp() -> Iterator[str]:
    """The address of a real llama.cpp server with a tiny model."""
    xllamacpp = pytest.importorskip("xllamacpp")
    if not is_cached("135m"):
        pytest.skip("the weights of SmolLM2 135M are not there: `make weights SIZE=135m`")
    params = xllamacpp.CommonParams()
    params.model.path = str(embedded_weights("135m"))
    params.n_ctx, params.n_parallel, params.cache_ram_mib, params.verbosity = 512, 1, 0, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)  # it stops when it is collected
    yield f"{server.listening_address}/v1"
    del server


@pytest.mark.model
@pytest.mark.parametrize("constraint", ["json_schema", "llguidance"])
async def test_a_real_llama_cpp_decodes_under_the_schema_and_names_its_overflow(
    llama_cpp: str, constraint: Constraint
) -> None:
    city = {"type": "object", "properties": {"city": {"enum": ["Oslo", "Rome"]}}, "required": ["city"]}
    asked = {"type": "json_schema", "name": "City", "schema": city}
    async with endpoint(llama_cpp, dialect=Dialect(constraint=constraint)) as engine:
        await engine.check()
        response = await engine.complete(request("Pick a city.", response_format=asked, max_tokens=30, seed=1))
        with pytest.raises(lm15.ContextLengthError):
            await engine.complete(request("word " * 1000))

    assert json.loads(str(response.text))["city"] in ("Oslo", "Rome")
    assert response.finish_reason == "stop"
    assert response.usage.output_tokens
