"""Covers one question through the real dspy.LM, adapter, limiter and recorder; only the engine is scripted."""

import asyncio
import logging
from typing import Any

import dspy
import pytest
from dspy import lm15
from scripted import MemoryLedger, Scripted, Truncated, lm_of, schema_of, signature_of, work_of

from button.errors import BudgetReached, EndpointFailed, NoUsableAnswer, UserError
from button.lms.schema import object_schema
from button.lms.sync import SyncEngine
from button.work import CURRENT_CALL, DEFAULT_ROLE, Work
from modules.ask import Ask


class NameCities(dspy.Signature):
    """Name some cities."""

    country: str = dspy.InputField(desc="where")
    cities: list[str] = dspy.OutputField(desc="their names")


GOOD = {"cities": ["Oslo"]}


@pytest.fixture(autouse=True)
def _quiet() -> None:
    """DSPy warns of each truncated answer; here they are meant."""
    logging.getLogger("dspy.clients.lm").setLevel(logging.ERROR)


async def ask(engine: Any, work: Work | None = None, **settings: Any) -> dspy.Prediction:
    asking = {name: settings.pop(name) for name in ("check", "label", "schema") if name in settings}
    asked = Ask(NameCities, role="task", **settings)
    return await asked.acall(work or work_of(engine), inputs={"country": "Norway"}, **asking)


async def test_a_good_answer_is_typed_and_costs_one_call() -> None:
    engine = Scripted(GOOD)
    assert (await ask(engine)).cities == ["Oslo"]
    assert len(engine.requests) == 1


async def test_a_truncated_answer_is_never_a_value() -> None:
    engine = Scripted(Truncated('{"cities": ["Oslo"]}'), Truncated('{"cities": ["Os'), GOOD)
    assert (await ask(engine)).cities == ["Oslo"]
    for retry in engine.prompts()[1:]:
        assert "cut off after 1024 tokens; write a shorter one" in retry


async def test_answers_that_stay_truncated_are_given_up() -> None:
    engine = Scripted(*[Truncated('{"cities": ["Oslo"]}')] * 5)
    with pytest.raises(NoUsableAnswer) as caught:
        await ask(engine, tries=3, max_tokens=50)
    assert caught.value.reason == "truncated"
    assert "after 50 tokens" in caught.value.detail
    assert len(engine.requests) == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"cities": ["Oslo"', "no valid JSON"),
        ("{'cities': ['Oslo']}", "no valid JSON"),
        ('{"cities": ["Oslo"]} {"cities": ["Bergen"]}', "no valid JSON"),
        ('Sure! {"cities": ["Oslo"]}', "no valid JSON"),
        ('["Oslo"]', "the answer is a JSON list, wanted one JSON object"),
        ('{"towns": ["Oslo"]}', """the field 'cities' is missing; the answer has ["towns"]"""),
        ('{"cities": ["Oslo", 7]}', "the field 'cities.1' is 7: Input should be a valid string"),
        ("", "the answer is empty; answer with one JSON object"),
    ],
)
async def test_an_answer_that_does_not_fit_is_not_repaired_but_asked_again(text: str, problem: str) -> None:
    engine = Scripted(text, GOOD)
    assert (await ask(engine)).cities == ["Oslo"]
    first, retry = engine.prompts()
    assert first == "[[ ## country ## ]]\nNorway"
    assert retry.startswith(f"{first}\n\n[[ ## previous_output ## ]]\n{text}\n\n[[ ## problems ## ]]\n")
    assert problem in retry
    assert "LM Response" not in retry  # DSPy's message would repeat the answer


async def test_what_stays_unparsable_is_given_up_with_the_problem() -> None:
    engine = Scripted("Oslo", "Oslo")
    with pytest.raises(NoUsableAnswer) as caught:
        await ask(engine, tries=2)
    assert caught.value.reason == "unparsable"
    assert "no valid JSON" in caught.value.detail
    assert len(engine.requests) == 2


async def test_the_problems_that_a_check_finds_are_named() -> None:
    def check(found: dspy.Prediction) -> list[str]:
        return [] if found.cities == ["Oslo"] else [f"{city} is in Italy" for city in found.cities]

    engine = Scripted({"cities": ["Rome", "Milan"]}, GOOD)
    assert (await ask(engine, check=check)).cities == ["Oslo"]
    assert engine.prompts()[1].endswith(
        '[[ ## previous_output ## ]]\n{"cities": ["Rome", "Milan"]}\n\n'
        "[[ ## problems ## ]]\nRome is in Italy\nMilan is in Italy"
    )


async def test_the_last_failure_gives_the_reason() -> None:
    engine = Scripted(Truncated("{"), "no JSON", GOOD)
    with pytest.raises(NoUsableAnswer) as caught:
        await ask(engine, check=lambda found: ["wrong", "and late"])
    assert (caught.value.reason, caught.value.detail) == ("invalid", "wrong\nand late")


async def test_the_retry_keeps_instructions_and_demos() -> None:
    asked = Ask(NameCities, role="task")
    asked.predict.demos = [dspy.Example(country="Japan", cities=["Osaka"]).with_inputs("country")]
    engine = Scripted("no JSON", GOOD)
    await asked.acall(work_of(engine), inputs={"country": "Norway"})
    first, retry = engine.requests
    assert first.system == retry.system
    assert [message.text for message in retry.messages[:-1]][1] == '{"cities": ["Osaka"]}'
    assert len(first.messages) == len(retry.messages) == 3


async def test_a_word_leaked_from_a_demo_is_not_excused_by_having_been_said_before() -> None:
    asked = Ask(NameCities, role="task", tries=2)
    asked.predict.demos = [dspy.Example(country="Japan", cities=["the city of Osaka"]).with_inputs("country")]
    leak = {"cities": ["the city of Osaka"]}
    with pytest.raises(NoUsableAnswer) as caught:
        await asked.acall(work_of(Scripted(leak, leak)), inputs={"country": "Norway"})
    assert caught.value.reason == "invalid"
    assert "Osaka: from an example" in caught.value.detail


@pytest.mark.parametrize("said", [lm15.ContextLengthError("too long"), lm15.InvalidRequestError("no such field")])
async def test_a_request_that_cannot_be_answered_drops_the_row_at_once(said: lm15.LM15Error) -> None:
    engine = Scripted(said, GOOD)
    with pytest.raises(NoUsableAnswer) as caught:
        await ask(engine)
    reasons = {"ContextLengthError": "context_overflow", "InvalidRequestError": "refused"}
    assert caught.value.reason == reasons[type(said).__name__]
    assert len(engine.requests) == 1


@pytest.mark.parametrize("said", [lm15.AuthError("wrong key"), lm15.UnsupportedModelError("no such model")])
async def test_a_refused_key_or_model_ends_the_run(said: lm15.LM15Error) -> None:
    with pytest.raises(UserError, match=f"refuses this run: {said.message.splitlines()[0]}"):
        await ask(Scripted(said))


async def test_a_refused_key_ends_the_run_without_our_recorder_too() -> None:
    """As where a user's own engine stands behind the LM."""
    engine = Scripted(lm15.AuthError("wrong key"))
    lm = dspy.LM("button/x", engine=SyncEngine(engine), async_engine=engine, cache=False, num_retries=0)
    with pytest.raises(EndpointFailed, match="wrong key"):
        await ask(engine, Work(0, "step", "r", 0, {DEFAULT_ROLE: lm}, MemoryLedger()))


async def test_a_failure_to_keep_an_answer_ends_the_run() -> None:
    class FullDisk(MemoryLedger):
        async def keep(self, key: str, response: lm15.Response, seconds: float, cost: float) -> None:
            raise UserError("the disk is full")

    with pytest.raises(UserError, match="the disk is full"):
        await ask(None, work_of(Scripted(GOOD), ledger=FullDisk()))


async def test_a_bug_in_an_engine_is_no_drop() -> None:
    def speak(request: lm15.Request) -> str:
        raise KeyError("bug")

    with pytest.raises(Exception, match="bug") as caught:
        await ask(Scripted(NameCities=speak))
    assert not isinstance(caught.value, NoUsableAnswer | UserError)


async def test_each_call_is_allowed_before_it_is_made() -> None:
    engine = Scripted("no JSON", GOOD)
    ledger = MemoryLedger(calls=1)
    with pytest.raises(BudgetReached):
        await ask(None, work_of(engine, ledger=ledger))
    assert len(engine.requests) == len(ledger.kept) == 1


async def test_an_answer_kept_by_an_interrupted_try_is_not_asked_for_again() -> None:
    ledger = MemoryLedger()
    assert await ask(None, work_of(Scripted("no JSON", GOOD), ledger=ledger)) is not None
    silent = Scripted()
    assert (await ask(None, work_of(silent, ledger=ledger))).cities == ["Oslo"]
    assert not silent.requests


async def test_a_kept_answer_that_was_truncated_stays_truncated() -> None:
    ledger = MemoryLedger()
    for engine in (Scripted(Truncated('{"cities": ["Oslo"]}')), Scripted()):
        with pytest.raises(NoUsableAnswer, match="truncated"):
            await ask(None, work_of(engine, ledger=ledger), tries=1)


async def test_seeds_differ_by_attempt_and_label_and_are_the_same_in_every_run() -> None:
    async def seeds(**where: Any) -> list[int | None]:
        label = where.pop("label", "")
        engine = Scripted("no JSON", "no JSON", GOOD)
        await ask(None, work_of(engine, **where), label=label)
        return [request.config.seed for request in engine.requests]

    first = await seeds()
    assert len(set(first)) == 3
    assert await seeds() == first
    for other in ({"label": "x"}, {"record": "another"}, {"step": "another"}, {"draw": 1}):
        assert set(first).isdisjoint(await seeds(**other)), other
    assert all(seed is not None and 0 <= seed < 2**31 for seed in first)


async def test_the_answer_is_asked_for_under_the_signatures_schema_or_a_narrower_one() -> None:
    engine = Scripted("no JSON", GOOD)
    await ask(engine)
    for request in engine.requests:
        assert signature_of(request) == "NameCities"
        assert schema_of(request) == object_schema({"cities": {"type": "array", "items": {"type": "string"}}})

    narrow = object_schema({"cities": {"type": "array", "items": {"type": "string", "enum": ["Oslo"]}}})
    engine = Scripted("no JSON", GOOD)
    await ask(engine, schema=narrow)
    assert [schema_of(request) for request in engine.requests] == [narrow, narrow]


async def test_a_temperature_of_none_leaves_it_to_the_lm() -> None:
    engine = Scripted(GOOD, GOOD, GOOD)
    await ask(None, work_of(engine, temperature=0.25))
    await ask(None, work_of(engine, temperature=0.25), temperature=0.0)
    await ask(None, work_of(engine))
    assert [request.config.temperature for request in engine.requests] == [0.25, 0.0, None]


async def test_a_role_with_an_lm_of_its_own_asks_that_one() -> None:
    usual, own = Scripted(GOOD), Scripted(GOOD)
    lms = {DEFAULT_ROLE: lm_of(usual), "task": lm_of(own)}
    await ask(None, Work(0, "step", "r", 0, lms, MemoryLedger()))
    assert (len(usual.requests), len(own.requests)) == (0, 1)


async def test_a_question_leaves_no_call_behind_in_its_task() -> None:
    await ask(Scripted(GOOD))
    with pytest.raises(LookupError):
        CURRENT_CALL.get()


async def test_questions_at_the_same_time_do_not_take_each_others_end() -> None:
    def speak(request: lm15.Request) -> str | Truncated:
        text = '{"cities": ["Oslo"]}'
        return Truncated(text) if "Sweden" in str(request.messages[-1].text) else text

    asked = Ask(NameCities, role="task", tries=1)
    work = work_of(Scripted(NameCities=speak))
    countries = ["Norway", "Sweden"] * 4
    answers = await asyncio.gather(
        *(asked.acall(work, inputs={"country": country}) for country in countries), return_exceptions=True
    )
    ends = [answer.reason if isinstance(answer, NoUsableAnswer) else "usable" for answer in answers]
    assert ends == ["usable", "truncated"] * 4
