import pytest
from scripted import Scripted, work_of

from button.errors import NoUsableAnswer
from modules.rubric import Rubric
from signatures.judge import JudgeComposition, JudgeTask

FAULTY = {"analysis": "No day.", "reasonable": "yes", "self_contained": "no", "one_step": "yes", "doable": "no"}


async def test_an_opinion_says_which_criteria_are_not_met() -> None:
    opinion = await Rubric(JudgeTask).aforward(work_of(Scripted(FAULTY)), {"task": "Book a table."})
    assert opinion.unmet == ("self_contained", "doable")
    assert opinion.analysis == "No day."


async def test_an_answer_without_a_yes_or_no_is_asked_again_and_then_given_up() -> None:
    engine = Scripted(*[{**FAULTY, "doable": "perhaps"}] * 2)
    with pytest.raises(NoUsableAnswer, match="doable"):
        await Rubric(JudgeTask, tries=2).aforward(work_of(engine), {"task": "Book a table."})
    assert len(engine.requests) == 2


def test_the_meaning_of_a_criterion_is_what_the_prompt_says_of_it() -> None:
    assert Rubric(JudgeTask).meanings()["one_step"] == "one thing is to be done, and no second one after it"
    assert Rubric(JudgeComposition).meanings() == {"feasible": "the sub-tasks complete the composed task"}
