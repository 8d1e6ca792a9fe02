import asyncio
import json

import pytest
from dspy.lm15 import Config, Message, Request
from simulated_chain import blocks, request

from button.checks.wording import task_problems
from button.errors import UserError
from button.lms.simulated import Simulated
from button.lms.simulation.flaws import FLAWS
from button.lms.simulation.weaknesses import CURES, ENOUGH_DEMOS
from signatures import compose, functions, play, task

WEAK = Simulated(weakness={"long_task": 1.0})
ASKED = {"scenario": "booking a table in a restaurant", "details": ""}


def answer(engine: Simulated, asked: Request) -> str:
    return asyncio.run(engine.complete(asked)).text or ""


def told(system: str, demos: int = 0) -> list[str]:
    """The problems of a task that is asked for with this system message and so many demos."""
    demo = (Message.user(blocks(ASKED)), Message.assistant('{"task": "Book a table."}'))
    asked = request("WriteAtomicTask", ASKED, demo * demos)
    asked = Request(model=asked.model, messages=asked.messages, system=system, config=asked.config)
    return task_problems(json.loads(answer(WEAK, asked))["task"])


def test_a_weakness_shows_until_the_instructions_mend_it() -> None:
    assert "it may have at most 30" in told("Answer.")[0]
    assert told(f"Answer. {CURES['long_task'].sentence}") == []


def test_a_weakness_shows_until_enough_demos_mend_it() -> None:
    assert told("Answer.", demos=ENOUGH_DEMOS - 1)
    assert told("Answer.", demos=ENOUGH_DEMOS) == []


def test_a_model_without_weaknesses_answers_as_before() -> None:
    asked = request("WriteAtomicTask", ASKED)
    assert answer(Simulated(), asked) == answer(Simulated(weakness={"long_task": 0.0}), asked)


def test_what_is_shipped_holds_no_cure() -> None:
    signatures = (
        task.WriteAtomicTask,
        compose.ComposeSequentially,
        compose.ComposeInParallel,
        functions.DefineFunctions,
        play.PlayUser,
    )
    shipped = " ".join(" ".join(signature.instructions.split()) for signature in signatures).lower()
    assert not [flaw for flaw, cure in CURES.items() if cure.words in shipped]


def test_every_cure_says_its_own_words_and_no_others() -> None:
    flaws = {flaw for kinds in FLAWS.values() for flaw in kinds}
    for flaw, cure in CURES.items():
        assert flaw in flaws
        assert [other for other, one in CURES.items() if one.words in cure.sentence.lower()] == [flaw]


def test_a_weakness_that_no_prompt_mends_is_refused() -> None:
    with pytest.raises(UserError, match=r"lm\.weakness has the unknown kind 'judge_no'"):
        Simulated(weakness={"judge_no": 0.5})


def asked_to_reflect(inputs: dict[str, str], *, schema: bool) -> str:
    wanted = {"type": "json_schema", "name": "ProposeInstruction", "schema": {"type": "object"}} if schema else None
    config = Config(seed=1, response_format=wanted)
    return answer(Simulated(), Request(model="simulated", messages=(Message.user(blocks(inputs)),), config=config))


def test_asked_to_reflect_it_mends_what_the_feedback_shows() -> None:
    inputs = {"current_instruction": "Write a task.", "examples_with_feedback": "the task has 43 words; it may have 30"}
    assert json.loads(asked_to_reflect(inputs, schema=True)) == {
        "new_instruction": f"Write a task. {CURES['long_task'].sentence}"
    }


def test_asked_to_reflect_without_a_schema_it_answers_in_blocks() -> None:
    inputs = {"module_names": '["step.ask.predict"]', "worse_reward_info": "the task holds the placeholder '[X]'"}
    said = asked_to_reflect(inputs, schema=False)
    assert said.endswith("[[ ## completed ## ]]")
    assert CURES["placeholder"].sentence in said


def test_asked_for_an_instruction_it_proposes_a_rule_of_that_part() -> None:
    inputs = {"basic_instruction": compose.ComposeSequentially.instructions, "task_demos": "none"}
    rules = [CURES[flaw].sentence for flaw in FLAWS["ComposeSequentially"] if flaw in CURES]
    assert any(rule in asked_to_reflect(inputs, schema=False) for rule in [*rules, "Work with care."])
