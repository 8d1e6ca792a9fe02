import asyncio
import json
from pathlib import Path

import dspy
import pytest
from dspy.adapters.json_adapter import JSONAdapter
from dspy.lm15 import Request
from scripted import Scripted, lm_of

from button.errors import BudgetReached
from button.journal import Journal
from experiments.optimizing.reflection import reflecting_lm, roomy
from experiments.optimizing.spending import Answers, Spending
from experiments.optimizing.student import Halt


class Advise(dspy.Signature):
    """Advise."""

    told: str = dspy.InputField()
    advice: str = dspy.OutputField()


def advised(answers: Answers, loop: asyncio.AbstractEventLoop, engine: Scripted) -> str:
    """What an optimiser's thread is told."""
    lm = reflecting_lm(lm_of(engine), answers, loop, seed=0, max_tokens=500, temperature=1.0)
    with dspy.context(lm=lm, adapter=JSONAdapter()):
        return str(dspy.Predict(Advise)(told="x").advice)


async def test_the_same_question_is_another_sample_and_a_search_begun_again_is_told_the_same(tmp_path: Path) -> None:
    loop, seeds = asyncio.get_running_loop(), []

    def speak(request: Request) -> str:
        seeds.append(request.config.seed)
        return json.dumps({"advice": f"advice {len(seeds)}"})

    async def search() -> list[str]:
        journal = Journal(tmp_path / "run.db")
        engine = Scripted(DSPyProgramOutputs=speak)
        lm = reflecting_lm(lm_of(engine), Answers(journal, Spending()), loop, seed=0, max_tokens=500, temperature=1.0)

        def thread() -> list[str]:
            with dspy.context(lm=lm, adapter=JSONAdapter()):
                return [str(dspy.Predict(Advise)(told="x").advice) for _ in range(3)]

        found = await asyncio.to_thread(thread)
        journal.close()
        return found

    assert await search() == ["advice 1", "advice 2", "advice 3"]
    assert len(set(seeds)) == 3
    assert await search() == ["advice 1", "advice 2", "advice 3"]
    assert len(seeds) == 3


async def test_the_end_of_the_budget_halts_the_search_through_dspys_own_retries(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "run.db")
    answers = Answers(journal, Spending(max_calls=0))
    with pytest.raises(Halt) as halt:
        await asyncio.to_thread(advised, answers, asyncio.get_running_loop(), Scripted("never said"))
    assert isinstance(halt.value.__cause__, BudgetReached)
    journal.close()


def test_texts_get_room_and_what_is_bounded_already_stays_so() -> None:
    schema = {
        "properties": {"a": {"type": "string"}, "b": {"type": "string", "maxLength": 9}, "c": {"type": "integer"}}
    }
    found = roomy({"name": "x", "schema": schema}, 1500)["schema"]["properties"]
    assert (found["a"]["maxLength"], found["b"]["maxLength"], "maxLength" in found["c"]) == (1500, 9, False)
    assert roomy({"type": "json_object"}, 1500) == {"type": "json_object"}
