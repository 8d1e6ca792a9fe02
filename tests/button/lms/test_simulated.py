"""The simulated model: determinism, every part, coherence of whole rows, flaws. Not covered: its prose."""

import asyncio
import json
import random
import time
from typing import Any

import pytest
from dspy.lm15 import Config, Message, Request
from simulated_chain import Chain, blocks, numbered, play_row, request

from button.checks.composition import composition_problems
from button.checks.gate import TrajectoryGate
from button.checks.wording import scenario_problems, task_problems
from button.errors import UserError
from button.lms.simulated import Simulated
from button.lms.simulation.flaws import FLAWS, KINDS
from signatures.records import Drop, Strategy, SubTask

SCENARIOS = [
    "booking a flight for a family holiday", "comparing a car loan", "finding a doctor for a child",
    "buying ingredients for a meal", "renting an apartment in a new town", "preparing for a language exam",
    "returning a damaged item", "checking the air quality", "running a marathon", "sending a heavy package",
    "making a training plan", "renting a violin", "seeing a film at the cinema", "borrowing a novel",
    "repairing an old car", "adopting a dog", "growing tomatoes on a small balcony", "negotiating a salary",
    "ordering a pizza", "reporting storm damage", "planning solar panels", "catching a tram downtown",
    "renewing a passport", "buying stocks of a company", "choosing a phone plan", "fixing a computer problem",
    "selling an antique", "hiring a babysitter", "volunteering for tree planting", "decorating a hall for a party",
]  # fmt: skip
STRATEGIES: tuple[Strategy, ...] = ("sequential", "parallel_then_sequential")


@pytest.fixture(scope="module")
def engine() -> Simulated:
    return Simulated()


def ask(engine: Simulated, part: str, inputs: dict[str, str], seed: int = 0) -> dict[str, Any]:
    return asyncio.run(Chain(engine, seed).ask(part, inputs))


def test_at_least_98_of_100_rows_pass_the_gate(engine: Simulated) -> None:
    drops: list[Drop] = []
    rounds: list[int] = []
    for seed in range(120):
        strategy = STRATEGIES[seed % 10 > 6]
        row = play_row(engine, SCENARIOS[seed % 30], seed, parallel=seed % 2 == 0, strategy=strategy)
        outcome = asyncio.run(TrajectoryGate().aforward(row, None))
        if isinstance(outcome, Drop):
            drops.append(outcome)
        else:
            rounds.append(outcome[0].measures.rounds)
    assert len(drops) <= 2, drops
    assert 2.2 < sum(rounds) / len(rounds) < 2.9


def test_two_calls_of_one_function_get_each_their_own_result(engine: Simulated) -> None:
    plan = [
        SubTask(task="Find a chess club in Oslo and its yearly fee."),
        SubTask(task="Find a chess club in Lyon and its yearly fee."),
        SubTask(task="Tell me which of the two prices is lower and by how much.", depends_on=(0, 1)),
    ]
    function = {
        "name": "find_game_club", "parameters": {"game": {"type": "string"}, "city": {"type": "string"}},
        "required": ["game", "city"], "responses": {"club_id": {}, "phone_number": {}, "price": {}},
    }  # fmt: skip
    uses = (("find_game_club",), ("find_game_club",), ())
    first = {
        "sub_tasks": numbered(plan, uses),
        "functions": json.dumps([function]),
        "rule": "multiple functions in parallel",
    }
    calls = [{"name": "find_game_club", "arguments": {"game": "chess", "city": city}} for city in ("Oslo", "Lyon")]
    asked = first | {"observation": "Compare a chess club in Oslo and one in Lyon."}
    assert ask(engine, "PlayAssistant", asked)["calls"] == calls
    results = [
        call | {"results": {"club_id": "C1", "price": price}} for call, price in zip(calls, (40, 65), strict=True)
    ]
    earlier = (Message.user(blocks(asked)), Message.assistant("{}"))
    answer = asyncio.run(Chain(engine, 0).ask("PlayAssistant", {"observation": json.dumps(results)}, earlier))
    assert answer["calls"] == []
    assert "Oslo" in answer["final_answer"]
    assert "25 dollars" in answer["final_answer"]


def test_one_function_at_a_time_where_the_rule_says_so(engine: Simulated) -> None:
    for seed in range(20):
        row = play_row(engine, SCENARIOS[seed], seed, parallel=False, strategy="parallel_then_sequential")
        assert all(len(turn.calls) <= 1 for turn in row.turns if turn.role == "assistant")


def test_independent_calls_share_a_turn_where_they_may(engine: Simulated) -> None:
    rows = [
        play_row(engine, scenario, 0, parallel=True, strategy="parallel_then_sequential") for scenario in SCENARIOS[:10]
    ]
    first = [next(turn for turn in row.turns if turn.role == "assistant") for row in rows]
    assert all(len(turn.calls) == 2 for turn in first)


def test_a_tool_answers_the_same_call_the_same_way_whatever_the_request_seed(engine: Simulated) -> None:
    function = {"name": "find_doctor", "responses": {"doctor_id": {"type": "string"}, "fee": {"type": "number"}}}
    call = {"name": "find_doctor", "arguments": {"city": "Oslo"}}
    asked = {"function": json.dumps(function), "call": json.dumps(call)}
    other = {**asked, "call": json.dumps({"name": "find_doctor", "arguments": {"city": "Rome"}})}
    answers = [ask(engine, "PlayTool", asked, seed)["result"] for seed in range(5)]
    assert answers == answers[:1] * 5
    assert isinstance(answers[0]["fee"], float)
    assert ask(engine, "PlayTool", other)["result"] != answers[0]
    assert ask(Simulated(seed=1), "PlayTool", asked)["result"] != answers[0]


def test_answers_depend_on_seed_and_content_alone() -> None:
    def play(engine: Simulated) -> list[str]:
        async def all_at_once() -> list[str]:
            requests = [request("WriteAtomicTask", {"scenario": said, "details": ""}, seed=7) for said in SCENARIOS]
            random.Random(3).shuffle(requests)
            answers = await asyncio.gather(*map(engine.complete, requests))
            return sorted(str(answer.text) for answer in answers)

        return asyncio.run(all_at_once())

    assert play(Simulated()) == play(Simulated(concurrency=1))
    assert play(Simulated()) != play(Simulated(seed=1))


def test_a_scenario_of_each_field_of_life_gets_tasks_that_differ_by_seed(engine: Simulated) -> None:
    for scenario in SCENARIOS:
        tasks = {
            ask(engine, "WriteAtomicTask", {"scenario": scenario, "details": ""}, seed)["task"] for seed in range(8)
        }
        assert len(tasks) > 4
        assert not [problem for task in tasks for problem in task_problems(task)]


def test_details_of_the_program_are_used_where_they_fit(engine: Simulated) -> None:
    details = "begin with 'Look for'; person Zanele Osei; city Bogota; date 3 May 2026; number 4"
    asked = {"scenario": "choosing a hotel for a honeymoon", "details": details}
    task = ask(engine, "WriteAtomicTask", asked)["task"]
    assert task.startswith("Look for a good hotel in Bogota, arriving on 3 May 2026")


def test_evolving_gives_thousands_of_good_scenarios(engine: Simulated) -> None:
    directions = ("health and fitness", "music and arts", "law and paperwork", "vehicles", "something else")
    asked = [{"scenario": SCENARIOS[i % 30], "direction": directions[i % 5]} for i in range(4000)]
    found = {ask(engine, "EvolveScenario", inputs, seed)["new_scenario"] for seed, inputs in enumerate(asked[:1500])}
    assert len(found) > 700
    assert not [scenario for scenario in found if scenario_problems(scenario)]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("User: Can you book a flight from Rome to Oslo for me?\nAssistant: I cannot do that.", "flight"),
        ("I want to know the price of a share of a company before I buy stocks.", "s"),
        ("Describe the flumphing of gribbles.", "gribble"),
    ],
)
def test_a_text_is_named_by_what_it_is_about(engine: Simulated, text: str, word: str) -> None:
    scenario = ask(engine, "NameScenario", {"text": text})["scenario"]
    assert word in scenario
    assert not scenario_problems(scenario)


def test_the_judge_sees_swapped_and_unrelated_sub_tasks(engine: Simulated) -> None:
    composition = asyncio.run(Chain(engine, 3).composition(SCENARIOS[0], "sequential"))
    other = asyncio.run(Chain(engine, 4).composition(SCENARIOS[5], "sequential"))
    first, last = composition.sub_tasks

    def verdict(*plan: SubTask) -> str:
        asked = {"composed_task": composition.task, "sub_tasks": numbered(list(plan))}
        return str(ask(engine, "JudgeComposition", asked)["feasible"])

    assert verdict(first, last) == "yes"
    assert verdict(first, SubTask(task=other.sub_tasks[0].task, depends_on=(0,))) == "no"
    assert verdict(first, SubTask(task=last.task)) == "no"
    assert verdict(SubTask(task=other.sub_tasks[0].task), last) == "no"


def test_foreign_tasks_and_functions_are_played_too(engine: Simulated) -> None:
    chain = Chain(engine, 0)
    task = "Count the windows of the house of Aunt Agatha."
    composed = asyncio.run(chain.ask("ComposeSequentially", {"task": task}))
    plan = (SubTask(task=task), SubTask(task=composed["subsequent_task"], depends_on=(0,)))
    assert composition_problems(composed["composed_task"], plan) == []
    function = {
        "name": "count_windows", "parameters": {"owner": {"type": "string"}, "floor": {"type": "integer"}},
        "required": ["owner"], "responses": {"window_count": {"type": "integer"}},
    }  # fmt: skip
    asked = {
        "sub_tasks": f"1. {task} [functions: count_windows]", "functions": json.dumps([function]),
        "rule": "one function at a time", "observation": "Please count the windows of the house of Aunt Agatha.",
    }  # fmt: skip
    call = {"name": "count_windows", "arguments": {"owner": "Aunt Agatha"}}
    assert asyncio.run(chain.ask("PlayAssistant", asked))["calls"] == [call]
    tool = {"function": json.dumps(function), "call": json.dumps(call)}
    assert isinstance(asyncio.run(chain.ask("PlayTool", tool))["result"]["window_count"], int)


def test_the_part_is_told_by_the_prompt_where_the_format_has_no_name(engine: Simulated) -> None:
    system = "Invent a situation.\n\nAnswer with one JSON object with these fields:\n- new_scenario: a phrase"
    user = blocks({"scenario": SCENARIOS[0], "direction": "vehicles"})
    asked = Request(model="m", messages=(Message.user(user),), system=system, config=Config(seed=1))
    assert "new_scenario" in json.loads(asyncio.run(engine.complete(asked)).text or "")


def test_an_unknown_question_gets_an_instance_of_its_schema(engine: Simulated) -> None:
    schema = {
        "type": "object",
        "properties": {"score": {"type": "integer", "minimum": 1, "maximum": 5}, "tags": {"type": "array"}},
        "required": ["score", "tags"],
    }
    response_format = {"type": "json_schema", "name": "RateHaiku", "schema": schema}
    config = Config(response_format=response_format)
    asked = Request(model="m", messages=(Message.user(blocks({"haiku": "An old pond"})),), config=config)
    answer = json.loads(asyncio.run(engine.complete(asked)).text or "")
    assert 1 <= answer["score"] <= 5
    assert isinstance(answer["tags"], list)


def test_a_field_beside_the_own_ones_is_filled_in(engine: Simulated) -> None:
    schema = {"type": "object", "properties": {"reasoning": {"type": "string"}, "message": {"type": "string"}}}
    response_format = {"type": "json_schema", "name": "PlayUser", "schema": schema}
    asked = request("PlayUser", {"need": "Find a chess club in Oslo."}, response_format=response_format)
    assert json.loads(asyncio.run(engine.complete(asked)).text or "").keys() == {"reasoning", "message"}


def test_an_answer_longer_than_max_tokens_is_cut(engine: Simulated) -> None:
    asked = request("PlayUser", {"need": "Find a chess club in Oslo and its yearly fee."}, max_tokens=4)
    response = asyncio.run(engine.complete(asked))
    assert response.finish_reason == "length"
    assert len(response.text or "") == 16
    assert (response.usage.output_tokens, response.usage.total_tokens) == (4, (response.usage.input_tokens or 0) + 4)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_of_flaw_spoils_an_answer(engine: Simulated, kind: str) -> None:
    spoilt = Simulated(flaws={kind: 1.0})
    part = next((part for part, kinds in FLAWS.items() if kind in kinds), "PlayUser")
    asked = _last_turn() if kind in ("no_final", "invented_answer") else _question(part)
    if kind == "judge_yes":  # spoils the judgement of what is bad
        asked = request(part, {"composed_task": CASE, "sub_tasks": PLAN})
    answer, good = (asyncio.run(one.complete(asked)) for one in (spoilt, engine))
    assert (answer.text, answer.finish_reason) != (good.text, good.finish_reason)


CASE = "Find a chess club in Oslo and its yearly fee."
PLAN = f"1. {CASE}\n2. Work out the same price in EUR. (needs 1)"
FUNCTIONS = json.dumps(
    [
        {"name": "find_game_club", "parameters": {"game": {}, "city": {}}, "required": ["game", "city"]},
        {"name": "get_exchange_rate", "parameters": {"target_currency": {}}, "required": ["target_currency"]},
    ]
)
DIALOGUE = {
    "sub_tasks": f"1. {CASE} [functions: find_game_club]\n2. Work out the same price in EUR. (needs 1)"
    " [functions: get_exchange_rate]",
    "functions": FUNCTIONS,
    "rule": "one function at a time",
    "observation": CASE,
}


def _question(part: str) -> Request:
    plan = {"composed_task": f"{CASE[:-1]}, and then work out the same price in EUR.", "sub_tasks": PLAN}
    inputs: dict[str, dict[str, str]] = {
        "NameScenario": {"text": "I need a flight"}, "EvolveScenario": {"scenario": SCENARIOS[0], "direction": "x"},
        "WriteAtomicTask": {"scenario": SCENARIOS[0], "details": ""}, "JudgeComposition": plan, "DefineFunctions": plan,
        "ComposeSequentially": {"task": CASE}, "PlayUser": {"need": CASE}, "PlayAssistant": DIALOGUE,
        "ComposeDirectly": {"scenario": SCENARIOS[0], "details": "", "shape": "2 sub-tasks"},
        "PlayTool": {"function": '{"name": "f", "responses": {"x": {"type": "integer"}}}', "call": '{"name": "f"}'},
    }  # fmt: skip
    return request(part, inputs[part])


def _last_turn() -> Request:
    club = {"name": "find_game_club", "arguments": {"game": "chess", "city": "Oslo"}, "results": {"price": 40}}
    rate = {"name": "get_exchange_rate", "arguments": {"target_currency": "EUR"}, "results": {"exchange_rate": 0.87}}
    earlier = (
        Message.user(blocks(DIALOGUE)), Message.assistant("{}"),
        Message.user(blocks({"observation": json.dumps([club])})), Message.assistant("{}"),
    )  # fmt: skip
    return request("PlayAssistant", {"observation": json.dumps([rate])}, earlier)


def test_without_flaws_a_retry_is_answered_like_a_first_try_and_with_them_some_stay_flawed() -> None:
    def spoilt_share(persistent: float) -> float:
        engine = Simulated(flaws={"named_function": 1.0}, persistent=persistent)
        retry = {"details": "", "previous_output": "{}", "problems": "it names a function"}
        asked = [{"scenario": f"renting a bicycle {word}", **retry} for word in map(str, range(60))]
        return sum("function" in ask(engine, "WriteAtomicTask", inputs)["task"] for inputs in asked) / 60

    assert spoilt_share(0.0) == 0.0
    assert 0.1 < spoilt_share(0.3) < 0.5
    assert spoilt_share(1.0) == 1.0


def test_all_retries_of_a_question_agree_on_being_flawed() -> None:
    engine = Simulated(flaws={"placeholder": 1.0}, persistent=0.5)
    for scenario in SCENARIOS:
        tasks = [
            ask(engine, "WriteAtomicTask", {"scenario": scenario, "details": "", "problems": problem}, seed)["task"]
            for seed, problem in enumerate(("one", "two", "three"))
        ]
        assert len({"[Your Name]" in task for task in tasks}) == 1


def test_one_number_spoils_that_share_of_the_answers() -> None:
    engine, good = Simulated(flaws=0.2), Simulated()
    asked = [request("PlayUser", {"need": f"Find a chess club in Oslo and {i} boards."}) for i in range(300)]
    answers = [[asyncio.run(one.complete(each)) for each in asked] for one in (engine, good)]
    differ = sum(one.text != other.text for one, other in zip(*answers, strict=True))
    assert 30 < differ < 90


def test_an_unknown_kind_of_flaw_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"unknown kind 'lies'; the kinds are bad_call, .*unknown_function"):
        Simulated(flaws={"lies": 0.5})


def test_an_answer_costs_less_than_half_a_millisecond_of_cpu(engine: Simulated) -> None:
    asked = [request("WriteAtomicTask", {"scenario": scenario, "details": ""}) for scenario in SCENARIOS] * 10

    async def all_of_them() -> None:
        for each in asked:
            await engine.complete(each)

    asyncio.run(all_of_them())  # compiles the patterns
    begun = time.process_time()
    asyncio.run(all_of_them())
    assert (time.process_time() - begun) / len(asked) < 0.0005
