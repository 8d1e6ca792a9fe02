import pytest
from dspy.lm15 import Request
from scripted import Said, Scripted, Small, schema_of, work_of

from button.errors import NoUsableAnswer
from modules.play_user import UserAgent

NEED = "Check the pollen level in Porto on 3 May 2027. Then email the pollen level that was found to Priya Sato."
GOOD = "Could you check the pollen level in Porto on 3 May 2027, and email the level that you found to Priya Sato?"


async def said(engine: Scripted) -> str:
    return await UserAgent(tries=1, temperature=0.7).aforward(NEED, work_of(engine))


async def test_a_message_with_every_detail_is_taken() -> None:
    assert await said(Scripted({"message": GOOD})) == GOOD


async def test_a_small_model_chooses_among_wordings_of_what_was_composed() -> None:
    def choose(request: Request) -> Said:
        offered.extend(schema_of(request)["properties"]["message"]["enum"])
        return {"message": offered[-1]}

    offered: list[str] = []
    message = await said(Small(PlayUser=choose))
    assert len(set(offered)) == 4
    assert message == offered[-1]
    assert all(detail in message for detail in ("Porto", "3 May 2027", "Priya Sato", "email the pollen level"))


async def test_a_need_in_other_words_is_reworded_by_the_model_itself() -> None:
    engine = Small({"message": GOOD})
    need = "Check the pollen level in Porto on 3 May 2027 and email the pollen level to Priya Sato."
    assert await UserAgent(tries=1, temperature=0.7).aforward(need, work_of(engine)) == GOOD


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (GOOD.replace("3 May 2027", "Monday"), "leaves out '3 may 2027'"),
        (f"Hi Priya, {GOOD}", "speaks to somebody"),
        (f"Hello Mateo Rahimi, {GOOD}", "speaks to somebody"),
    ],
)
async def test_a_message_that_lacks_a_detail_or_greets_somebody_is_not(message: str, problem: str) -> None:
    with pytest.raises(NoUsableAnswer, match=problem):
        await said(Scripted({"message": message}))


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("What about Porto on 3 May 2027? Please ask Priya Sato.", "leaves out what is wanted: .*pollen"),
        (
            "Check the pollen level in Porto on 3 May 2027. Email the level found. Priya Sato, please wait.",
            "Priya Sato,",
        ),
        (f"{GOOD} And email me the pollen level.", "email me"),
        (f"{GOOD} Then I'll send it.", "I'll"),
        (f"{GOOD} Find a pollen level that was found.", "that was found"),
    ],
)
async def test_a_small_model_may_neither_drop_the_errand_nor_swap_the_people(message: str, problem: str) -> None:
    with pytest.raises(NoUsableAnswer, match=problem):
        await said(Small(PlayUser=lambda _: {"message": message}))
    assert await said(Scripted({"message": message})) == message
