import asyncio
import math
from dataclasses import replace

import pytest
from canned import request
from dspy import lm15
from hypothesis import given
from hypothesis import strategies as st
from scripted import MemoryLedger, Scripted, Small, Truncated, recorded
from strategies import TEXTS

from button.errors import BudgetReached
from button.lms.recorded import Recorded, request_key
from button.lms.schema import object_schema
from button.work import CURRENT_CALL, LmCall

FORMAT = {"type": "json_schema", "name": "X", "schema": object_schema({"a": {"type": "string"}}), "strict": True}


async def complete(seam: Recorded, asked: lm15.Request, ledger: MemoryLedger) -> tuple[lm15.Response, LmCall]:
    call = LmCall(ledger)
    token = CURRENT_CALL.set(call)
    try:
        return await seam.complete(asked), call
    finally:
        CURRENT_CALL.reset(token)


async def test_an_answer_is_kept_before_it_is_given_and_while_its_slot_is_held() -> None:
    class Watching(MemoryLedger):
        async def keep(self, key: str, response: lm15.Response, seconds: float, cost: float) -> None:
            await asyncio.sleep(0.01)
            in_flight.append(seam.in_flight)
            await super().keep(key, response, seconds, cost)

    in_flight: list[int] = []
    ledger, seam = Watching(), recorded(Scripted("an answer"))
    response, _ = await complete(seam, request(), ledger)
    assert list(ledger.kept.values()) == [response]
    assert in_flight == [1]
    assert seam.in_flight == 0


async def test_a_kept_answer_is_given_without_a_call_a_slot_or_another_count() -> None:
    engine, ledger = Scripted("an answer"), MemoryLedger()
    seam = recorded(engine)
    first, _ = await complete(seam, request(), ledger)
    ledger.cost = 0.0
    again, _ = await complete(seam, request(), ledger)
    assert again is first
    assert len(engine.requests) == seam.retries.calls == 1
    assert ledger.cost == 0.0


async def test_only_a_new_answer_is_charged_to_the_budget() -> None:
    engine, ledger = Scripted("one", "two"), MemoryLedger(calls=1)
    seam = recorded(engine)
    for _ in range(2):
        await complete(seam, request(), ledger)
    with pytest.raises(BudgetReached):
        await complete(seam, request("another"), ledger)
    assert len(engine.requests) == ledger.spent == 1


async def test_how_an_answer_ended_is_told_whether_it_is_new_or_kept() -> None:
    ledger, seam = MemoryLedger(), recorded(Scripted(Truncated("{"), "{}"))
    for _ in range(2):
        assert (await complete(seam, request(), ledger))[1].finish_reason == "length"
    assert (await complete(seam, request("another"), ledger))[1].finish_reason == "stop"


class Patient(Scripted):
    """Answers once it is told to."""

    async def complete(self, asked: lm15.Request) -> lm15.Response:
        self.asked.set()
        await self.told.wait()
        return await super().complete(asked)

    def __init__(self) -> None:
        super().__init__("an answer")
        self.asked, self.told = asyncio.Event(), asyncio.Event()


async def test_the_answer_to_a_call_whose_asker_is_cancelled_is_kept() -> None:
    engine, ledger = Patient(), MemoryLedger()
    seam = recorded(engine)
    asker = asyncio.create_task(complete(seam, request(), ledger))
    await engine.asked.wait()
    asker.cancel()
    await asyncio.gather(asker, return_exceptions=True)
    assert seam.in_flight == 1
    engine.told.set()
    await seam.limiter.idle()
    assert len(ledger.kept) == 1


async def test_at_the_end_no_call_is_left_under_way() -> None:
    engine, ledger = Patient(), MemoryLedger()
    seam = recorded(engine)
    asker = asyncio.create_task(complete(seam, request(), ledger))
    await engine.asked.wait()
    await seam.aclose()
    assert (seam.in_flight, asker.done(), ledger.kept) == (0, True, {})


async def test_a_failed_call_keeps_nothing() -> None:
    ledger = MemoryLedger()
    with pytest.raises(lm15.ContextLengthError):
        await complete(recorded(Scripted(lm15.ContextLengthError("long"))), request(), ledger)
    assert not ledger.kept


async def test_a_call_costs_its_tokens() -> None:
    ledger = MemoryLedger()
    await complete(recorded(Scripted("x"), prompt=2.5, completion=10.0), request(), ledger)
    assert ledger.cost == pytest.approx((100 * 2.5 + 20 * 10.0) / 1e6)


async def test_calls_at_once_have_a_ledger_each() -> None:
    seam = recorded(Scripted(*[str(number) for number in range(8)]))
    ledgers = [MemoryLedger() for _ in range(8)]
    await asyncio.gather(*(complete(seam, request(str(i)), ledger) for i, ledger in enumerate(ledgers)))
    assert [[response.text for response in ledger.kept.values()] for ledger in ledgers] == [[str(i)] for i in range(8)]


async def test_a_server_in_trouble_is_told_of_by_its_address() -> None:
    engine = Scripted(lm15.ServerError("x", status=503), "fine")
    engine.api_base = "http://127.0.0.1:9/v1"  # type: ignore[attr-defined]
    seam = recorded(engine)
    asked = asyncio.create_task(complete(seam, request(), MemoryLedger()))
    await asyncio.sleep(0.01)
    assert str(seam.trouble()).startswith("http://127.0.0.1:9/v1 answers 503: retrying, 1 call waits")
    await asked
    assert seam.trouble() is None


# Keys


BASE = request("hello", seed=1, temperature=0.5, max_tokens=10, response_format=FORMAT)
OTHERS: list[lm15.Request] = [
    request("hullo", seed=1, temperature=0.5, max_tokens=10, response_format=FORMAT),
    request("hello", seed=2, temperature=0.5, max_tokens=10, response_format=FORMAT),
    request("hello", seed=1, temperature=0.6, max_tokens=10, response_format=FORMAT),
    request("hello", seed=1, temperature=0.5, max_tokens=11, response_format=FORMAT),
    request("hello", seed=1, temperature=0.5, max_tokens=10),
    request("hello", seed=1, temperature=0.5, max_tokens=10, response_format={**FORMAT, "schema": object_schema({})}),
    *(
        request("hello", seed=1, temperature=0.5, max_tokens=10, response_format=FORMAT, **{name: value})
        for name, value in (
            ("top_p", 0.9),
            ("top_k", 5),
            ("stop", ("x",)),
            ("logprobs", 5),
            ("presence_penalty", 0.5),
            ("frequency_penalty", 0.5),
            ("extensions", {"min_p": 0.1}),
        )
    ),
    replace(BASE, system="Be brief."),
    replace(BASE, messages=(lm15.Message.assistant("hello"),)),
    replace(BASE, messages=(*BASE.messages, lm15.Message.user("hello"))),
]


def test_whatever_decides_an_answer_is_in_its_key() -> None:
    keys = [request_key("id", asked) for asked in (BASE, *OTHERS)] + [request_key("other", BASE)]
    assert len(set(keys)) == len(keys)


def test_the_same_request_has_the_same_key_in_every_process() -> None:
    assert request_key("id", request("hello", seed=1)) == "04faabf8a8f0dfaaccf2d308"


@given(TEXTS, st.integers(0, 2**31 - 1))
def test_any_text_has_a_key(text: str, seed: int) -> None:
    assert len(request_key("id", request(text or "x", seed=seed))) == 24


async def test_the_likeliest_first_words_are_told_folded() -> None:
    asked = request()
    asked = replace(asked, config=replace(asked.config, logprobs=20))
    _, call = await complete(recorded(Small(sensible=0.75)), asked, MemoryLedger())
    assert dict(call.first_token) == {"yes": pytest.approx(math.log(0.75)), "no": pytest.approx(math.log(0.25))}
